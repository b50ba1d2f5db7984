"""The catalogue of log patterns: read, checked whole, every example tried.

Guarantees: what is returned can be rendered; every problem of a file is told at once, with its line.
Regexes are tried with Python's ``re``; Zabbix uses PCRE. What both understand alike is enough for log lines;
a backslash is refused, because Zabbix versions quote it differently when they import a template.
"""

import dataclasses
import re
import warnings
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import yaml

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.inputs.yaml_nodes import compose_one

__all__ = ["SEVERITIES", "Pattern", "load", "parse"]

# Ours: Zabbix' name in a template, least first.
SEVERITIES = {
    "information": "INFO",
    "warning": "WARNING",
    "average": "AVERAGE",
    "high": "HIGH",
    "disaster": "DISASTER",
}
_REQUIRED = ("id", "name", "severity", "regex", "description", "matches", "not_matches")
_OPTIONAL = ("threshold", "period")
_LISTS = ("matches", "not_matches")
_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_PERIOD = re.compile(r"[1-9][0-9]*[smhd]")
_MIN_PERIOD_S = 30  # nodata() knows no shorter one
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pattern:
    """One kind of line. ``threshold`` lines within ``period`` raise the trigger; both may be None: the
    macro's.
    """

    id: str
    name: str
    severity: str
    regex: str
    description: str
    matches: tuple[str, ...]
    not_matches: tuple[str, ...]
    threshold: int | None = None
    period: str | None = None


def load(path: Path | None = None) -> tuple[Pattern, ...]:
    """Return the patterns of a file, or our own.

    Raises:
        UsageError: with every problem of the file.

    """
    if path is None:
        text = resources.files(__package__).joinpath("catalogue.yaml").read_text("utf-8")
        return parse(text, "catalogue.yaml")
    return parse(read_text(path, fix="name a file of log patterns"), str(path))


def parse(text: str, source: str) -> tuple[Pattern, ...]:
    """Return the patterns of a text; ``source`` is how messages call it.

    Raises:
        UsageError: with every problem of the text.

    """
    problems: list[str] = []
    patterns = []
    for node in _pattern_nodes(compose_one(text, source), source, problems):
        found = _Reader(source, node).pattern(problems)
        if found is not None:
            patterns.append((node.start_mark.line + 1, found))
    seen: dict[str, int] = {}
    for line, pattern in patterns:
        if pattern.id in seen:
            problems.append(
                f"{source}:{line}: id `{pattern.id}` is used on line {seen[pattern.id]} too; give it another"
            )
        seen[pattern.id] = line
    if not problems and not patterns:
        problems.append(f"{source}:1: no patterns; list at least one under `patterns`")
    if problems:
        raise UsageError(*problems)
    return tuple(pattern for _, pattern in patterns)


def _pattern_nodes(
    root: yaml.Node | None, source: str, problems: list[str]
) -> Iterator[yaml.MappingNode]:
    if not isinstance(root, yaml.MappingNode):
        problems.append(f"{source}:1: must be a mapping with the key `patterns`")
        return
    for key, value in root.value:
        line = key.start_mark.line + 1
        if key.value != "patterns":
            problems.append(
                f"{source}:{line}: unknown key `{key.value}`; the only one is `patterns`"
            )
        elif not isinstance(value, yaml.SequenceNode):
            problems.append(f"{source}:{line}: `patterns` must be a list")
        else:
            for node in value.value:
                if isinstance(node, yaml.MappingNode):
                    yield node
                else:
                    line = node.start_mark.line + 1
                    problems.append(f"{source}:{line}: a pattern must be a mapping")


