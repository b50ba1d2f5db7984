"""A Fluent Bit configuration as it is written: sections, their properties, and the place of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from node_observability.errors import UsageError
from node_observability.inputs.places import Place

__all__ = ["KINDS", "Configuration", "Place", "Property", "Section", "broken", "is_on"]

# The sections that count here, as both forms call them.
KINDS = ("service", "parser", "multiline_parser", "input", "filter", "output")


@dataclass(frozen=True, slots=True)
class Property:
    """A key as it is written, its value as text, and its place."""

    key: str
    value: str
    place: Place


@dataclass(slots=True)
class Section:
    """One section. A key may stand twice; keys are compared without regard to case.

    Attributes:
        origin: the file that Fluent Bit reads by itself in which it stands, or which includes it.
    """

    kind: str
    place: Place
    properties: list[Property] = field(default_factory=list)
    origin: str = ""

    def all(self, key: str) -> list[Property]:
        """Return each property of that key, in order."""
        return [item for item in self.properties if item.key.lower() == key]

    def find(self, key: str) -> Property | None:
        """Return the property of that key: the first one counts."""
        return next(iter(self.all(key)), None)

    def value(self, key: str, default: str = "") -> str:
        """Return the value of that key, or the default."""
        found = self.find(key)
        return found.value if found else default

    @property
    def name(self) -> str:
        """The parser's or the plugin's name, else empty."""
        return self.value("name")

    def place_of(self, key: str) -> Place:
        """Return the place of the key, else of the section."""
        found = self.find(key)
        return found.place if found else self.place


@dataclass(slots=True)
class Configuration:
    """What one Fluent Bit would load: one form, one set of files.

    Attributes:
        label: which one it is, where a source has several.
        sections: in the order of the files.
        missing: files that are named and not there; Fluent Bit's image may have them.
    """

    label: str
    sections: list[Section] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    missing: list[Property] = field(default_factory=list)

    def of(self, kind: str) -> Iterator[Section]:
        """Yield the sections of a kind."""
        return (section for section in self.sections if section.kind == kind)

    def expanded(self, text: str, environment: Mapping[str, str]) -> str:
        """Return the text with each ``${NAME}`` replaced; what is not set is empty, as in Fluent Bit."""
        done, rest = "", text
        while True:
            before, opening, after = rest.partition("${")
            name, closing, behind = after.partition("}")
            if not opening or not closing:
                return done + rest
            done += before + self.variables.get(name, environment.get(name, ""))
            rest = behind


def broken(place: Place, text: str) -> UsageError:
    """Return the error for something that can't be used, with its place first."""
    return place.error(text)


def is_on(text: str) -> bool | None:
    """Return what Fluent Bit takes the text for, None where it is neither yes nor no."""
    if text.lower() in ("true", "on", "yes"):
        return True
    return False if text.lower() in ("false", "off", "no") else None
