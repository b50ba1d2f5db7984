"""Builds parsers from what a configuration says; what Fluent Bit would refuse to start with is an error here.

Guarantees every problem at once, each with file, line and fix. What Fluent Bit accepts and the kit does
not model is no error until somebody asks for that parser.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node_observability.errors import UsageError
from node_observability.parsers.configuration.sections import Configuration, Place, Section, is_on
from node_observability.parsers.model.multiline import MultilineParser, built_in
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.model.types import read_types
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import PatternError, UnmodelledError
from node_observability.parsers.times.time_format import TimeFormat, TimeOffsetError, offset_seconds

__all__ = ["BUILT_IN_MULTILINE", "FORMATS", "Definitions", "build"]

FORMATS = ("regex", "json", "ltsv", "logfmt")
BUILT_IN_MULTILINE = ("cri", "docker", "go", "java", "python", "ruby")
_MULTILINE_TYPES = ("regex", "endswith", "equal", "eq")


@dataclass(slots=True)
class Definitions:
    """The parsers of one configuration, by name; of two with one name the first counts.

    Fluent Bit compares the names of multiline parsers without regard to case, and its own are there first:
    those stand in small letters in ``multiline``. ``unmodelled`` says of a parser why it can't be run here.
    """

    label: str
    parsers: dict[str, Parser] = field(default_factory=dict)
    multiline: dict[str, MultilineParser] = field(default_factory=built_in)
    unmodelled: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def parser(self, name: str) -> Parser:
        """Return the parser of that name.

        Raises:
            UsageError: there is none, or it can't be run here.
        """
        if name in self.parsers:
            return self.parsers[name]
        raise self._unknown(name, "parser", self.parsers)

    def multiline_parser(self, name: str) -> MultilineParser:
        """Return the multiline parser of that name, the built-in ``cri`` and ``docker`` among them.

        Raises:
            UsageError: there is none, or it can't be run here.
        """
        wanted = name.lower()
        if wanted in self.multiline:
            return self.multiline[wanted]
        if wanted in BUILT_IN_MULTILINE:
            raise UsageError(f"the multiline parser {name} is of type regex, which is not modelled")
        known = next((known for known in self.unmodelled if known.lower() == wanted), name)
        raise self._unknown(known, "multiline parser", self.multiline)

    def _unknown(self, name: str, what: str, known: Mapping[str, object]) -> UsageError:
        if name in self.unmodelled:
            return UsageError(f"{self.places[name]}: {self.unmodelled[name]}")
        names = ", ".join(sorted(known)) or "none"
        return UsageError(f"{self.label}: there is no {what} {name}; defined: {names}")


class _Broken(Exception):  # noqa: N818 - it never leaves this module
    """One problem of one section."""

    def __init__(self, place: Place, text: str) -> None:
        super().__init__(f"{place}: {text}")


class _Unmodelled(Exception):  # noqa: N818 - likewise
    """Fluent Bit has it, the kit has not."""


def build(configuration: Configuration, environment: Mapping[str, str]) -> Definitions:
    """Return the parsers of a configuration; ``environment`` is what ``${NAME}`` stands for.

    Raises:
        UsageError: with every section that Fluent Bit would refuse.
    """
    found = Definitions(configuration.label)
    problems: list[str] = []
    builder = _Builder(configuration, environment, found)
    for kind, add in (("parser", builder.add_parser), ("multiline_parser", builder.add_multiline)):
        for section in configuration.of(kind):
            name = builder.text(section, "name")
            if not name:
                problems.append(f"{section.place}: a {kind} without a Name; give it one")
                continue
            try:
                found.places.setdefault(name, section.place)
                add(section, name)
            except _Broken as problem:
                problems.append(str(problem))
            except _Unmodelled as reason:
                found.unmodelled.setdefault(name, f"{name}: {reason}")
    if problems:
        raise UsageError(*problems)
    return found


class _Builder:
    def __init__(
        self, configuration: Configuration, environment: Mapping[str, str], found: Definitions
    ) -> None:
        self._configuration = configuration
        self._environment = environment
        self._found = found
        # By file: the parser of the last multiline parser that named one.
        self._above: dict[str, str] = {}
        self._multiline_names = set(BUILT_IN_MULTILINE)

    def text(self, section: Section, key: str) -> str:
        return self._configuration.expanded(section.value(key), self._environment)

    def switch(self, section: Section, key: str, default: bool) -> bool:  # noqa: FBT001
        text = self.text(section, key)
        # What is neither yes nor no is -1 in Fluent Bit, which counts as yes.
        return default if not text else is_on(text) is not False

    def add_parser(self, section: Section, name: str) -> None:
        form = self.text(section, "format").lower()
        if form not in FORMATS:
            known = ", ".join(FORMATS)
            text = f"unknown Format {form!r}" if form else "no Format"
            raise _Broken(
                section.place_of("format"), f"parser {name} has {text}; it can be {known}"
            )
        pattern = self._pattern(section, name) if form == "regex" else None
        time_format = self._time_format(section, name)
        if form not in ("regex", "json"):
            raise _Unmodelled(f"Format {form} is not modelled; regex and json are")
        for item in section.properties:
            key = item.key.lower()
            if key.startswith("decode_field"):
                raise _Unmodelled(f"{item.key} is not modelled")
            if key in ("time_zone", "time_system_timezone") and is_on(item.value) is not False:
                raise _Unmodelled(f"{item.key} is not modelled; Time_Offset is")
        self._found.parsers.setdefault(
            name,
            Parser(
                name=name,
                pattern=pattern,
                time_format=time_format,
                time_key=self.text(section, "time_key") or "time",
                time_keep=self.switch(section, "time_keep", default=False),
                time_strict=self.switch(section, "time_strict", default=True),
                skip_empty_values=self.switch(section, "skip_empty_values", default=True),
                casts=read_types(self.text(section, "types"))[0],
            ),
        )

    def _pattern(self, section: Section, name: str) -> Pattern:
        text = self.text(section, "regex")
        place = section.place_of("regex")
        if not text:
            raise _Broken(place, f"parser {name} has Format regex and no Regex; add one")
        try:
            return Pattern(text)
        except UnmodelledError as error:
            raise _Unmodelled(f"its Regex: {error}") from None
        except PatternError as error:
            raise _Broken(place, f"parser {name} has a broken Regex: {error}") from None

    def _time_format(self, section: Section, name: str) -> TimeFormat | None:
        form = self.text(section, "time_format")
        if not form:
            return None
        offset = self.text(section, "time_offset")
        try:
            return TimeFormat(form, offset_seconds(offset) if offset else None)
        except TimeOffsetError as error:
            raise _Broken(
                section.place_of("time_offset"), f"parser {name}: Time_Offset {error}"
            ) from None

    def add_multiline(self, section: Section, name: str) -> None:
        kind = self.text(section, "type").lower()
        if kind not in _MULTILINE_TYPES:
            text = f"unknown Type {kind!r}" if kind else "no Type"
            known = ", ".join(_MULTILINE_TYPES)
            place = section.place_of("type")
            raise _Broken(place, f"multiline parser {name} has {text}; it can be {known}")
        inner = self._inner(section)
        is_first = name.lower() not in self._multiline_names
        self._multiline_names.add(name.lower())
        if kind == "regex":
            raise _Unmodelled(
                "multiline parsers of type regex are not modelled; equal and endswith are"
            )
        if inner and inner not in self._found.parsers:
            if inner in self._found.unmodelled:
                raise _Unmodelled(self._found.unmodelled[inner])
            place = section.place_of("parser")
            raise _Broken(
                place, f"multiline parser {name} names the parser {inner}, which nobody defines"
            )
        if not is_first:
            return
        self._found.multiline[name.lower()] = MultilineParser(
            name=name,
            is_equal=kind != "endswith",
            match=self.text(section, "match_string").encode(),
            negate=self.switch(section, "negate", default=False),
            key_content=self.text(section, "key_content") or None,
            key_pattern=self.text(section, "key_pattern") or None,
            key_group=self.text(section, "key_group") or None,
            parser=self._found.parsers.get(inner),
        )

    def _inner(self, section: Section) -> str:
        # Fluent Bit 5.1 does not forget the parser from one section of a file to the next.
        inner = self.text(section, "parser") or self._above.get(section.origin, "")
        self._above[section.origin] = inner
        return inner
