"""Reads times by Fluent Bit's time formats. Does no I/O."""
