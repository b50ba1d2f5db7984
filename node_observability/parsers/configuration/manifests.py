"""Finds the Fluent Bit files in Kubernetes manifests, such as ``helm template`` prints.

Guarantees the right line of the manifest for each line of a file that is a block (``key: |``). Reads the
``data`` of ConfigMaps, and ``stringData`` and ``data`` of Secrets. Templates are not rendered here.
"""

import base64
from dataclasses import dataclass

import yaml

from node_observability.inputs.places import Place

__all__ = ["EmbeddedFile", "embedded_files", "is_kubernetes_object"]


@dataclass(frozen=True, slots=True)
class EmbeddedFile:
    """A file within a manifest: its object, its name, its text, and the line on which the text begins."""

    owner: str
    name: str
    text: str
    first_line: int


def is_kubernetes_object(node: yaml.Node) -> bool:
    """Return whether the document is a Kubernetes object."""
    return {"apiVersion", "kind"} <= set(_entries(node))


def _entries(node: yaml.Node | None) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        return {}
    return {str(key.value): value for key, value in node.value}


def _text(node: yaml.Node | None) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def embedded_files(node: yaml.Node, source: str) -> list[EmbeddedFile]:
    """Return the files of an object, or of each object in a List; ``source`` is the manifest's name.

    Raises:
        UsageError: a Secret has data that is not valid base64, which Kubernetes refuses too.
    """
    entries = _entries(node)
    items = entries.get("items")
    if isinstance(items, yaml.SequenceNode):
        return [file for item in items.value for file in embedded_files(item, source)]
    kind = _text(entries.get("kind"))
    if kind not in ("ConfigMap", "Secret"):
        return []
    owner = f"{kind}/{_text(_entries(entries.get('metadata')).get('name'))}"
    plain = _entries(entries.get("data" if kind == "ConfigMap" else "stringData"))
    files = [
        EmbeddedFile(
            owner, name, value.value, value.start_mark.line + (2 if value.style == "|" else 1)
        )
        for name, value in plain.items()
        if isinstance(value, yaml.ScalarNode)
    ]
    if kind == "Secret":
        for name, value in _entries(entries.get("data")).items():
            place = Place(source, value.start_mark.line + 1)
            decoded = _decoded(_text(value), place, f"{owner}: {name}")
            if decoded is not None:
                files.append(EmbeddedFile(owner, name, decoded, place.line))
    return files


def _decoded(text: str, place: Place, what: str) -> str | None:
    try:
        # Like Go, and so Kubernetes, ignore line breaks.
        data = base64.b64decode(text.replace("\n", "").replace("\r", ""), validate=True)
    except ValueError as error:
        raise place.error(
            f"{what} is not valid base64 ({error}); move plain text to stringData"
        ) from None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None  # A key or a certificate; Fluent Bit's files are text.
