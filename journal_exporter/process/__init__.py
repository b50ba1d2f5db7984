"""The processes: supervisor and worker, the checks before they start, and the loop."""
