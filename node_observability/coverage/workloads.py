"""Reads the DaemonSets of rendered manifests, and which nodes they ask for. Ignores other kinds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node_observability.coverage.placement import Expression, Placement, Term, Toleration
from node_observability.errors import UsageError
from node_observability.inputs.yaml_nodes import load_all

__all__ = ["Workload", "parse"]

_COMPONENT = "app.kubernetes.io/component"
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt")


@dataclass(frozen=True, slots=True)
class Workload:
    """A DaemonSet: its name, the chart's component that it runs, and where its pods may run."""

    name: str
    component: str
    placement: Placement

    @property
    def is_fluent_bit(self) -> bool:
        """Whether it runs Fluent Bit, which each node needs exactly once."""
        return self.component.startswith("fluent-bit")

    @property
    def is_agent(self) -> bool:
        """Whether it runs the Zabbix agent."""
        return self.component == "zabbix-agent"


def parse(text: str, origin: str) -> list[Workload]:
    """Return the DaemonSets of a manifest; ``origin`` names the file in errors.

    Raises:
        UsageError: it is not YAML, contains no DaemonSet, or one of them is not valid.
    """
    found = []
    for item in _daemonsets(load_all(text, origin)):
        try:
            found.append(_workload(item))
        except ValueError as error:
            metadata = item.get("metadata")
            name = metadata.get("name", "?") if isinstance(metadata, dict) else "?"
            raise UsageError(f"{origin}: DaemonSet {name} is not valid: {error}") from None
    if not found:
        fix = "save what `helm template` or `helm get manifest` prints"
        raise UsageError(f"{origin}: contains no DaemonSet; {fix}")
    return found


def _daemonsets(documents: Iterable[object]) -> Iterator[dict[str, Any]]:
    for document in documents:
        if not isinstance(document, dict):
            continue
        if document.get("kind") == "DaemonSet":
            yield document
        elif isinstance(document.get("items"), list):
            yield from _daemonsets(document["items"])


def _workload(item: Mapping[str, Any]) -> Workload:
    template = _mapping(_mapping(item, "spec"), "template")
    spec = _mapping(template, "spec")
    labels = _mapping(_mapping(template, "metadata", {}), "labels", {})
    return Workload(
        name=_text(_mapping(item, "metadata"), "name"),
        component=str(labels.get(_COMPONENT, "")),
        placement=Placement(
            selector=tuple(
                (str(key), str(value)) for key, value in _mapping(spec, "nodeSelector", {}).items()
            ),
            terms=_terms(spec),
            tolerations=tuple(_toleration(one) for one in _mappings(spec, "tolerations", [])),
            is_on_host_network=bool(spec.get("hostNetwork")),
        ),
    )


def _terms(spec: Mapping[str, Any]) -> tuple[Term, ...] | None:
    affinity = _mapping(_mapping(spec, "affinity", {}), "nodeAffinity", {})
    if affinity.get(_REQUIRED) is None:
        return None
    return tuple(
        (
            *(_expression(part) for part in _mappings(term, "matchExpressions", [])),
            *(_expression(part, is_field=True) for part in _mappings(term, "matchFields", [])),
        )
        for term in _mappings(_mapping(affinity, _REQUIRED), "nodeSelectorTerms")
    )


def _expression(part: Mapping[str, Any], *, is_field: bool = False) -> Expression:
    operator = _text(part, "operator")
    if operator not in _OPERATORS:
        raise ValueError(f"operator {operator!r} is unknown; use one of {', '.join(_OPERATORS)}")
    values = part.get("values") or []
    if not isinstance(values, list):
        raise ValueError("values must be a list")  # noqa: TRY004 - of the file
    return Expression(_text(part, "key"), operator, tuple(map(str, values)), is_field)


def _toleration(one: Mapping[str, Any]) -> Toleration:
    fields = {key: str(one.get(key) or "") for key in ("key", "value", "effect")}
    return Toleration(operator=str(one.get("operator") or "Equal"), **fields)


def _field(parent: Mapping[str, Any], key: str, default: Any) -> Any:  # noqa: ANN401 - YAML
    """Return a field, or ``default`` for one that is missing or null; without a default that is an error."""
    value = parent.get(key)
    if value is None and default is None:
        raise ValueError(f"{key} is missing")
    return default if value is None else value


def _mapping(parent: Mapping[str, Any], key: str, default: Any = None) -> Mapping[str, Any]:  # noqa: ANN401 - likewise
    value = _field(parent, key, default)
    if not isinstance(value, dict):
        raise ValueError(f"{key} must be a mapping")  # noqa: TRY004 - of the file
    return value


def _mappings(parent: Mapping[str, Any], key: str, default: Any = None) -> list[Mapping[str, Any]]:  # noqa: ANN401 - likewise
    value = _field(parent, key, default)
    if not isinstance(value, list) or not all(isinstance(part, dict) for part in value):
        raise ValueError(f"{key} must be a list of mappings")
    return value


def _text(parent: Mapping[str, Any], key: str) -> str:
    value = _field(parent, key, None)
    if not isinstance(value, str):
        raise ValueError(f"{key} must be a text; put it into quotes")  # noqa: TRY004 - of the file
    return value