class _Reader:
    """Read one pattern's node."""

    def __init__(self, source: str, node: yaml.MappingNode) -> None:
        self._source = source
        self._line = node.start_mark.line + 1
        # Keys may be lists and mappings in YAML; str makes any of them one that is unknown.
        named = [(str(key.value), key.start_mark.line + 1, value) for key, value in node.value]
        self._nodes = {key: (line, value) for key, line, value in named}
        self._keys = [key for key, _, _ in named]

    def pattern(self, problems: list[str]) -> Pattern | None:
        found = list(self._problems())
        problems.extend(found)
        if found:
            return None
        threshold = self._text("threshold")
        return Pattern(
            **{name: self._text(name) for name in _REQUIRED if name not in _LISTS},
            matches=tuple(self._texts("matches")),
            not_matches=tuple(self._texts("not_matches")),
            threshold=int(threshold) if threshold else None,
            period=self._text("period") or None,
        )

    def _text(self, name: str) -> str:
        if name not in self._nodes:
            return ""
        node = self._nodes[name][1]
        return str(node.value) if isinstance(node, yaml.ScalarNode) else ""

    def _texts(self, name: str) -> list[str]:
        node = self._nodes[name][1]
        if not isinstance(node, yaml.SequenceNode):
            return []
        return [str(part.value) for part in node.value if isinstance(part, yaml.ScalarNode)]

    def _at(self, name: str) -> str:
        line = self._nodes[name][0] if name in self._nodes else self._line
        return f"{self._source}:{line}"

    def _problems(self) -> Iterator[str]:
        known = (*_REQUIRED, *_OPTIONAL)
        for key in self._keys:
            if key not in known:
                yield f"{self._at(key)}: unknown key `{key}`; known are {', '.join(known)}"
            elif self._keys.count(key) > 1:
                yield f"{self._at(key)}: `{key}` is given twice; keep one"
        missing = [name for name in _REQUIRED if name not in self._nodes]
        for name in missing:
            yield f"{self._at(name)}: a pattern needs `{name}`"
        if missing:
            return
        for name in _LISTS:
            yield from self._line_problems(name)
        for name in _REQUIRED:
            if name in _LISTS and not self._texts(name):
                yield f"{self._at(name)}: `{name}` must list at least one line"
            elif name not in _LISTS and not self._text(name).strip():
                yield f"{self._at(name)}: `{name}` must be a text"
        yield from self._scalar_problems()
        yield from self._regex_problems()

    def _line_problems(self, name: str) -> Iterator[str]:
        """Tell what YAML took for something else than a line: one with `: ` is a mapping unless quoted."""
        node = self._nodes[name][1]
        for part in node.value if isinstance(node, yaml.SequenceNode) else ():
            if not isinstance(part, yaml.ScalarNode):
                at = f"{self._source}:{part.start_mark.line + 1}"
                yield f"{at}: `{name}` holds something else than a text; put the line into quotes"

    def _scalar_problems(self) -> Iterator[str]:
        if not _ID.fullmatch(self._text("id")):
            yield f"{self._at('id')}: id `{self._text('id')}` must be words of a-z and 0-9 joined by `-`"
        if self._text("severity") not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            yield f"{self._at('severity')}: severity `{self._text('severity')}` is none of {known}"
        threshold = self._text("threshold")
        if "threshold" in self._nodes and not re.fullmatch("[1-9][0-9]*", threshold):
            yield f"{self._at('threshold')}: threshold `{threshold}` must be a whole number from 1"
        period = self._text("period")
        if "period" in self._nodes and not (
            _PERIOD.fullmatch(period) and int(period[:-1]) * _SECONDS[period[-1]] >= _MIN_PERIOD_S
        ):
            yield f"{self._at('period')}: period `{period}` must be a time of 30s or more, such as 15m"

    def _regex_problems(self) -> Iterator[str]:
        regex, at = self._text("regex"), self._at("regex")
        if "\\" in regex:
            yield f"{at}: a regex has no backslash here (write [.] for a dot): `{regex}`"
            return
        if "{$" in regex or "{#" in regex:
            yield f"{at}: `{{$` and `{{#` begin a macro in Zabbix; write [{{][$]: `{regex}`"
            return
        try:
            with warnings.catch_warnings():
                warnings.simplefilter(
                    "error"
                )  # such as "possible nested set": PCRE may read it otherwise
                compiled = re.compile(regex)
        except (re.error, FutureWarning) as error:
            yield f"{at}: the regex does not compile ({error}): `{regex}`"
            return
        for line in self._texts("matches"):
            if not compiled.search(line):
                yield f"{self._at('matches')}: the regex must match, and does not: `{line}`"
        for line in self._texts("not_matches"):
            if compiled.search(line):
                yield f"{self._at('not_matches')}: the regex must not match, and does: `{line}`"
