"""One finding of ``parsers lint``."""

from dataclasses import dataclass

from node_observability.inputs.places import Place

__all__ = ["Finding", "error", "warning"]


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding.

    Attributes:
        is_error: whether records are lost or wrong, or Fluent Bit does not start; otherwise it is a warning.
    """

    place: Place
    code: str
    text: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.place}: {'error' if self.is_error else 'warning'}: {self.text} [{self.code}]"


def error(place: Place, code: str, text: str) -> Finding:
    """Return an error."""
    return Finding(place, code, text, is_error=True)


def warning(place: Place, code: str, text: str) -> Finding:
    """Return a warning."""
    return Finding(place, code, text, is_error=False)
