"""One finding of ``parsers lint``."""

from dataclasses import dataclass

from node_observability.parsers.configuration.sections import Place


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One finding. ``is_error``: data is lost or wrong, or Fluent Bit does not start; else a warning."""

    place: Place
    code: str
    text: str
    is_error: bool

    def __str__(self) -> str:
        return f"{self.place}: {'error' if self.is_error else 'warning'}: {self.text} [{self.code}]"
