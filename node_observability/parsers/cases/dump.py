"""Writes values in the notation of case files, so that ``values`` reads back the same bytes."""

import re

import yaml

from node_observability.parsers.cases.values import Expected
from node_observability.parsers.model.types import Value

__all__ = ["block_text", "flow_text"]

_RUN = re.compile(rb"(.)\1{63,}", re.DOTALL)
_MAX_WITHOUT_JOIN = 200


class _Bytes(bytes):
    """Bytes that are not UTF-8."""


class _Join(list[object]):
    """Parts, some of which are repeated."""


class _Dumper(yaml.SafeDumper):
    """Writes ``!bytes`` and ``!join``, and long texts on one line."""

    def write_double_quoted(self, text: str, split: bool = True) -> None:  # noqa: FBT001, FBT002 - theirs
        # Bytes are easiest to read as numbers.
        allowed = self.allow_unicode
        self.allow_unicode = allowed and getattr(self.event, "tag", "") != "!bytes"
        super().write_double_quoted(text, split)
        self.allow_unicode = allowed

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - cases share no values
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # Other styles continue on a second line, whose indentation would depend on the place.
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style='"' if not text.isprintable() else None
    )


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(
    _Bytes,
    lambda dumper, data: dumper.represent_scalar("!bytes", data.decode("latin-1"), style='"'),
)
_Dumper.add_representer(
    _Join, lambda dumper, data: dumper.represent_sequence("!join", data, flow_style=True)
)


def _representable(value: Expected | Value) -> object:
    if isinstance(value, bytes):
        return _text(value)
    if isinstance(value, dict):
        return {key: _representable(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_representable(item) for item in value]
    return value


def _text(data: bytes) -> object:
    if len(data) > _MAX_WITHOUT_JOIN and _RUN.search(data):
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


def _dump(value: object, *, flow: bool) -> str:
    return yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=10**9,
        default_flow_style=flow,
    )


def flow_text(value: Expected | Value) -> str:
    """Return a value on one line, in a notation that any place allows."""
    # A text that is plain within a list is plain everywhere.
    return _dump([_representable(value)], flow=True).strip()[1:-1]


def block_text(value: Expected | Value, indent: int) -> str:
    """Return a list or a mapping over several lines, each indented by ``indent`` spaces."""
    lines = _dump(_representable(value), flow=False).splitlines()
    return "\n".join(" " * indent + line for line in lines)
