"""Fluent Bit's time formats. Pure."""
