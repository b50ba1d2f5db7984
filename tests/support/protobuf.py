"""Reads the protobuf in which kubectl sends a Pod: the few fields that tests look at.

Numbers are those of Kubernetes' ``core/v1/generated.proto`` and ``runtime/generated.proto``; they never
change. A real decoder would need the whole API as generated code.
"""

from collections.abc import Iterator
from typing import Any

_MAGIC = b"k8s\x00"
_VARINT, _BYTES = 0, 2
Fields = dict[int, list[Any]]


def fields(data: bytes) -> Fields:
    """Return a message's fields by number; nested messages are bytes still."""
    found: Fields = {}
    for number, value in _fields(data):
        found.setdefault(number, []).append(value)
    return found


def pod_spec(body: bytes) -> Fields:
    """Return the fields of the PodSpec in a request's body."""
    assert body.startswith(_MAGIC)
    raw = fields(body.removeprefix(_MAGIC))[2][0]  # runtime.Unknown.raw
    spec: bytes = fields(raw)[2][0]  # Pod.spec
    return fields(spec)


def container(spec: Fields) -> dict[str, Any]:
    """Return the only container of a PodSpec: its mounts and its security context."""
    (only,) = spec[2]
    parts = fields(only)
    context = fields(parts[15][0]) if 15 in parts else {}
    capabilities = fields(context[1][0]) if 1 in context else {}
    return {
        "image": _text(parts, 2),
        "mounts": {
            _text(mount, 3): (_text(mount, 1), _text(mount, 4), bool(mount.get(2, [0])[0]))
            for mount in map(fields, parts.get(9, []))
        },
        "privileged": _flag(context, 2),
        "user": context.get(4, [None])[0],
        "escalation": _flag(context, 7),
        "drop": [value.decode() for value in capabilities.get(2, [])],
        "selinux": {
            name: _text(fields(context[3][0]), number)
            for number, name in ((1, "user"), (2, "role"), (3, "type"), (4, "level"))
        }
        if 3 in context
        else None,
    }


def host_path(spec: Fields) -> dict[str, str]:
    """Return the hostPath of each volume that has one, by the volume's name."""
    paths = {}
    for volume in map(fields, spec.get(1, [])):
        source = fields(volume[2][0])
        if 1 in source:
            paths[_text(volume, 1)] = _text(fields(source[1][0]), 1)
    return paths


def _flag(message: Fields, number: int) -> bool | None:
    return bool(message[number][0]) if number in message else None


def _text(message: Fields, number: int) -> str:
    value: bytes = message.get(number, [b""])[0]
    return value.decode()


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == _VARINT:
            value, at = _varint(data, at)
            yield key >> 3, value
        else:
            assert key & 7 == _BYTES, "no Pod has another wire type in the fields looked at"
            length, at = _varint(data, at)
            yield key >> 3, data[at : at + length]
            at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
