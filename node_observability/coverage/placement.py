"""Decides whether a DaemonSet's pod may run on a node, as the DaemonSet controller and the scheduler do.

Guarantees the rules of ``nodeSelector``, required node affinity, taints and tolerations, with the tolerations
that the controller adds to every DaemonSet. One term of the affinity is enough, all parts of a term must
hold, an empty term matches nothing, and ``NotIn`` and ``DoesNotExist`` match a missing label. Preferred
affinity, resources and ports are ignored. Source: kubernetes.io, "Assigning Pods to Nodes", "Taints and
Tolerations", "DaemonSet".
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from node_observability.inputs.nodes import Taint

__all__ = ["Expression", "Placement", "Term", "Toleration", "reasons_against"]

_INTEGER = re.compile(r"[+-]?0*[0-9]{1,19}", re.ASCII)
_MIN, _MAX = -(2**63), 2**63 - 1
"""Kubernetes reads numbers of 64 bits; a larger one matches nothing."""
_EFFECTS_THAT_KEEP_OUT = ("NoSchedule", "NoExecute")


@dataclass(frozen=True, slots=True)
class Expression:
    """One requirement on a label; with ``is_field``, on the node's name."""

    key: str
    operator: str
    values: tuple[str, ...] = ()
    is_field: bool = False

    def holds(self, value: str | None) -> bool:
        """Return whether the requirement holds for a label's value; None is a missing label."""
        match self.operator:
            case "In":
                return value is not None and value in self.values
            case "NotIn":
                return value is None or value not in self.values
            case "Exists":
                return value is not None
            case "DoesNotExist":
                return value is None
        number, limit = _integer(value or ""), _integer(self.values[0])
        if number is None or limit is None:
            return False
        return number > limit if self.operator == "Gt" else number < limit

    def __str__(self) -> str:
        values = f" [{', '.join(self.values)}]" if self.values else ""
        return f"{self.key} {self.operator}{values}"


def _integer(text: str) -> int | None:
    if not _INTEGER.fullmatch(text):
        return None
    # Without the zeros, of which there may be thousands.
    value = int(text.lstrip("+-0") or "0") * (-1 if text.startswith("-") else 1)
    return value if _MIN <= value <= _MAX else None


Term = tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Toleration:
    """A pod's toleration. An empty key with ``Exists`` means every key, an empty effect every effect."""

    key: str = ""
    operator: str = "Equal"
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Return whether the pod tolerates the taint."""
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        if self.operator == "Exists":
            return True
        return bool(self.key) and self.value == taint.value


_OF_EVERY_DAEMONSET = (
    Toleration("node.kubernetes.io/not-ready", "Exists", effect="NoExecute"),
    Toleration("node.kubernetes.io/unreachable", "Exists", effect="NoExecute"),
    Toleration("node.kubernetes.io/disk-pressure", "Exists", effect="NoSchedule"),
    Toleration("node.kubernetes.io/memory-pressure", "Exists", effect="NoSchedule"),
    Toleration("node.kubernetes.io/pid-pressure", "Exists", effect="NoSchedule"),
    Toleration("node.kubernetes.io/unschedulable", "Exists", effect="NoSchedule"),
)
_ON_THE_HOST_NETWORK = Toleration(
    "node.kubernetes.io/network-unavailable", "Exists", effect="NoSchedule"
)


@dataclass(frozen=True, slots=True)
class Placement:
    """The nodes that a DaemonSet's pods ask for. ``terms`` is None without a required affinity."""

    selector: tuple[tuple[str, str], ...] = ()
    terms: tuple[Term, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    is_on_host_network: bool = False

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the labels that matter."""
        asked = {key for key, _ in self.selector}
        for term in self.terms or ():
            asked |= {part.key for part in term if not part.is_field}
        return frozenset(asked)

    @property
    def asks_for_names(self) -> bool:
        """Whether the name of the node matters."""
        return any(part.is_field for term in self.terms or () for part in term)

    @property
    def all_tolerations(self) -> tuple[Toleration, ...]:
        """The tolerations of the pod template, and those that the controller adds."""
        more = (_ON_THE_HOST_NETWORK,) if self.is_on_host_network else ()
        return (*self.tolerations, *_OF_EVERY_DAEMONSET, *more)


def _shown(value: str | None) -> str:
    return "absent" if value is None else f"{value!r}"


def _unmet(term: Term, name: str, labels: Mapping[str, str]) -> list[str]:
    found = []
    for part in term:
        value = name if part.is_field else labels.get(part.key)
        if not part.holds(value):
            found.append(f"{part}, is {_shown(value)}")
    return found


def reasons_against(
    placement: Placement, name: str, labels: Mapping[str, str], taints: Iterable[Taint]
) -> list[str]:
    """Return each reason why the node gets no pod; an empty list means that it gets one."""
    found = [
        f"{key} must be {value!r}, is {_shown(labels.get(key))}"
        for key, value in placement.selector
        if labels.get(key) != value
    ]
    if placement.terms is not None:
        unmet = [
            _unmet(term, name, labels) if term else ["an empty term"] for term in placement.terms
        ]
        if not unmet:
            found.append("the required node affinity has no term")
        elif all(unmet):
            fewest = min(len(reasons) for reasons in unmet)
            found += next(reasons for reasons in unmet if len(reasons) == fewest)
    found += [f"taint {taint} is not tolerated" for taint in taints if _keeps_out(placement, taint)]
    return found


@functools.lru_cache(maxsize=4096)
def _keeps_out(placement: Placement, taint: Taint) -> bool:
    return taint.effect in _EFFECTS_THAT_KEEP_OUT and not any(
        toleration.tolerates(taint) for toleration in placement.all_tolerations
    )


def shared_expressions(placements: Sequence[Placement]) -> frozenset[Expression]:
    """Return the requirements that every term of every placement has: these leave nodes out on purpose."""
    every = [frozenset(term) for one in placements for term in one.terms or ((),)]
    return frozenset.intersection(*every) if every else frozenset()
