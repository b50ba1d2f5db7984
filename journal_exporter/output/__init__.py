"""Writes each line exactly once: checkpoint, rotating file, and recovery after a kill."""
