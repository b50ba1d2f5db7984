"""Decides which entries become lines, and formats them. Pure."""
