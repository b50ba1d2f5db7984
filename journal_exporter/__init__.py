"""The journal exporter: writes the host's journal to a rotated file, every entry exactly once."""
