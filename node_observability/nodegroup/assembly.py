"""Assembles Bottlerocket's settings from a node group's description, each with its origin there. Pure.

Guarantees: every setting that a description leads to is in the result, labels, taints and the cluster
included, as a node without further help needs them. Each target leaves out what it places elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from node_observability.nodegroup.credentials import Resolve
from node_observability.nodegroup.schema import admin_container
from node_observability.nodegroup.schema.bottlerocket import CREDENTIAL_FORMS
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.schema.description import UPDATER_LABEL
from node_observability.nodegroup.schema.kubelet_names import CLUSTER, LOG_ROTATION, NAMES, reshaped
from node_observability.nodegroup.schema.problem import Path, Problem

Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Assembled:
    """Settings, and for paths in them the paths in the description that they are from.

    A path that is not in ``origins`` is in the same place as the nearest part around it.
    """

    settings: Settings = field(default_factory=dict)
    origins: dict[Path, Path] = field(default_factory=dict)

    def described(self, problem: Problem) -> Problem:
        """Return a problem of a setting with the path that the setting has in the description."""
        for end in range(len(problem.path), 0, -1):
            if problem.path[:end] in self.origins:
                path = (*self.origins[problem.path[:end]], *problem.path[end:])
                return Problem(path, problem.text)
        return problem

    def put(self, path: tuple[str, ...], value: object, origin: Path) -> None:
        """Add one setting."""
        *tables, name = path
        table = self.settings
        for outer in tables:
            table = table.setdefault(outer, {})
        table[name] = value
        self.origins["settings", *path] = origin


def assemble(description: Mapping[str, Any], resolve: Resolve) -> Assembled:
    """Return the settings of a description; ``resolve`` returns its secrets, or placeholders.

    Raises:
        SecretError: a secret can't be read, or is not what its place needs.
    """
    assembled = Assembled()
    if "motd" in description:
        assembled.put(("motd",), description["motd"], ("motd",))
    _kubernetes(assembled, description)
    for name, group in description.get("settings", {}).items():
        assembled.put((name,), dict(group), ("settings", name))
    _registries(assembled, description.get("registries", ()), resolve)
    if description.get("adminContainer"):
        _admin_container(assembled, description["adminContainer"], resolve)
    return assembled


def _kubernetes(assembled: Assembled, description: Mapping[str, Any]) -> None:
    """Add the cluster, the kubelet's settings in the schema's order, labels and taints."""
    for name, setting in CLUSTER.items():
        origin = ("cluster", name)
        # Also of one that is missing, for the targets that need it.
        assembled.origins["settings", "kubernetes", setting] = origin
        if name in description.get("cluster", {}):
            assembled.put(("kubernetes", setting), description["cluster"][name], origin)
    kubelet = {
        names.get(name, name): (value, (part, name))
        for part, names in (("kubelet", NAMES), ("logRotation", LOG_ROTATION))
        for name, value in description.get(part, {}).items()
    }
    for setting in KUBERNETES.fields:
        if setting in kubelet:
            described, origin = kubelet[setting]
            value = reshaped(setting, described)
            assembled.put(("kubernetes", setting), value, origin)
            if isinstance(described, Mapping) and isinstance(value, list):
                for index, key in enumerate(value):
                    path = ("settings", "kubernetes", setting, index)
                    assembled.origins[path] = (*origin, key)
    labels = dict(description.get("labels", {}))
    if description.get("updateOperator"):
        labels[UPDATER_LABEL[0]] = UPDATER_LABEL[1]
    if labels:
        assembled.put(("kubernetes", "node-labels"), labels, ("labels",))
    _taints(assembled, description.get("taints", ()))


def _taints(assembled: Assembled, taints: Sequence[Mapping[str, str]]) -> None:
    by_key: dict[str, list[str]] = {}
    for index, taint in enumerate(taints):
        listed = by_key.setdefault(taint["key"], [])
        path = ("settings", "kubernetes", "node-taints", taint["key"], len(listed))
        assembled.origins[path] = ("taints", index)
        listed.append(f"{taint.get('value', '')}:{taint['effect']}")
    if by_key:
        assembled.put(("kubernetes", "node-taints"), by_key, ("taints",))


def _registries(
    assembled: Assembled, registries: Sequence[Mapping[str, Any]], resolve: Resolve
) -> None:
    listed: dict[str, list[Settings]] = {"mirrors": [], "credentials": []}
    for index, registry in enumerate(registries):
        here = ("registries", index)
        forms = [form for form in CREDENTIAL_FORMS if form in registry]
        parts = {
            "mirrors": {"endpoint": registry["mirrors"]} if "mirrors" in registry else {},
            "credentials": {
                **({"username": registry["username"]} if "username" in registry else {}),
                **{form: resolve(registry[form], (*here, form)) for form in forms},
            },
        }
        for kind, entry in parts.items():
            if entry:
                path = ("settings", "container-registry", kind, len(listed[kind]))
                assembled.origins[path] = here
                listed[kind].append({"registry": registry["registry"], **entry})
    for kind, entries in listed.items():
        if entries:
            assembled.put(("container-registry", kind), entries, ("registries",))


def _admin_container(assembled: Assembled, described: Mapping[str, Any], resolve: Resolve) -> None:
    place = ("host-containers", "admin")
    origin: Path = ("adminContainer",)
    assembled.origins["settings", *place] = origin
    described = {"enabled": True, **described}
    for name in ("enabled", "source", "superpowered"):
        if name in described:
            assembled.put((*place, name), described[name], (*origin, name))
    password_hash = None
    if "passwordHash" in described:
        origin = ("adminContainer", "passwordHash")
        password_hash = resolve(described["passwordHash"], origin)
    content = admin_container.user_data(described, password_hash)
    if content is not None:
        assembled.put((*place, "user-data"), admin_container.encode(content), origin)
        assembled.origins["settings", *place, "user-data", "ssh"] = ("adminContainer",)
