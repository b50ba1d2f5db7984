"""What the table of settings can't say: rules between settings, and settings that hold documents. Pure.

Each rule is one that makes a node, its kubelet or its image pulls fail later, and far from the cause.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from node_observability.nodegroup.rules import kubelet as kubelet_rules
from node_observability.nodegroup.schema import admin_container
from node_observability.nodegroup.schema.bottlerocket import SETTINGS
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.schema.validate import unchecked

_ADMIN: Final = ("settings", "host-containers", "admin", "user-data")
_FORMS: Final = ("password", "auth", "identitytoken")


def problems(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what does not go together in settings whose values are of their kinds."""
    kubernetes = settings.get("kubernetes", {})
    yield from kubelet_rules.problems(kubernetes)
    yield from _taints(kubernetes.get("node-taints", {}), ("settings", "kubernetes", "node-taints"))
    yield from _registries(settings.get("container-registry", {}))
    yield from _host_containers(settings.get("host-containers", {}))
    yield from _bootstrap_commands(settings.get("bootstrap-commands", {}))


def warnings(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what is no error in settings whose values are of their kinds, and has to be known."""
    for path in unchecked(SETTINGS, settings, ("settings",)):
        yield Problem(path, "is not checked: the group is known, its keys are not")
    yield from kubelet_rules.warnings(settings.get("kubernetes", {}))
    yield from _admin_warnings(settings.get("host-containers", {}).get("admin", {}))
    for path in secrets(settings):
        text = "can be read on the node, by every pod that reaches the instance metadata"
        yield Problem(path, text)


def secrets(settings: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the paths of secrets, which user data shows to whoever reaches the instance metadata."""
    registry = settings.get("container-registry", {})
    name = "credentials" if "credentials" in registry else "creds"
    for index, login in enumerate(registry.get(name, [])):
        for form in _FORMS:
            if form in login:
                yield ("settings", "container-registry", name, index, form)
    for key in ("bootstrap-token", "server-key"):
        if key in settings.get("kubernetes", {}):
            yield ("settings", "kubernetes", key)
    admin = settings.get("host-containers", {}).get("admin", {})
    if admin_container.has_password(admin.get("user-data", "")):
        yield _ADMIN
    if "credentials" in settings.get("aws", {}):
        yield ("settings", "aws", "credentials")


def twice(names: Sequence[str]) -> list[int]:
    """Return the indices of names that stand before them too."""
    return [index for index, name in enumerate(names) if name in names[:index]]


def _taints(by_key: Mapping[str, Any], path: Path) -> Iterator[Problem]:
    for key, taints in by_key.items():
        effects = [one.rpartition(":")[2] for one in taints] if isinstance(taints, list) else []
        for index in twice(effects):
            # The API server refuses a node with the same key and effect twice.
            yield Problem((*path, key, index), f"{key} has the effect {effects[index]} already")


def _registries(registry: Mapping[str, Any]) -> Iterator[Problem]:
    name = "credentials" if "credentials" in registry else "creds"
    mirrors = registry.get("mirrors", [])
    for part, listed in ((name, registry.get(name, [])), ("mirrors", mirrors)):
        if isinstance(listed, list):
            for index in twice([one["registry"] for one in listed]):
                yield Problem(
                    ("settings", "container-registry", part, index, "registry"),
                    "stands above too, and one of them counts; keep one",
                )
    for index, login in enumerate(registry.get(name, [])):
        path = ("settings", "container-registry", name, index)
        forms = [form for form in _FORMS if form in login]
        if len(forms) > 1:
            yield Problem(path, f"has {' and '.join(forms)}; keep one")
        elif not forms:
            yield Problem(path, "has no credentials: write password, auth or identitytoken")
        if ("username" in login) != ("password" in login):
            yield Problem(path, "username and password belong together")


def _admin_warnings(admin: Mapping[str, Any]) -> Iterator[Problem]:
    text = admin.get("user-data", "")
    if text and not admin_container.is_official(admin.get("source", "")):
        for problem in admin_container.encoded_problems(text, _ADMIN):
            told = f"{problem.text}; but an image of your own may read it otherwise"
            yield Problem(problem.path, told)
    elif admin_container.lets_nobody_in(text):
        told = (
            "has neither a key nor a command nor a password, so nobody logs in by SSH; the EC2 key counts"
            " only without user data"
        )
        yield Problem((*_ADMIN, "ssh"), told)


def _host_containers(containers: Mapping[str, Any]) -> Iterator[Problem]:
    path = ("settings", "host-containers")
    admin = containers.get("admin", {})
    if admin.get("user-data") and admin_container.is_official(admin.get("source", "")):
        yield from admin_container.encoded_problems(admin["user-data"], _ADMIN)
    for name, container in containers.items():
        if name not in ("admin", "control") and "source" not in container:
            text = "has no source: only admin and control have an image by default"
            yield Problem((*path, name), text)


def _bootstrap_commands(commands: Mapping[str, Any]) -> Iterator[Problem]:
    for name, one in commands.items():
        for index, command in enumerate(one.get("commands", [])):
            if command[0] != "apiclient":
                path = ("settings", "bootstrap-commands", name, "commands", index)
                yield Problem(path, f'only apiclient can be run here, not "{command[0]}"')
