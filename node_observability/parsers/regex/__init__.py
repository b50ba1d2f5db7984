"""Onigmo's regular expressions, translated to Python's. Pure."""
