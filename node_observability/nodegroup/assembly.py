"""From a described node group to Bottlerocket's settings, the part that every target shares. Pure.

Labels, taints and the cluster are not in it: each target has its own place for them.
"""

from typing import Any

from node_observability.nodegroup.credentials import Resolve, SecretError
from node_observability.nodegroup.description import NodeGroup, is_auth
from node_observability.nodegroup.schema import admin_container
from node_observability.nodegroup.schema.bottlerocket_kubernetes import KUBERNETES

Settings = dict[str, Any]


def settings(group: NodeGroup, resolve: Resolve) -> Settings:
    """Return the settings of a node group; ``resolve`` gives its secrets, or what stands for them.

    Raises:
        SecretError: if a secret can't be had or is not what its place wants.
    """
    tree: Settings = {}
    if group.motd is not None:
        tree["motd"] = group.motd
    if group.kubelet:
        tree["kubernetes"] = _in_order(group)
    for name, value in group.settings.items():
        tree[name] = value
    if group.registries:
        tree["container-registry"] = _registries(group, resolve)
    if group.admin_container:
        tree["host-containers"] = {
            **tree.get("host-containers", {}),
            "admin": _admin(group, resolve),
        }
    return tree


def with_node(tree: Settings, group: NodeGroup) -> Settings:
    """Return settings with the labels and taints in them, where no other place has them."""
    kubernetes = dict(tree.get("kubernetes", {}))
    if group.labels:
        kubernetes["node-labels"] = dict(group.labels)
    if group.taints:
        kubernetes["node-taints"] = taints_by_key(group)
    return {**tree, "kubernetes": kubernetes} if kubernetes else tree


def taints_by_key(group: NodeGroup) -> dict[str, list[str]]:
    """Return the taints as ``settings.kubernetes.node-taints`` has them: a list for each key."""
    by_key: dict[str, list[str]] = {}
    for taint in group.taints:
        by_key.setdefault(taint.key, []).append(f"{taint.value}:{taint.effect}")
    return by_key


def _in_order(group: NodeGroup) -> Settings:
    """Return kubelet settings in the model's order, so that two descriptions differ where they do."""
    return {name: group.kubelet[name] for name in KUBERNETES.fields if name in group.kubelet}


def _registries(group: NodeGroup, resolve: Resolve) -> Settings:
    mirrors = [
        {"registry": registry["registry"], "endpoint": registry["mirrors"]}
        for registry in group.registries
        if "mirrors" in registry
    ]
    logins = []
    for index, registry in enumerate(group.registries):
        login = {"registry": registry["registry"]}
        if "username" in registry:
            login["username"] = registry["username"]
        for form in ("password", "auth", "identitytoken"):
            if form in registry:
                path = ("registries", index, form)
                login[form] = resolve(registry[form], path)
                if form == "auth" and not is_auth(login[form]):
                    raise SecretError(path, 'is not base64 of "user:password"')
        if len(login) > 1:
            logins.append(login)
    return {
        **({"mirrors": mirrors} if mirrors else {}),
        **({"credentials": logins} if logins else {}),
    }


def _admin(group: NodeGroup, resolve: Resolve) -> Settings:
    described = group.admin_container
    container: Settings = {"enabled": described.get("enabled", True)}
    for name in ("source", "superpowered"):
        if name in described:
            container[name] = described[name]
    password_hash = None
    if "passwordHash" in described:
        path = ("adminContainer", "passwordHash")
        password_hash = resolve(described["passwordHash"], path)
    content = admin_container.user_data(described, password_hash)
    if content is not None:
        container["user-data"] = admin_container.encode(content)
    return container
