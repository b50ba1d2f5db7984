"""Flags that several commands share: times, and the source of nodes."""

import argparse
import io
import json
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.zabbix.commands import flags, node_flags


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("30min", 1800), ("12h", 43200), ("7d", 604800), ("0s", 0)],
)
def test_a_time_has_a_unit(text: str, seconds: int) -> None:
    assert flags.duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "7", "-1s", "1.5h", "7w", "1h30m", "٣h"])
def test_a_time_without_a_unit_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must be a time such as"):
        flags.duration_s(text)


@pytest.mark.parametrize("text", ["999999d", "9" * 5000 + "s"])
def test_a_time_of_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="is more than ten years"):
        flags.duration_s(text)


def _nodes(selector: str, *arguments: str) -> frozenset[str]:
    parser = argparse.ArgumentParser()
    node_flags.add_nodes(parser, selector=selector)
    return node_flags.nodes_of(parser.parse_args(arguments), {})


def test_the_selector_of_a_command_applies_to_json_and_not_to_names(tmp_path: Path) -> None:
    listed, names = tmp_path / "nodes.json", tmp_path / "names"
    nodes = [
        {"kind": "Node", "metadata": {"name": "a", "labels": {"os": "bottlerocket"}}},
        {"kind": "Node", "metadata": {"name": "b", "labels": {"os": "other"}}},
    ]
    listed.write_text(json.dumps({"kind": "List", "items": nodes}))
    names.write_text("a\nb\n")
    assert _nodes("os=bottlerocket", "--nodes-file", str(listed)) == {"a"}
    assert _nodes("os=bottlerocket", "--nodes-file", str(listed), "--selector", "") == {"a", "b"}
    assert _nodes("os=bottlerocket", "--nodes-file", str(listed), "--selector=os=other") == {"b"}
    assert _nodes("os=bottlerocket", "--nodes-file", str(names)) == {"a", "b"}
    assert _nodes("", "--nodes-file", str(listed)) == {"a", "b"}


def test_nodes_come_from_standard_input_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\ufeffnode/a\n".encode())))
    assert _nodes("", "--nodes-file", "-") == {"a"}


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "nodes").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"/nodes: is not UTF-8 \(byte 1\)"):
        _nodes("", "--nodes-file", str(tmp_path / "nodes"))
