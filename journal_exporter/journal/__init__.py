"""Reads journal files: where they are, what they hold, and which entries are missing."""
