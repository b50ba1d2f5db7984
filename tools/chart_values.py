"""Generates the chart's schema, its ``files/rules.json`` and the table in its README from ``values.yaml``.

A comment above each key explains it, ``# Example:`` shows a value, and lines that begin with ``# @`` are
rules for the schema, or for ``files/rules.json`` (see ``chart_rules``):

``@enum A B``, ``@min N``, ``@max N``, ``@pattern REGEX``, ``@max-length N``  allowed values
``@must WORDS``   what a value must do to match ``@pattern``, for errors: ``be a host name``
``@items NAME``   the kind of a list's items, one of ITEMS
``@strings``      a mapping of any names to strings
``@scalars``      a mapping of any names to strings, numbers and booleans
``@open``         a mapping with keys of Kubernetes or of a parent chart
``@optional``     a key that may be set to null
``@like PATH``    a mapping with the keys of another mapping, all of them optional
``@removed NAMES`` keys that a mapping no longer has; a template rejects them, and names the fix

A key without a comment and an unknown directive are errors.
"""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tools.chart_rules import rules_text

__all__ = ["CHART", "Value", "flat", "read", "schema", "table", "with_table"]

CHART = Path(__file__).parents[1] / "charts" / "node-observability"
_BEGIN, _END = "<!-- values -->\n", "<!-- /values -->\n"
_LINE_BREAK = re.compile(r"\s*\n\s*")
_DIRECTIVES = (
    "enum",
    "min",
    "max",
    "pattern",
    "must",
    "max-length",
    "items",
    "strings",
    "scalars",
    "open",
    "optional",
    "like",
    "removed",
)

_NAME = {"type": "string"}
_SCALAR = {"type": ["string", "number", "boolean"]}
ITEMS: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "word": {"type": "string"},
    "object": {"type": "object"},
    "secretRef": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {"name": _NAME},
    },
    # Other charts of a parent chart may need plain names.
    "secretRefOrName": {
        "anyOf": [
            _NAME,
            {
                "type": "object",
                "additionalProperties": False,
                "required": ["name"],
                "properties": {"name": _NAME},
            },
        ],
    },
    "nodeExclusion": {
        "type": "object",
        "additionalProperties": False,
        "required": ["key", "values"],
        "properties": {
            "key": _NAME,
            "values": {"type": "array", "items": {"type": "string"}},
        },
    },
    "userParameter": {
        "type": "object",
        "additionalProperties": False,
        "required": ["key", "command"],
        "properties": {
            "key": _NAME,
            "command": _NAME,
        },
    },
    "envVar": {
        "type": "object",
        "additionalProperties": False,
        "required": ["name"],
        "properties": {
            "name": _NAME,
            "value": _SCALAR,
            "valueFrom": {"type": "object"},
        },
    },
}
"""Schemas of list items, by their name in ``@items``."""


@dataclass(frozen=True, slots=True)
class Value:
    """A key of ``values.yaml``; ``children`` are the keys below it that the schema lists."""

    path: tuple[str, ...]
    default: Any
    text: str
    example: str
    directives: dict[str, str]
    line: int
    children: "tuple[Value, ...]" = field(default=())

    @property
    def name(self) -> str:
        """The path with dots, as in ``--set``."""
        return ".".join(self.path)

    @property
    def is_open(self) -> bool:
        """Whether the schema does not list its keys."""
        return any(name in self.directives for name in ("open", "strings", "scalars", "like"))


def read(path: Path) -> tuple[Value, ...]:
    """Return the keys of a values file, nested.

    Raises:
        ValueError: a key has no comment, or an unknown directive; the text names file and line.
    """
    text = path.read_text()
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    assert isinstance(node, yaml.MappingNode)  # noqa: S101 - a values file is a mapping
    return tuple(_children(node, (), text.splitlines(), path, lenient=False))


def _children(
    node: yaml.MappingNode, above: tuple[str, ...], lines: list[str], path: Path, *, lenient: bool
) -> Iterator[Value]:
    for key_node, value_node in node.value:
        line = key_node.start_mark.line
        own = (*above, key_node.value)
        comment = _comment(lines, line)
        text, example, directives = _parsed(comment, f"{path.name}:{line + 1}")
        is_ours = isinstance(value_node, yaml.MappingNode) and bool(value_node.value)
        is_open = bool({"strings", "scalars", "open"} & directives.keys())
        if not (text or lenient or is_ours):
            raise ValueError(
                f"{path.name}:{line + 1}: {'.'.join(own)} has no comment; explain it above the key"
            )
        children: tuple[Value, ...] = ()
        if is_ours and not (
            {"strings", "scalars"} & directives.keys()
            or ("open" in directives and own != ("global",))
        ):
            children = tuple(
                _children(value_node, own, lines, path, lenient=is_open and own != ("global",))
            )
        default = yaml.SafeLoader("").construct_document(value_node)
        yield Value(own, default, text, example, directives, line + 1, children)


