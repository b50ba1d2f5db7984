"""Translates Onigmo's regular expressions to Python's. Does no I/O."""
