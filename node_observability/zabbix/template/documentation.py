"""Writes ``zabbix/README.md``, which lists the parts of the template; pure."""

from collections.abc import Iterable, Iterator
from typing import Any

import yaml

from node_observability.zabbix.template.catalogue import Pattern
from node_observability.zabbix.template.render import TEMPLATE

__all__ = ["render"]

_HEAD = f"""# {TEMPLATE}

The template for Zabbix 6.0 and later. Import [{{name}}]({{name}}), or run
`node-observability zabbix apply`, which also sets up auto-registration. How it works and how to change
it: [the Zabbix page](../docs/reference/zabbix.md).

`node-observability zabbix render` writes both files, so edit their sources instead (`make goldens`).
"""
NAME = "bottlerocket-node-by-zabbix-agent-active.yaml"


def render(template: str, patterns: Iterable[Pattern]) -> str:
    """Return the page, in Markdown, for a rendered template and the patterns that it was made from."""
    export = yaml.safe_load(template)["zabbix_export"]
    body = export["templates"][0]
    parts = [
        _HEAD.format(name=NAME),
        _table("Macros", ("Macro", "Default", "Meaning"), _macros(body)),
        _table("Log patterns", ("Pattern", "Severity", "Regex", "Meaning"), _patterns(patterns)),
        _table("Items", ("Item", "Key", "Type"), _items(body["items"])),
        _table("Triggers", ("Trigger", "Severity", "Expression"), _triggers(export, body)),
    ]
    for rule in body["discovery_rules"]:
        prototypes = rule["item_prototypes"]
        parts.append(
            f"## Discovery: {rule['name']}\n\n`{rule['key']}`. {rule['description']}\n\n"
            + _rows(("Item", "Key", "Type"), _items(prototypes))
        )
    return "\n".join(parts)


def _macros(body: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - YAML
    for macro in body["macros"]:
        yield _code(macro["macro"]), _code(macro["value"]), macro["description"]


def _patterns(patterns: Iterable[Pattern]) -> Iterator[tuple[str, ...]]:
    for pattern in patterns:
        yield (
            f"{pattern.name} (`{pattern.id}`)",
            pattern.severity,
            _code(pattern.regex),
            pattern.description,
        )


def _items(items: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - YAML
    for item in items:
        yield item["name"], _code(item["key"]), item["type"].lower().replace("_", " ")


def _triggers(export: Any, body: Any) -> Iterator[tuple[str, ...]]:  # noqa: ANN401 - YAML
    found = [trigger for item in body["items"] for trigger in item.get("triggers", [])]
    found += export["triggers"]
    for rule in body["discovery_rules"]:
        for item in rule["item_prototypes"]:
            found += item.get("trigger_prototypes", [])
    for trigger in found:
        expression = trigger["expression"].replace(f"/{TEMPLATE}/", "//")
        yield trigger["name"], trigger["priority"].lower(), _code(expression)


def _table(title: str, head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    return f"## {title}\n\n{_rows(head, rows)}"


def _rows(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines) + "\n"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _code(text: str) -> str:
    """Return code for a cell of a table, which an unescaped bar would end."""
    return f"`{text}`".replace("|", "\\|")
