"""One finding of ``parsers lint``."""

from dataclasses import dataclass

from node_observability.inputs.places import Place

__all__ = ["Finding", "error", "refusal", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding.

    Attributes:
        is_error: whether records are lost or wrong, or Fluent Bit does not start; otherwise it is a warning.
        prevents_start: whether Fluent Bit does not start.
    """

    place: Place
    code: str
    text: str
    is_error: bool
    prevents_start: bool = False

    def __str__(self) -> str:
        return f"{self.place}: {'error' if self.is_error else 'warning'}: {self.text} [{self.code}]"


def error(place: Place, code: str, text: str) -> Finding:
    """Return an error."""
    return Finding(place, code, text, is_error=True)


def refusal(place: Place, code: str, text: str) -> Finding:
    """Return an error with which Fluent Bit does not start."""
    return Finding(place, code, text, is_error=True, prevents_start=True)


def warning(place: Place, code: str, text: str) -> Finding:
    """Return a warning."""
    return Finding(place, code, text, is_error=False)
