"""The chaos test: whatever is killed, and whatever the disk refuses, each line is written once."""
