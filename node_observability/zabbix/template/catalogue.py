"""Reads the catalogue of log patterns, checks all of it, and tries every example.

Guarantees: what is returned can be rendered; an error lists every problem of the file, with its line.
Regular expressions are tried with Python's ``re``, while Zabbix uses PCRE: their common part is enough for
log lines. A backslash is refused, because Zabbix versions quote it differently when they import a template.
"""

import dataclasses
import re
import warnings
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import Final

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.files import label, read_text
from node_observability.inputs.yaml_nodes import compose_one

__all__ = ["SEVERITIES", "Pattern", "load", "parse"]

SEVERITIES: Final = {
    "information": "INFO",
    "warning": "WARNING",
    "average": "AVERAGE",
    "high": "HIGH",
    "disaster": "DISASTER",
}
"""The severities, least first, each with its name in a Zabbix template."""
_TEXTS: Final = ("id", "name", "severity", "regex", "description")
_LISTS: Final = ("matches", "not_matches")
_REQUIRED: Final = (*_TEXTS, *_LISTS)
_KEYS: Final = (*_REQUIRED, "threshold", "period")
_MIN_PERIOD_S: Final = 30  # of nodata()
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def _is_period(text: str) -> bool:
    found = re.fullmatch("([1-9][0-9]{0,8})([smhd])", text)
    return found is not None and int(found[1]) * _SECONDS[found[2]] >= _MIN_PERIOD_S


