"""Builds the parsers that a configuration defines; what Fluent Bit would refuse to start with is an error.

Guarantees that all problems are reported at once, each with file, line and fix. A parser that Fluent Bit
accepts and the kit does not support is an error only when it is asked for.
"""

import zoneinfo
from collections.abc import Mapping
from dataclasses import dataclass, field

from node_observability.errors import MalformedError, UsageError
from node_observability.hints import close_to
from node_observability.inputs.places import Place
from node_observability.parsers.configuration.sections import Configuration, Section, read_switch
from node_observability.parsers.model.multiline import MultilineParser, built_in_parsers
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.model.rules import check_rules
from node_observability.parsers.model.types import parse_types
from node_observability.parsers.regex.pattern import Pattern
from node_observability.parsers.regex.syntax_tree import PatternError, UnsupportedError
from node_observability.parsers.times.time_format import (
    TimeFormat,
    TimeOffsetError,
    parse_time_offset,
)

__all__ = ["BUILT_IN_MULTILINE", "Definitions", "build"]

BUILT_IN_MULTILINE = ("cri", "docker", "go", "java", "python", "ruby")
_FORMATS = ("regex", "json", "ltsv", "logfmt")
_MULTILINE_TYPES = ("regex", "endswith", "equal", "eq")


@dataclass(slots=True)
class Definitions:
    """The parsers of one configuration, by name. If two have the same name, the first counts.

    Attributes:
        label: the configuration's name, for messages.
        multiline: by name in lower case, since Fluent Bit ignores case here; its built-in ones come first.
        unsupported: for each parser that can't be run here, the reason.
        places: where each parser is defined.
    """

    label: str
    parsers: dict[str, Parser] = field(default_factory=dict)
    multiline: dict[str, MultilineParser] = field(default_factory=built_in_parsers)
    unsupported: dict[str, str] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)

    def parser(self, name: str) -> Parser:
        """Return the parser of that name.

        Raises:
            UsageError: it is not defined, or not supported.
        """
        if name in self.parsers:
            return self.parsers[name]
        raise self._error(name, "parser", self.parsers)

    def multiline_parser(self, name: str) -> MultilineParser:
        """Return the multiline parser of that name, which may be the built-in ``cri`` or ``docker``.

        Raises:
            UsageError: it is not defined, or not supported.
        """
        wanted = name.lower()
        if wanted in self.multiline:
            return self.multiline[wanted]
        if wanted in BUILT_IN_MULTILINE:
            raise UsageError(f"the multiline parser {name} is not supported: it has Type regex")
        known = next((known for known in self.unsupported if known.lower() == wanted), name)
        raise self._error(known, "multiline parser", self.multiline)

    def _error(self, name: str, kind: str, defined: Mapping[str, object]) -> UsageError:
        if name in self.unsupported:
            return self.places[name].error(f"can't run {name}: {self.unsupported[name]}")
        names = ", ".join(sorted(defined)) or "none"
        return UsageError(f"{self.label}: unknown {kind} {name}; defined: {names}")


class _UnsupportedSectionError(Exception):
    """Fluent Bit accepts the section, but the kit does not support it."""


def build(configuration: Configuration, environment: Mapping[str, str]) -> Definitions:
    """Return the parsers of a configuration; ``environment`` has the values of ``${NAME}``.

    Raises:
        MalformedError: Fluent Bit would refuse sections; the error names each of them.
    """
    definitions = Definitions(configuration.label)
    problems: list[str] = []
    builder = _Builder(configuration, environment, definitions)
    for kind, add in (("parser", builder.add_parser), ("multiline_parser", builder.add_multiline)):
        for section in configuration.sections_of(kind):
            name = builder.value(section, "name")
            try:
                if not name:
                    raise section.place.error(f"this {kind} has no Name; add one")
                definitions.places.setdefault(name, section.place)
                add(section, name)
            except MalformedError as error:
                problems += error.problems
            except _UnsupportedSectionError as reason:
                definitions.unsupported.setdefault(name, str(reason))
    if problems:
        raise MalformedError(*problems)
    return definitions


