"""A Fluent Bit configuration as it is written: sections, their properties, and the place of each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from node_observability.inputs.places import Place

__all__ = [
    "Configuration",
    "Group",
    "Property",
    "Section",
    "kind_of",
    "read_switch",
    "spelled_kind",
]

# In the order in which Fluent Bit compares them: a header is the first one that it begins.
_KINDS = {
    "service": "service",
    "parser": "parser",
    "multiline_parser": "multiline_parser",
    "stream_processor": "stream_task",
    "plugins": "plugins",
    "upstream_servers": "upstream",
    "customs": "custom",
    "inputs": "input",
    "filters": "filter",
    "outputs": "output",
}
_MORE_KINDS = ("stream_task", "node")


def kind_of(name: str) -> str:
    """Return the kind of section that Fluent Bit takes a header for; empty if it ignores such sections."""
    wanted = name.lower()
    for full, kind in _KINDS.items():
        if wanted and full.startswith(wanted):
            return kind
    return wanted if wanted in _MORE_KINDS else ""


def spelled_kind(name: str) -> str:
    """Return the kind whose name is spelled out; empty for a shortened one such as ``[IN]``."""
    kind = kind_of(name)
    return kind if name.lower() in (kind, f"{kind}s", *_KINDS) else ""


@dataclass(frozen=True, slots=True)
class Property:
    """A key as it is written, its value as text, and its place."""

    key: str
    value: str
    place: Place


@dataclass(slots=True)
class Group:
    """A group within a section: a rule of a multiline parser, or a node of an upstream."""

    name: str
    place: Place
    properties: list[Property] = field(default_factory=list)

    def find(self, key: str) -> Property | None:
        """Return the first property with that key."""
        return next((item for item in self.properties if item.key.lower() == key), None)


@dataclass(slots=True)
class Section:
    """One section. A key may stand twice; upper and lower case of keys are the same.

    Attributes:
        kind: as ``kind_of`` names it; empty for a section that Fluent Bit ignores.
        title: the name in the header, as it is written.
        is_classic: whether it is from a file in the classic format.
        origin: the file, among those that Fluent Bit reads separately, that contains or includes the section.
    """

    kind: str
    place: Place
    properties: list[Property] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    title: str = ""
    is_classic: bool = False
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
        variable_places: where a YAML file sets them.
        missing: references to files that do not exist here; Fluent Bit's image may have them.
        has_service: whether the file that is being read, or one that it includes, has a YAML ``service``.
        ignored: what Fluent Bit ignores without a word: a command, a variable without a name.
        misnamed: commands that set a variable with a space in its name, which no ``${NAME}`` reads.
        yaml_only: what only YAML has, and the kit does not read: ``processors``, ``routes``, ….
    """

    label: str
    sections: list[Section] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    variable_places: dict[str, Place] = field(default_factory=dict)
    missing: list[Property] = field(default_factory=list)
    has_service: bool = False
    ignored: list[Property] = field(default_factory=list)
    misnamed: list[Property] = field(default_factory=list)
    yaml_only: list[Property] = field(default_factory=list)

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
