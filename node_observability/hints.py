"""Hints for errors: the known name that a typo was probably meant to be."""

import difflib
from collections.abc import Iterable


def close_to(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` with the known name closest to ``name``, empty if none is close."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
