"""A node group, described once: from a parsed YAML document to one frozen object. Pure.

Guarantees: either a ``NodeGroup`` all of whose values are of their kinds, or every problem of the
document at once, each with its path. Not here: what a target makes of it, and reading secrets.
"""

import base64
import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from node_observability.inputs.nodes import Taint
from node_observability.nodegroup import credentials
from node_observability.nodegroup.rules import settings as settings_rules
from node_observability.nodegroup.schema import kubelet_names
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES
from node_observability.nodegroup.schema.description import DESCRIPTION
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.schema.validate import problems, shape

UPDATER_LABEL: Final = ("bottlerocket.aws/updater-interface-version", "2.0.0")
_AUTH_FORMS: Final = ("password", "auth", "identitytoken")
# A "g" after the generation (EC2 user guide, "Instance type naming conventions"); a1 is older than that.
_GRAVITON: Final = re.compile(r"(?:a1|[a-z]+[0-9]+[a-z]*g[a-z]*)\.")
ROTATION: Final = {
    "maxSize": "container-log-max-size",
    "maxFiles": "container-log-max-files",
}
# Where a description names the secrets that user data has in plain text, by the group of settings.
_PLACE_OF_SECRETS: Final = {
    "container-registry": "write it under registries, as {env: NAME} or {file: PATH}",
    "host-containers": "write its password as adminContainer.passwordHash, {env: NAME} or {file: PATH}",
}
_NO_PLACE: Final = "it has no place in a description; add it to what render makes"
# What each target has its own place for.
_CLUSTER_KEYS: Final = {
    "api-server": "cluster.apiServer",
    "cluster-certificate": "cluster.certificate",
    "cluster-name": "cluster.name",
    "cluster-dns-ip": "cluster.dnsIp",
}


@dataclass(frozen=True, slots=True)
class NodeGroup:
    """One node group. Parts that only some targets read are kept as they were described."""

    name: str
    cluster: Mapping[str, Any]
    instance_types: tuple[str, ...]
    architecture: str = "x86_64"
    fips: bool = False
    nvidia: bool = False
    bottlerocket_version: str = "latest"
    capacity_type: str = "on-demand"
    size: Mapping[str, int] = field(default_factory=dict)
    volumes: Mapping[str, int] = field(default_factory=dict)
    subnets: tuple[str, ...] = ()
    private_networking: bool | None = None
    session_manager: bool = True
    ssh_key_name: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    kubelet: Mapping[str, Any] = field(default_factory=dict)
    registries: tuple[Mapping[str, Any], ...] = ()
    admin_container: Mapping[str, Any] = field(default_factory=dict)
    update_operator: bool = False
    motd: str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)
    cloudformation: Mapping[str, Any] = field(default_factory=dict)
    karpenter: Mapping[str, Any] = field(default_factory=dict)


def parse(document: object) -> tuple[NodeGroup | None, list[Problem]]:
    """Return the node group, or None and what is wrong with its description."""
    if not isinstance(document, Mapping):
        return None, [
            Problem((), f"expected a description with name and cluster, found {shape(document)}")
        ]
    if "apiVersion" in document or "AWSTemplateFormatVersion" in document:
        return None, [
            Problem(
                (), "is a target's file; expected a description (docs/reference/node-groups.md)"
            )
        ]
    found = list(problems(DESCRIPTION, document))
    if found:
        return None, found
    found = list(_meaning(document))
    if found:
        return None, found
    return _node_group(document), []


def _node_group(document: Mapping[str, Any]) -> NodeGroup:
    given = document.get
    settings = kubelet_names.translated(given("kubelet", {}))
    settings |= {ROTATION[name]: value for name, value in (given("logRotation") or {}).items()}
    labels = dict(given("labels", {}))
    if given("updateOperator"):
        labels[UPDATER_LABEL[0]] = UPDATER_LABEL[1]
    return NodeGroup(
        name=document["name"],
        cluster=document["cluster"],
        instance_types=tuple(given("instanceTypes", ())),
        architecture=given("architecture", "x86_64"),
        fips=given("fips", False),
        nvidia=given("nvidia", False),
        bottlerocket_version=given("bottlerocketVersion", "latest"),
        capacity_type=given("capacityType", "on-demand"),
        size=given("size", {}),
        volumes=given("volumes", {}),
        subnets=tuple(given("subnets", ())),
        private_networking=given("privateNetworking"),
        session_manager=given("sessionManager", True),
        ssh_key_name=given("sshKeyName"),
        tags=given("tags", {}),
        labels=labels,
        taints=tuple(Taint(**one) for one in given("taints", ())),
        kubelet=settings,
        registries=tuple(given("registries", ())),
        admin_container=given("adminContainer", {}),
        update_operator=given("updateOperator", False),
        motd=given("motd"),
        settings=given("settings", {}),
        cloudformation=given("cloudFormation", {}),
        karpenter=given("karpenter", {}),
    )


