"""Formats what ``parsers test`` prints, and writes the JUnit file that CI systems read."""

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

from node_observability.errors import printable
from node_observability.outputs import write_text
from node_observability.parsers.cases.diff import quoted
from node_observability.parsers.cases.runner import Outcome

__all__ = ["failure_text", "summary", "write_junit"]

_MAX_LINE_SHOWN = 160
# XML can't contain these characters, not even escaped.
_REPLACED = dict.fromkeys(
    (*range(9), 11, 12, *range(14, 32), *range(0xD800, 0xE000), 65534, 65535), "�"
)


def _shown(line: bytes) -> str:
    text = quoted(line)
    if len(text) <= _MAX_LINE_SHOWN:
        return text
    return f"{text[:_MAX_LINE_SHOWN]}… ({len(line)} bytes)"


def failure_text(outcome: Outcome) -> str:
    """Return a failed case: its place, its lines, the expected (-) and the actual (+) values."""
    head = f"FAIL {outcome.case.place} {outcome.case.name} [{outcome.label}]"
    lines = [f"  line: {_shown(line)}" for line in outcome.case.lines]
    texts = [head, *lines, *(f"  {text}" for text in outcome.differences)]
    return "\n".join(map(printable, texts))


def summary(outcomes: Sequence[Outcome], seconds: float) -> str:
    """Return the last line of the output."""
    failed = sum(bool(outcome.differences) for outcome in outcomes)
    files = len({outcome.file.path for outcome in outcomes})
    labels = len({outcome.label for outcome in outcomes})
    cases = len({(outcome.file.path, outcome.case.place) for outcome in outcomes})
    result = f"{failed} of {len(outcomes)} checks failed" if failed else "all passed"
    counts = f"{cases} cases in {files} files, {labels} configurations, {len(outcomes)} checks"
    return f"{counts}: {result} ({seconds:.2f} s)"


def _element(parent: ET.Element, tag: str, **attributes: str) -> ET.Element:
    safe = {key: text.translate(_REPLACED) for key, text in attributes.items()}
    return ET.SubElement(parent, tag, safe)


def write_junit(output: str | Path, outcomes: Sequence[Outcome], seconds: float) -> None:
    """Write the outcomes as JUnit XML, one suite per file and configuration; ``-`` is standard output.

    Raises:
        ToolboxError: the file can't be written.
    """
    root = ET.Element("testsuites", time=f"{seconds:.3f}")
    suites: dict[tuple[str, str], list[Outcome]] = {}
    for outcome in outcomes:
        suites.setdefault((str(outcome.file.path), outcome.label), []).append(outcome)
    for (file, label), members in suites.items():
        failures = sum(bool(outcome.differences) for outcome in members)
        counts = {"tests": str(len(members)), "failures": str(failures)}
        suite = _element(root, "testsuite", name=f"{file} [{label}]", **counts)
        for outcome in members:
            place, name = outcome.case.place, outcome.case.name
            where = {"file": place.file, "line": str(place.line)}
            case = _element(suite, "testcase", classname=label, **where, name=name)
            if outcome.differences:
                failure = _element(case, "failure", message=outcome.differences[0])
                failure.text = failure_text(outcome).translate(_REPLACED)
    ET.indent(root)
    write_text(output, ET.tostring(root, encoding="utf-8", xml_declaration=True).decode() + "\n")
