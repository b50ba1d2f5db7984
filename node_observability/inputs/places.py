"""Where something stands in a file, for errors and findings."""

from dataclasses import dataclass

from node_observability.errors import MalformedError

__all__ = ["Place"]


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line of a file; ``line`` counts from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def error(self, text: str) -> MalformedError:
        """Return the error for something here that can't be used."""
        return MalformedError(f"{self}: {text}")
