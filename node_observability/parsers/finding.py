"""One finding of ``parsers lint``."""

import difflib
from dataclasses import dataclass

from node_observability.parsers.sections import Place

__all__ = ["Finding", "close_to"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. ``is_error``: data is lost or wrong, or Fluent Bit does not start; else a warning."""

    place: Place
    code: str
    text: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.place}: {'error' if self.is_error else 'warning'}: {self.text} [{self.code}]"


def close_to(name: str, known: list[str]) -> str:
    """Return the question whether a name that is known was meant, empty where none is close."""
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""
