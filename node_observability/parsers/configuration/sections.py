"""A Fluent Bit configuration as it is written: sections, their properties, and the place of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from node_observability.inputs.places import Place

__all__ = ["KINDS", "Configuration", "Property", "Section", "read_switch"]

# The sections that the kit reads, as both formats call them.
KINDS = ("service", "parser", "multiline_parser", "input", "filter", "output")


@dataclass(frozen=True, slots=True)
class Property:
    """A key as it is written, its value as text, and its place."""

    key: str
    value: str
    place: Place


@dataclass(slots=True)
class Section:
    """One section. A key may stand twice; upper and lower case of keys are the same.

    Attributes:
        origin: the file, among those that Fluent Bit reads separately, that contains or includes the section.
    """

    kind: str
    place: Place
    properties: list[Property] = field(default_factory=list)
    origin: str = ""

    def find_all(self, key: str) -> list[Property]:
        """Return the properties with that key, in order; ``key`` is in lower case."""
        return [item for item in self.properties if item.key.lower() == key]

    def find(self, key: str) -> Property | None:
        """Return the first property with that key, which is the one that counts."""
        return next(iter(self.find_all(key)), None)

    def value(self, key: str) -> str:
        """Return the value of that key, or an empty text."""
        found = self.find(key)
        return found.value if found else ""

    @property
    def name(self) -> str:
        """The name of the parser or the plugin, or an empty text."""
        return self.value("name")

    def place_of(self, key: str) -> Place:
        """Return the place of that key, or of the section if it has no such key."""
        found = self.find(key)
        return found.place if found else self.place


@dataclass(slots=True)
class Configuration:
    """The sections that one Fluent Bit would load: one format, one set of files.

    Attributes:
        label: the configuration's name, for messages: one source may have several.
        sections: in the order of the files.
        variables: those that the configuration sets.
        missing: references to files that do not exist here; Fluent Bit's image may have them.
    """

    label: str
    sections: list[Section] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    missing: list[Property] = field(default_factory=list)

    def sections_of(self, kind: str) -> Iterator[Section]:
        """Yield the sections of a kind."""
        return (section for section in self.sections if section.kind == kind)

    def expand(self, text: str, environment: Mapping[str, str]) -> str:
        """Return the text with each ``${NAME}`` replaced; an unset variable is empty, as in Fluent Bit."""
        done, rest = "", text
        while True:
            before, opening, after = rest.partition("${")
            name, closing, behind = after.partition("}")
            if not opening or not closing:
                return done + rest
            done += before + self.variables.get(name, environment.get(name, ""))
            rest = behind


def read_switch(text: str) -> bool | None:
    """Return the value of an On/Off setting as Fluent Bit reads it, None if it is neither."""
    if text.lower() in ("true", "on", "yes"):
        return True
    return False if text.lower() in ("false", "off", "no") else None
