"""The journal exporter: the host's journal in a rotated file, every entry exactly once."""
