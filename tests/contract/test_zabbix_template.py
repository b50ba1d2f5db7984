"""The checked-in Zabbix template: rendered from its sources, and agreeing with the exporter."""

import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import yaml

from journal_exporter.monitoring.metrics import METRICS, PREFIX
from node_observability.zabbix.template import catalogue, documentation, render
from node_observability.zabbix.template.identities import Identities, committed

PATTERNS = catalogue.load()
EXPORT = yaml.safe_load(render.render(PATTERNS))["zabbix_export"]
TEMPLATE = EXPORT["templates"][0]
# Of these an item would say nothing that another does not: how a start went, and the checkpoint's age
# has an item.
_WITHOUT_ITEM = {"recoveries", "checkpoint_timestamp_seconds"}


def test_every_part_of_the_template_has_a_committed_uuid(
    golden: Callable[[str, str], None],
) -> None:
    identities, known = Identities({}), committed()
    render.render(PATTERNS, identities=identities)
    text = "# Made once for each part of the template, by `make goldens`, and never changed.\n"
    for name in identities.used:
        text += yaml.safe_dump({name: known.get(name) or uuid.uuid4().hex}, width=10**6)
    golden("../../node_observability/zabbix/template/uuids.yaml", text)


def test_the_template_is_what_its_sources_render(golden: Callable[[str, str], None]) -> None:
    golden(f"../../zabbix/{documentation.NAME}", render.render(PATTERNS))


def test_the_page_of_the_template_lists_what_is_in_it(golden: Callable[[str, str], None]) -> None:
    golden("../../zabbix/README.md", documentation.render(render.render(PATTERNS), PATTERNS))


def _values(tree: Any, key: str) -> Iterator[str]:  # noqa: ANN401 - YAML
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == key:
                yield value
            yield from _values(value, key)
    elif isinstance(tree, list):
        for value in tree:
            yield from _values(value, key)


def test_uuids_are_unique_and_of_the_form_that_the_server_checks() -> None:
    found = list(_values(EXPORT, "uuid"))
    assert [name for name, count in Counter(found).items() if count > 1] == []
    for text in found:
        parsed = uuid.UUID(text)
        assert parsed.hex == text
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_nothing_that_zabbix_versions_quote_differently_holds_a_backslash() -> None:
    for key in ("key", "expression", "recovery_expression"):
        for text in _values(EXPORT, key):
            assert "\\" not in text


def test_each_macro_that_is_used_is_defined_and_each_defined_one_is_used() -> None:
    text = yaml.safe_dump({**EXPORT, "templates": [{**TEMPLATE, "macros": []}]}, width=10**9)
    used = set(re.findall(r"{\$[A-Z0-9_.]+", text))
    assert used == {macro["macro"].rstrip("}") for macro in TEMPLATE["macros"]}


def test_every_metric_of_the_exporter_has_an_item_and_every_item_a_metric() -> None:
    asked = {
        step["parameters"][0]
        for item in TEMPLATE["items"]
        for step in item.get("preprocessing", [])
        if step["type"] == "PROMETHEUS_PATTERN"
    }
    names = {pattern.partition("{")[0].removeprefix(PREFIX) for pattern in asked}
    exported = {
        metric.name + ("_total" if metric.kind == "counter" else "")
        for metric in METRICS
        if metric.name not in _WITHOUT_ITEM
    } | {"checkpoint_age_seconds", "build_info"}
    assert names == exported
    labels = {
        f'{PREFIX}{metric.name}{{{metric.label}="{value}"}}'
        for metric in METRICS
        for value in metric.values
        if metric.label
    }
    assert {pattern for pattern in asked if "{" in pattern} <= labels


def test_no_rate_is_cut_to_a_whole_number() -> None:
    rules = [item for rule in TEMPLATE["discovery_rules"] for item in rule["item_prototypes"]]
    rates = [
        item
        for item in (*TEMPLATE["items"], *rules)
        if any(step["type"] == "CHANGE_PER_SECOND" for step in item.get("preprocessing", []))
        and item["units"] != "bps"  # of which none is so few
    ]
    assert rates
    for item in rates:
        assert item.get("value_type") == "FLOAT", item["key"]


def test_a_line_as_the_exporter_writes_it_after_a_loss_matches_its_pattern() -> None:
    (pattern,) = (pattern for pattern in PATTERNS if pattern.id == "exporter-gap")
    line = "2026-11-04T22:13:20.123456+00:00 node journal-exporter: 7 journal entries lost (seqnum 1..7)"
    assert re.search(pattern.regex, line)
