"""Writes files of cases, so that ``casefiles`` reads the same bytes again.

Keeps the comment at the head of a file and no other.
"""

import re

import yaml

from node_observability.parsers.casefiles import Case, CaseFile, Expected
from node_observability.parsers.casting import Value

__all__ = ["write"]

_RUN = re.compile(rb"(.)\1{63,}", re.DOTALL)
_SHORT = 200


class _Bytes(bytes):
    """Bytes that are no UTF-8."""


class _Join(list[object]):
    """Parts, of which some are repeated."""


class _Dumper(yaml.SafeDumper):
    """Writes ``!bytes`` and ``!join``, and long texts on one line."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - each case stands by itself
        return True


_Dumper.add_representer(
    _Bytes,
    lambda dumper, data: dumper.represent_scalar("!bytes", data.decode("latin-1"), style='"'),
)
_Dumper.add_representer(
    _Join, lambda dumper, data: dumper.represent_sequence("!join", data, flow_style=True)
)


def _plain(value: Value) -> object:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _text(data: bytes) -> object:
    if len(data) > _SHORT and _RUN.search(data):
        parts, at = _Join(), 0
        for run in _RUN.finditer(data):
            if run.start() > at:
                parts.append(_text(data[at : run.start()]))
            parts.append(
                [run[1].decode("latin-1"), len(run[0])] if run[1].isascii() else _Bytes(run[0])
            )
            at = run.end()
        if at < len(data):
            parts.append(_text(data[at:]))
        return parts
    try:
        return data.decode()
    except UnicodeDecodeError:
        return _Bytes(data)


def _expected(expected: Expected) -> object:
    if isinstance(expected, list):
        return [_expected(item) for item in expected]
    return expected if isinstance(expected, str) else _plain(expected)


def _case(case: Case) -> dict[str, object]:
    entry: dict[str, object] = {"name": case.name}
    if case.is_sequence:
        entry["lines"] = [_text(line) for line in case.lines]
    else:
        entry["line"] = _text(case.lines[0])
    entry |= {key: text for key, text in (("writer", case.writer), ("note", case.note)) if text}
    if case.expected is not None:
        entry["expected"] = _expected(case.expected)
    return entry


def write(file: CaseFile) -> None:
    """Write the file anew."""
    head = []
    if file.path.exists():
        for line in file.path.read_text(encoding="utf-8").splitlines(keepends=True):
            if not line.startswith("#"):
                break
            head.append(line)
    names: object = (
        file.names[0] if len(file.names) == 1 and file.route != "parsers" else file.names
    )
    document: dict[str, object] = {file.route: names}
    document |= {key: text for key, text in (("writer", file.writer), ("note", file.note)) if text}
    document["cases"] = [_case(case) for case in file.cases]
    body = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**9)
    file.path.write_text("".join(head) + body, encoding="utf-8")
