"""What both directions of ``parsers convert`` share: comments, names of files, and the result."""

from dataclasses import dataclass

from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import Configuration

__all__ = ["PIPELINE", "Conversion", "comments_above", "is_main", "no_files", "renamed"]

PIPELINE = ("input", "filter", "output")


@dataclass(frozen=True, slots=True)
class Conversion:
    """A converted file.

    Attributes:
        text: its text.
        includes: the names of the files that it includes, as it was and as it is: they must be converted too.
    """

    text: str
    includes: tuple[tuple[str, str], ...] = ()


def no_files(_name: str, _place: Place) -> None:
    """Find no file: a file is converted alone."""
    return


def comments_above(text: str) -> dict[int, list[str]]:
    """Return the comments above a line, blank lines between them or not, by the number of that line.

    Those after the last line are at the number of the line after it.
    """
    found: dict[int, list[str]] = {}
    pending: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip().startswith("#"):
            pending.append(line.strip())
        elif line.strip():
            if pending:
                found[number] = pending
            pending = []
    if pending:
        found[text.count("\n") + 2] = pending
    return found


def renamed(name: str, endings: tuple[str, ...], new: str) -> str:
    """Return the name with ``new`` in the place of its ending, if it has one of ``endings``."""
    old = next((ending for ending in endings if name.endswith(ending)), "")
    return name.removesuffix(old) + new


def is_main(configuration: Configuration) -> bool:
    """Return whether Fluent Bit is started with the file, rather than that another one names it."""
    kinds = {section.kind for section in configuration.sections}
    return not kinds.isdisjoint(("service", "custom", *PIPELINE))
