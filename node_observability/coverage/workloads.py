"""Reads the DaemonSets of rendered manifests, and which nodes they ask for. Ignores other kinds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from node_observability.coverage.placement import Expression, Placement, Term, Toleration
from node_observability.errors import UsageError
from node_observability.inputs.yaml_nodes import load_all

__all__ = ["Workload", "parse"]

_COMPONENT = "app.kubernetes.io/component"
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
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            name = (item.get("metadata") or {}).get("name", "?")
            reason = f"{error} is missing" if isinstance(error, KeyError) else error
            raise UsageError(f"{origin}: DaemonSet {name} is not valid: {reason}") from None
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
    template = item["spec"]["template"]
    spec = template["spec"]
    labels = (template.get("metadata") or {}).get("labels") or {}
    return Workload(
        name=str(item["metadata"]["name"]),
        component=str(labels.get(_COMPONENT, "")),
        placement=Placement(
            selector=tuple(
                (str(key), str(value)) for key, value in (spec.get("nodeSelector") or {}).items()
            ),
            terms=_terms(spec),
            tolerations=tuple(_toleration(one) for one in spec.get("tolerations") or ()),
            is_on_host_network=bool(spec.get("hostNetwork")),
        ),
    )


def _terms(spec: Mapping[str, Any]) -> tuple[Term, ...] | None:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if required is None:
        return None
    return tuple(
        (
            *(_expression(part) for part in term.get("matchExpressions") or ()),
            *(_expression(part, is_field=True) for part in term.get("matchFields") or ()),
        )
        for term in required["nodeSelectorTerms"]
    )


def _expression(part: Mapping[str, Any], *, is_field: bool = False) -> Expression:
    if part["operator"] not in _OPERATORS:
        raise ValueError(
            f"operator {part['operator']!r} is unknown; use one of {', '.join(_OPERATORS)}"
        )
    values = tuple(str(value) for value in part.get("values") or ())
    return Expression(str(part["key"]), str(part["operator"]), values, is_field)


def _toleration(one: Mapping[str, Any]) -> Toleration:
    fields = {key: str(one.get(key) or "") for key in ("key", "value", "effect")}
    return Toleration(operator=str(one.get("operator") or "Equal"), **fields)
