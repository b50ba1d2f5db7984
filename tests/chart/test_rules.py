"""Every rule for a single value refuses what breaks it, and names the value and the fix."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart.changes import tree
from tests.support.helm import CHART, RenderError, render_text

RULES: list[dict[str, Any]] = json.loads((CHART / "files" / "rules.json").read_text())
TEXTS = ["", "!", "a b", "a\nb"]
ITEMS: dict[str, dict[str, object]] = {
    "userParameters": {"key": "a", "command": "b"},
    "extraEnv": {"name": "A", "value": "b"},
    "exclude": {"key": "a", "values": ["b"]},
    "imagePullSecrets": {"name": "a"},
}
"""Valid items of the lists whose items are mappings."""


def broken(rule: dict[str, Any]) -> object:
    """Return a value that breaks a rule, just so if it is a limit."""
    if "min" in rule:
        return rule["min"] - 1
    if "maxLength" in rule:
        return "a" * (rule["maxLength"] + 1)
    text = next(text for text in TEXTS if not re.search(rule["pattern"], text))
    if not rule.get("items"):
        return text
    return [{**ITEMS[rule["path"][-1]], rule["key"]: text} if rule["key"] else text]


def wanted(rule: dict[str, Any]) -> str:
    name = ".".join(rule["path"])
    if "min" in rule:
        return f"{name} is {rule['min'] - 1}, but must be at least {rule['min']}; raise it"
    if "maxLength" in rule:
        return f"characters; shorten it to at most {rule['maxLength']}"
    return f", but must {rule['must']}"


def refusal(name: str, value: object, directory: Path) -> str:
    path = directory / f"{abs(hash((name, str(value))))}.json"
    path.write_text(json.dumps(tree(name, value)))
    with pytest.raises(RenderError) as caught:
        render_text(path)
    return " ".join(str(caught.value).split())


def test_every_rule_refuses_what_breaks_it_with_the_fix(tmp_path: Path) -> None:
    def problem(rule: dict[str, Any]) -> str:
        name = ".".join(rule["path"])
        found = refusal(name, broken(rule), tmp_path)
        return "" if name in found and wanted(rule) in found else f"{name}: {found}"

    with ThreadPoolExecutor(4) as pool:
        assert [found for found in pool.map(problem, RULES) if found] == []
    assert len(RULES) > 100


def test_every_upper_limit_refuses_the_next_number(tmp_path: Path) -> None:
    limited = [rule for rule in RULES if "max" in rule]

    def problem(rule: dict[str, Any]) -> str:
        name, limit = ".".join(rule["path"]), rule["max"]
        found = refusal(name, limit + 1, tmp_path)
        text = f"{name} is {limit + 1}, but must be at most {limit}; lower it"
        return "" if text in found else f"{name}: {found}"

    with ThreadPoolExecutor(4) as pool:
        assert [found for found in pool.map(problem, limited) if found] == []
    assert len(limited) > 8