_RULES: Final[tuple[tuple[str, Callable[[str], object], str], ...]] = (
    (
        "id",
        re.compile("[a-z][a-z0-9]*(-[a-z0-9]+)*").fullmatch,
        "words of a-z and 0-9 joined by `-`",
    ),
    ("severity", SEVERITIES.__contains__, f"one of {', '.join(SEVERITIES)}"),
    (
        "threshold",
        re.compile("[1-9][0-9]{0,8}").fullmatch,
        "a whole number from 1 to 999999999",
    ),
    ("period", _is_period, "a time of at least 30s, such as 15m"),
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of line. ``threshold`` lines within ``period`` raise the trigger; None: the macro's value."""

    id: str
    name: str
    severity: str
    regex: str
    description: str
    matches: tuple[str, ...]
    not_matches: tuple[str, ...]
    threshold: int | None = None
    period: str | None = None


def load(name: str | Path | None = None) -> tuple[Pattern, ...]:
    """Return the patterns of a file, or the built-in ones; the string ``-`` is standard input.

    Raises:
        UsageError: with every problem of the file.
    """
    if name is None:
        text = resources.files(__package__).joinpath("catalogue.yaml").read_text("utf-8")
        return parse(text, "catalogue.yaml")
    return parse(read_text(name, fix="name a file of log patterns"), label(name))


def parse(text: str, source: str) -> tuple[Pattern, ...]:
    """Return the patterns of a text; ``source`` is its name in errors.

    Raises:
        UsageError: with every problem of the text.
    """
    problems: list[str] = []
    patterns: list[Pattern] = []
    lines: dict[str, int] = {}
    for node in _pattern_nodes(compose_one(text, source), source, problems):
        reader = _PatternReader(source, node)
        if found := list(reader.problems()):
            problems += found
            continue
        pattern = reader.pattern()
        first = lines.setdefault(pattern.id, reader.line)
        if first != reader.line:
            problems.append(
                f"{source}:{reader.line}: id `{pattern.id}` is used on line {first} too; give it another"
            )
        patterns.append(pattern)
    if not problems and not patterns:
        problems.append(f"{source}:1: no patterns; list at least one under `patterns`")
    if problems:
        raise UsageError(*problems)
    return tuple(patterns)


def _pattern_nodes(
    root: yaml.Node | None, source: str, problems: list[str]
) -> Iterator[yaml.MappingNode]:
    if not isinstance(root, yaml.MappingNode):
        problems.append(f"{source}:1: must be a mapping with the key `patterns`")
        return
    for key, value in root.value:
        at = f"{source}:{key.start_mark.line + 1}"
        if key.value != "patterns":
            problems.append(f"{at}: unknown key `{key.value}`; the only one is `patterns`")
        elif not isinstance(value, yaml.SequenceNode):
            problems.append(f"{at}: `patterns` must be a list")
        else:
            for node in value.value:
                if isinstance(node, yaml.MappingNode):
                    yield node
                else:
                    line = node.start_mark.line + 1
                    problems.append(f"{source}:{line}: a pattern must be a mapping")


class _PatternReader:
    """Reads the node of one pattern, which begins on ``line``."""

    def __init__(self, source: str, node: yaml.MappingNode) -> None:
        self.line = node.start_mark.line + 1
        self._source = source
        # Keys of YAML may be lists or mappings; as text they are unknown keys.
        self._keys = [str(key.value) for key, _ in node.value]
        self._nodes = {
            str(key.value): (key.start_mark.line + 1, value) for key, value in node.value
        }

    def pattern(self) -> Pattern:
        """Return the pattern, which has no problems."""
        threshold = self._text("threshold")
        return Pattern(
            **{name: self._text(name) for name in _TEXTS},
            matches=tuple(self._texts("matches")),
            not_matches=tuple(self._texts("not_matches")),
            threshold=int(threshold) if threshold else None,
            period=self._text("period") or None,
        )

    def problems(self) -> Iterator[str]:
        """Yield what is wrong, each with its line."""
        for key in self._keys:
            if key not in _KEYS:
                yield f"{self._at(key)}: unknown key `{key}`; known are {', '.join(_KEYS)}"
            elif self._keys.count(key) > 1:
                yield f"{self._at(key)}: `{key}` is given twice; keep one"
        missing = [name for name in _REQUIRED if name not in self._nodes]
        for name in missing:
            yield f"{self._at(name)}: a pattern needs `{name}`"
        if not missing:
            yield from self._value_problems()
            yield from self._regex_problems()

    def _value_problems(self) -> Iterator[str]:
        for name in _LISTS:
            node = self._nodes[name][1]
            for part in node.value if isinstance(node, yaml.SequenceNode) else ():
                if not isinstance(part, yaml.ScalarNode):  # such as a line with `: ` in it
                    at = f"{self._source}:{part.start_mark.line + 1}"
                    yield f"{at}: an entry of `{name}` is not a text; put the line in quotes"
            if not self._texts(name):
                yield f"{self._at(name)}: `{name}` must list at least one line"
        for name in _TEXTS:
            if not self._text(name).strip():
                yield f"{self._at(name)}: `{name}` must be a text"
        for name, is_valid, valid in _RULES:
            if name in self._nodes and not is_valid(self._text(name)):
                yield f"{self._at(name)}: {name} `{self._text(name)}` must be {valid}"

    def _regex_problems(self) -> Iterator[str]:
        regex, at = self._text("regex"), self._at("regex")
        if "\\" in regex:
            yield f"{at}: a regex must not contain a backslash (write [.] for a dot): `{regex}`"
            return
        if "{$" in regex or "{#" in regex:
            yield f"{at}: `{{$` and `{{#` begin a macro in Zabbix; write [{{][$]: `{regex}`"
            return
        try:
            with warnings.catch_warnings():
                # Such as "possible nested set", which PCRE may read in another way.
                warnings.simplefilter("error")
                compiled = re.compile(regex)
        except (re.error, FutureWarning) as error:
            yield f"{at}: the regex does not compile ({error}): `{regex}`"
            return
        for line in self._texts("matches"):
            if not compiled.search(line):
                yield f"{self._at('matches')}: the regex must match this line, but does not: `{line}`"
        for line in self._texts("not_matches"):
            if compiled.search(line):
                yield f"{self._at('not_matches')}: the regex must not match this line, but does: `{line}`"

    def _text(self, name: str) -> str:
        """Return a scalar's text, empty if the key is missing or has another value."""
        _, node = self._nodes.get(name, (0, None))
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _texts(self, name: str) -> list[str]:
        """Return the texts in a list, none if the key has another value."""
        node = self._nodes[name][1]
        if not isinstance(node, yaml.SequenceNode):
            return []
        return [str(part.value) for part in node.value if isinstance(part, yaml.ScalarNode)]

    def _at(self, name: str) -> str:
        return f"{self._source}:{self._nodes[name][0] if name in self._nodes else self.line}"