class _Builder:
    """Adds the sections of a configuration to its definitions, in their order."""

    def __init__(
        self, configuration: Configuration, environment: Mapping[str, str], into: Definitions
    ) -> None:
        self._configuration = configuration
        self._environment = environment
        self._into = into
        # By file: the parser of the last multiline parser that named one.
        self._last_parser: dict[str, str] = {}
        self._multiline_names = set(BUILT_IN_MULTILINE)

    def value(self, section: Section, key: str) -> str:
        """Return a value with its variables expanded."""
        return self._configuration.expand(section.value(key), self._environment)

    def _switch(self, section: Section, key: str, *, default: bool) -> bool:
        text = self.value(section, key)
        # Fluent Bit reads any other text as -1, which counts as On.
        return default if not text else read_switch(text) is not False

    def add_parser(self, section: Section, name: str) -> None:
        """Add a ``[PARSER]``."""
        source_format = self._one_of(section, "format", _FORMATS, f"parser {name}")
        pattern = self._pattern(section, name) if source_format == "regex" else None
        time_format = self._time_format(section, name)
        self._check_zone(section, name)
        if source_format not in ("regex", "json"):
            raise _UnsupportedSectionError(
                f"Format {source_format} is not supported; regex and json are"
            )
        for item in section.properties:
            key = item.key.lower()
            if key.startswith("decode_field"):
                raise _UnsupportedSectionError(f"{item.key} is not supported")
            is_zone = key in ("time_zone", "time_system_timezone")
            if is_zone and read_switch(item.value) is not False:
                raise _UnsupportedSectionError(f"{item.key} is not supported; Time_Offset is")
        self._into.parsers.setdefault(
            name,
            Parser(
                name=name,
                pattern=pattern,
                time_format=time_format,
                time_key=self.value(section, "time_key") or "time",
                time_keep=self._switch(section, "time_keep", default=False),
                time_strict=self._switch(section, "time_strict", default=True),
                skip_empty_values=self._switch(section, "skip_empty_values", default=True),
                casts=parse_types(self.value(section, "types"))[0],
            ),
        )

    def _one_of(self, section: Section, key: str, known: tuple[str, ...], what: str) -> str:
        text = self.value(section, key).lower()
        if text in known:
            return text
        title = key.capitalize()
        problem = f"{what}: unknown {title} {text!r}" if text else f"{what} has no {title}"
        raise section.place_of(key).error(f"{problem}; use one of {', '.join(known)}")

    def _pattern(self, section: Section, name: str) -> Pattern:
        text = self.value(section, "regex")
        place = section.place_of("regex")
        if not text:
            raise place.error(f"parser {name} has Format regex but no Regex; add one")
        try:
            return Pattern(text)
        except UnsupportedError as error:
            raise _UnsupportedSectionError(f"its Regex: {error}") from None
        except PatternError as error:
            raise place.error(f"parser {name} has an invalid Regex: {error}") from None

    def _time_format(self, section: Section, name: str) -> TimeFormat | None:
        source = self.value(section, "time_format")
        if not source:
            return None
        offset = self.value(section, "time_offset")
        try:
            return TimeFormat(source, parse_time_offset(offset) if offset else None)
        except TimeOffsetError as error:
            place = section.place_of("time_offset")
            raise place.error(f"parser {name}: Time_Offset {error}") from None

    def _check_zone(self, section: Section, name: str) -> None:
        zone, item = self.value(section, "time_zone"), section.place_of("time_zone")
        if not zone:
            return
        if not section.value("time_format"):
            raise item.error(f"parser {name}: Time_Zone needs a Time_Format; add one")
        for key in ("time_offset", "time_system_timezone"):
            other = section.find(key)
            if other and read_switch(other.value) is not False:
                raise item.error(f"parser {name}: Time_Zone and {other.key} exclude each other")
        known = zoneinfo.available_timezones()
        if known and zone not in known:
            hint = close_to(zone, known)
            raise item.error(f"parser {name}: unknown Time_Zone {zone}{hint}")

    def add_multiline(self, section: Section, name: str) -> None:
        """Add a ``[MULTILINE_PARSER]``."""
        kind = self._one_of(section, "type", _MULTILINE_TYPES, f"multiline parser {name}")
        inner = self._inner_parser_name(section)
        is_first = name.lower() not in self._multiline_names
        self._multiline_names.add(name.lower())
        if kind == "regex":
            check_rules(section, name)
            raise _UnsupportedSectionError("Type regex is not supported; equal and endswith are")
        if inner and inner not in self._into.parsers:
            reason = self._into.unsupported.get(inner, "it is not defined")
            raise _UnsupportedSectionError(f"its Parser {inner}: {reason}")
        if not is_first:
            return
        self._into.multiline[name.lower()] = MultilineParser(
            name=name,
            is_equal=kind != "endswith",
            match=self.value(section, "match_string").encode(),
            negate=self._switch(section, "negate", default=False),
            key_content=self.value(section, "key_content") or None,
            key_pattern=self.value(section, "key_pattern") or None,
            key_group=self.value(section, "key_group") or None,
            parser=self._into.parsers.get(inner),
        )

    def _inner_parser_name(self, section: Section) -> str:
        # Fluent Bit 5.1 keeps the parser of the section above, within one file.
        inner = self.value(section, "parser") or self._last_parser.get(section.origin, "")
        self._last_parser[section.origin] = inner
        return inner