def _meaning(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what no single value shows: contradictions, and places that are taken."""
    yield from _sizes(document.get("size", {}))
    if set(document.get("volumes", {})) == {"encrypted"}:
        yield Problem(
            ("volumes", "encrypted"), "is of no use without a size; write dataGib beside it"
        )
    yield from _architecture(document)
    yield from _taints(document.get("taints", []))
    yield from _kubelet(document)
    for index, registry in enumerate(document.get("registries", [])):
        yield from _registry(registry, ("registries", index))
    names = [registry["registry"] for registry in document.get("registries", [])]
    for index in settings_rules.twice(names):
        yield Problem(("registries", index, "registry"), "stands above too; write it once")
    admin = document.get("adminContainer", {})
    if "passwordHash" in admin:
        yield from credentials.source_problems(
            admin["passwordHash"], ("adminContainer", "passwordHash")
        )
    extra = document.get("settings", {})
    for _, name, *rest in settings_rules.secrets(extra):
        text = _PLACE_OF_SECRETS.get(str(name), _NO_PLACE)
        yield Problem(("settings", name, *rest), f"a secret may not stand here; {text}")
    if admin and "admin" in extra.get("host-containers", {}):
        yield Problem(
            ("settings", "host-containers", "admin"), "adminContainer says the same; keep one"
        )
    if document.get("registries") and "container-registry" in extra:
        yield Problem(("settings", "container-registry"), "registries says the same; keep one")
    if document.get("updateOperator") and UPDATER_LABEL[0] in document.get("labels", {}):
        yield Problem(("labels", UPDATER_LABEL[0]), "updateOperator says the same; keep one")


def _architecture(document: Mapping[str, Any]) -> Iterator[Problem]:
    described = document.get("architecture", "x86_64")
    for index, name in enumerate(document.get("instanceTypes", [])):
        actual = "arm64" if _GRAVITON.match(name) else "x86_64"
        if actual != described:
            text = f"{name} is {actual}, and the group {described}; write architecture: {actual}"
            yield Problem(("instanceTypes", index), text)


def _sizes(size: Mapping[str, int]) -> Iterator[Problem]:
    met = [(name, size[name]) for name in ("min", "desired", "max") if name in size]
    for (low, at_least), (high, number) in itertools.pairwise(met):
        if at_least > number:
            yield Problem(("size", high), f"is {number}, below {low}, which is {at_least}")


def _taints(taints: list[Mapping[str, str]]) -> Iterator[Problem]:
    met: set[tuple[str, str]] = set()
    for index, taint in enumerate(taints):
        # The API server refuses a node with the same key and effect twice.
        same = (taint["key"], taint["effect"])
        if same in met:
            yield Problem(("taints", index), f"{taint['key']} has the effect {same[1]} already")
        met.add(same)


def _kubelet(document: Mapping[str, Any]) -> Iterator[Problem]:
    settings = document.get("kubelet", {})
    found = list(kubelet_names.problems(settings, ("kubelet",)))
    yield from found
    names = {kubelet_names.NAMES.get(name, name): name for name in settings}
    for setting, place in _CLUSTER_KEYS.items():
        if setting in names:
            yield Problem(("kubelet", names[setting]), f"write it as {place}")
    for name in document.get("logRotation", {}):
        if ROTATION[name] in names:
            yield Problem(("logRotation", name), f"kubelet.{names[ROTATION[name]]} says the same")
    if found:
        return
    translated = kubelet_names.translated(settings)
    for problem in problems(KUBERNETES, translated):
        first, *rest = problem.path
        yield Problem(("kubelet", names[str(first)], *rest), problem.text)
    for path in settings_rules.secrets({"kubernetes": translated}):
        text = f"a secret may not stand here; {_NO_PLACE}"
        yield Problem(("kubelet", names[str(path[-1])]), text)


def _registry(registry: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    forms = [form for form in _AUTH_FORMS if form in registry]
    for form in forms:
        yield from credentials.source_problems(registry[form], (*path, form))
    if len(forms) > 1:
        yield Problem(path, f"has {' and '.join(forms)}; keep one")
    elif not forms and "mirrors" not in registry:
        yield Problem(path, "has neither credentials (password, auth, identitytoken) nor mirrors")
    if ("username" in registry) != ("password" in registry):
        yield Problem(path, "username and password belong together")


def is_auth(text: str) -> bool:
    """Whether a text is base64 of ``user:password``, as ``auth`` wants it."""
    try:
        return b":" in base64.b64decode(text, validate=True)
    except ValueError:
        return False
