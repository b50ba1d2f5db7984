"""Case files: sample lines, the records expected of them, and the runner that compares."""
