"""Hints for errors: the known name that a typo was meant to be."""

import difflib
from collections.abc import Iterable


def close_to(name: str, known: Iterable[str]) -> str:
    """Return ``; did you mean X?`` for the known name that is close_to, or an empty string."""
    close = difflib.get_close_matches(name, list(known), 1)
    return f"; did you mean {close[0]}?" if close else ""