def _comment(lines: list[str], line: int) -> list[str]:
    found = []
    indent = len(lines[line]) - len(lines[line].lstrip())
    while line and lines[line - 1].startswith(" " * indent + "# "):
        line -= 1
        found.append(lines[line].strip()[2:])
    return found[::-1]


def _parsed(comment: list[str], place: str) -> tuple[str, str, dict[str, str]]:
    directives: dict[str, str] = {}
    prose: list[str] = []
    for line in comment:
        if line.startswith("@"):
            name, _, value = line[1:].partition(" ")
            if name not in _DIRECTIVES:
                raise ValueError(
                    f"{place}: @{name} is not a directive; use one of {', '.join(_DIRECTIVES)}"
                )
            directives[name] = value
        else:
            prose.append(line)
    text, _, example = "\n".join(prose).partition("Example: ")
    return _LINE_BREAK.sub(" ", text).strip(), _LINE_BREAK.sub(" ", example).strip(), directives


def flat(values: tuple[Value, ...]) -> Iterator[Value]:
    """Yield every key that has its own default, in the order of the file."""
    for value in values:
        if value.children:
            yield from flat(value.children)
        else:
            yield value


def schema(values: tuple[Value, ...]) -> dict[str, Any]:
    """Return the JSON schema (draft 7) of a values file, which allows unknown keys only below open keys."""
    by_name = {value.name: value for value in _all(values)}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Values of the chart node-observability",
        **_object(values, by_name),
    }


def _all(values: tuple[Value, ...]) -> Iterator[Value]:
    for value in values:
        yield value
        yield from _all(value.children)


def _object(
    values: tuple[Value, ...], by_name: dict[str, Value], removed: str = ""
) -> dict[str, Any]:
    properties = {value.path[-1]: _property(value, by_name) for value in values}
    properties |= {name: {"description": "Removed: see UPGRADING.md."} for name in removed.split()}
    # Helm removes keys that are null, and the templates need them.
    required = [value.path[-1] for value in values if "optional" not in value.directives]
    return {
        "type": "object",
        "additionalProperties": False,
        **({"required": required} if required else {}),
        "properties": properties,
    }


def _optional(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema with all keys optional."""
    result = {key: value for key, value in schema.items() if key != "required"}
    if "properties" in result:
        result["properties"] = {name: _optional(one) for name, one in result["properties"].items()}
    return result


def _property(value: Value, by_name: dict[str, Value]) -> dict[str, Any]:
    described = {"description": value.text} if value.text else {}
    if "like" in value.directives:
        like = by_name[value.directives["like"]]
        alike = _object(like.children, by_name, like.directives.get("removed", ""))
        return {**described, **_optional(alike)}
    if "strings" in value.directives:
        return {**described, "type": "object", "additionalProperties": {"type": "string"}}
    if "scalars" in value.directives:
        return {**described, "type": "object", "additionalProperties": _SCALAR}
    if value.children and not value.is_open:
        removed = value.directives.get("removed", "")
        return {**described, **_object(value.children, by_name, removed)}
    if "open" in value.directives:
        ours = _object(value.children, by_name) if value.children else {}
        if value.path != ("global",):
            ours = {key: part for key, part in ours.items() if key == "properties"}
        ours.pop("additionalProperties", None)
        return {**described, "type": "object", **ours}
    return {**described, **_scalar(value)}


def _scalar(value: Value) -> dict[str, Any]:
    directives = value.directives
    if isinstance(value.default, list):
        return {"type": "array", "items": ITEMS[directives.get("items", "string")]}
    if isinstance(value.default, bool):
        return {"type": "boolean"}
    if isinstance(value.default, int):
        return {"type": "integer"}
    result: dict[str, Any] = {"type": "string"}
    if "enum" in directives:
        result["enum"] = directives["enum"].split()
    return result


def table(values: tuple[Value, ...]) -> str:
    """Return the Markdown table of keys, defaults and explanations."""
    rows = ["| Key | Default | Description |", "|---|---|---|"]
    for value in _rows(values):
        default = json.dumps(value.default, ensure_ascii=False)
        example = f" Example: {value.example}" if value.example else ""
        cells = (f"`{value.name}`", f"`{default}`", value.text + example)
        rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(rows) + "\n"


def _rows(values: tuple[Value, ...]) -> Iterator[Value]:
    for value in values:
        if value.children and (not value.is_open or value.path == ("global",)):
            yield from _rows(value.children)
        else:
            yield value


def with_table(readme: str, values: tuple[Value, ...]) -> str:
    """Return the README with the table between its marks replaced."""
    before, _, rest = readme.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table(values)}{_END}{after}"


def schema_text(values: tuple[Value, ...]) -> str:
    """Return the text of ``values.schema.json``."""
    return json.dumps(schema(values), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all files."""
    try:
        values = read(CHART / "values.yaml")
    except ValueError as error:
        sys.exit(f"chart_values: {error}")
    (CHART / "values.schema.json").write_text(schema_text(values))
    (CHART / "files" / "rules.json").write_text(rules_text(values))
    readme = CHART / "README.md"
    readme.write_text(with_table(readme.read_text(), values))


if __name__ == "__main__":
    main()
