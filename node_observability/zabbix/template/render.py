"""Renders the template that Zabbix imports, as YAML, from the Jinja2 source, the catalogue and the macros.

Guarantees: the same input gives the same bytes; every value is quoted for YAML; every UUID is unique. The
schema version is 6.0, which Zabbix 6.0 and later import (their frontends convert it).
"""

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources

import jinja2
import yaml

from node_observability.errors import UsageError
from node_observability.zabbix.template.catalogue import SEVERITIES, Pattern
from node_observability.zabbix.template.identities import Identities, committed

__all__ = ["TEMPLATE", "Macro", "macros", "render", "with_values"]

TEMPLATE = "Bottlerocket node by Zabbix agent active"

# Preprocessing of discovered file systems: keeps those below the mounted host root, by their names on the
# host.
_FILE_SYSTEMS = """\
var root = '{$NODEOBS.HOST.ROOT}';
while (root.slice(-1) === '/') { root = root.slice(0, -1); }
return JSON.stringify(JSON.parse(value).filter(function (f) {
    return f['{#FSNAME}'] === root || f['{#FSNAME}'].indexOf(root + '/') === 0;
}).map(function (f) {
    return {'{#FSPATH}': f['{#FSNAME}'], '{#FSNAME}': f['{#FSNAME}'].slice(root.length) || '/', '{#FSTYPE}': f['{#FSTYPE}']};
}));"""  # noqa: E501 - a line of JavaScript
# Preprocessing of /proc/diskstats, whose third column is the name.
_DISKS = """\
return JSON.stringify(value.split(String.fromCharCode(10)).map(function (line) {
    return line.split(' ').filter(function (word) { return word !== ''; });
}).filter(function (words) { return words.length > 3; }).map(function (words) {
    return {'{#DEVNAME}': words[2]};
}));"""
_GRAPHS = (
    ("CPU", [f"system.cpu.util[,{mode}]" for mode in ("user", "system", "iowait", "steal")]),
    ("Load", [f"system.cpu.load[all,avg{minutes}]" for minutes in (1, 5, 15)]),
    ("Memory", ["vm.memory.size[total]", "vm.memory.size[available]"]),
    ("Pressure", [f"nodeobs.pressure[{resource}]" for resource in ("cpu", "memory", "io")]),
    ("Exporter: lines", ["nodeobs.exporter.entries.read", "nodeobs.exporter.lines.written"]),
    ("Exporter: lag", ["nodeobs.exporter.lag", "nodeobs.exporter.checkpoint.age"]),
)
_MACRO_NAME = re.compile(r'[{][$][A-Z0-9_.]+(:(?:"[^"\\]+"|[^"}\\]+))?[}]')


_KINDS = {
    "text": (re.compile("(?s).*"), "a text"),
    "time": (re.compile("[0-9]{1,15}[smhdw]?"), "a time such as 30m or 7d"),
    "number": (re.compile("-?[0-9]{1,15}([.][0-9]{1,15})?[KMGT]?"), "a number"),
    "count": (re.compile("[0-9]{1,15}"), "a whole number"),
    "mode": (re.compile("all|skip"), "all or skip"),
    "directory": (re.compile("/.*"), "an absolute path"),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Macro:
    """A user macro of the template; ``kind`` is one of ``_KINDS``."""

    name: str
    value: str
    description: str
    kind: str = "text"


def macros(patterns: Iterable[Pattern]) -> tuple[Macro, ...]:
    """Return the template's macros, including the thresholds and periods of single patterns."""
    text = resources.files(__package__).joinpath("macros.yaml").read_text("utf-8")
    found = [Macro(**entry) for entry in yaml.safe_load(text)]
    for pattern in patterns:
        for area, value in (("PERIOD", pattern.period), ("THRESHOLD", pattern.threshold)):
            if value is not None:
                name = f'{{$NODEOBS.LOG.{area}:"{pattern.id}"}}'
                found.append(Macro(name=name, value=str(value), description=pattern.name + "."))
    return tuple(sorted(found, key=lambda macro: macro.name))


def with_values(known: Sequence[Macro], values: Mapping[str, str]) -> tuple[Macro, ...]:
    """Return the macros with other values; a macro with a context may be new.

    Raises:
        UsageError: the template has no such macro, or the value is not of its kind.
    """
    by_name = {macro.name: macro for macro in known}
    problems = []
    for name, value in values.items():
        base = re.sub(r":.*[}]$", "}", name)
        if not _MACRO_NAME.fullmatch(name) or base not in by_name:
            problems.append(
                f"--macro {name}={value}: the template has no such macro; zabbix/README.md lists them"
            )
            continue
        kind = by_name[base].kind
        is_valid, valid = _KINDS[kind]
        # Another macro may hold the value.
        if not is_valid.fullmatch(value) and "{$" not in value:
            problems.append(f"--macro {name}: `{value}` must be {valid}")
            continue
        text = by_name[name].description if name in by_name else by_name[base].description
        by_name[name] = Macro(name=name, value=value, description=text, kind=kind)
    if problems:
        raise UsageError(*problems)
    return tuple(sorted(by_name.values(), key=lambda macro: macro.name))


def render(
    patterns: Sequence[Pattern],
    values: Sequence[Macro] | None = None,
    identities: Identities | None = None,
) -> str:
    """Return the template's YAML; ``values`` defaults to ``macros(patterns)``."""
    environment = jinja2.Environment(  # noqa: S701 - it is YAML, and `quoted` quotes
        loader=jinja2.PackageLoader("node_observability.zabbix.template", "."),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        comment_start_string="{##",  # {# is a macro of Zabbix' discovery
        comment_end_string="##}",
    )
    environment.filters["quoted"] = _quoted
    found = [severity for severity in SEVERITIES if any(p.severity == severity for p in patterns)]
    counts = [f"nodeobs.log.count[{severity}]" for severity in found]
    return environment.get_template("template.yaml.j2").render(
        patterns=patterns,
        severities=SEVERITIES,
        macros=macros(patterns) if values is None else values,
        uuid=Identities(committed()) if identities is None else identities,
        count_formula=_count_formula,
        FILE_SYSTEMS=_FILE_SYSTEMS,
        DISKS=_DISKS,
        GRAPHS=(*_GRAPHS, ("Host log: lines by severity", counts)),
    )


def _quoted(value: str) -> str:
    """Return the text as a quoted YAML scalar on one line."""
    return yaml.safe_dump(value, default_style='"', width=10**6, allow_unicode=True).strip()


def _count_formula(patterns: Iterable[Pattern]) -> str:
    return "+".join(f"count(//nodeobs.log.match[{pattern.id}],1h)" for pattern in patterns)
