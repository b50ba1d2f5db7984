"""Checks Bottlerocket's settings, once, whether a user wrote them or a description led to them. Pure.

Each rule here keeps a node from joining, or from pulling images, with errors far from the cause.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from node_observability.nodegroup.rules import kubelet, labels_and_taints
from node_observability.nodegroup.schema import admin_container, validate
from node_observability.nodegroup.schema.bottlerocket import (
    CREDENTIAL_FORMS,
    SETTINGS,
    USER_DATA,
)
from node_observability.nodegroup.schema.problem import Path, Problem

_ADMIN: Final = ("settings", "host-containers", "admin", "user-data")


def problems(user_data: Mapping[str, Any], *, kubelet_sets_labels: bool) -> list[Problem]:
    """Return the wrong keys and values of ``{"settings": …}``; if there are none, the contradictions.

    With ``kubelet_sets_labels``, labels that a kubelet may not set are among them.
    """
    found = list(validate.problems(USER_DATA, user_data))
    if not found:
        settings = user_data["settings"]
        found += _contradictions(settings)
        if kubelet_sets_labels:
            found += labels_and_taints.forbidden_labels(settings.get("kubernetes", {}))
    return found


def warnings(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield what the user should know of settings without problems."""
    for path in validate.unchecked(SETTINGS, settings, ("settings",)):
        yield Problem(path, "is not checked: this program does not know the keys of this group")
    yield from kubelet.warnings(settings.get("kubernetes", {}))
    yield from _admin_warnings(settings.get("host-containers", {}).get("admin", {}))
    for path in secrets(settings):
        text = "every pod that reaches the instance metadata can read this secret"
        yield Problem(path, text)


def secrets(settings: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the paths of secrets in settings without problems."""
    registry = settings.get("container-registry", {})
    name = _credentials(registry)
    for index, login in enumerate(registry.get(name, [])):
        for form in CREDENTIAL_FORMS:
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


def has_secrets(settings: Mapping[str, Any]) -> bool:
    """Whether settings without problems contain secrets."""
    return next(secrets(settings), None) is not None


def _contradictions(settings: Mapping[str, Any]) -> Iterator[Problem]:
    kubernetes = settings.get("kubernetes", {})
    yield from kubelet.problems(kubernetes)
    yield from labels_and_taints.duplicate_taints(kubernetes)
    yield from _registries(settings.get("container-registry", {}))
    yield from _host_containers(settings.get("host-containers", {}))
    yield from _bootstrap_commands(settings.get("bootstrap-commands", {}))


def _credentials(registry: Mapping[str, Any]) -> str:
    """Return which of its two names a registry's list of credentials has."""
    return "credentials" if "credentials" in registry else "creds"


def _registries(registry: Mapping[str, Any]) -> Iterator[Problem]:
    path: Path = ("settings", "container-registry")
    name = _credentials(registry)
    for part in (name, "mirrors"):
        entries = registry.get(part, [])
        names = [one["registry"] for one in entries] if isinstance(entries, list) else []
        for index, one in enumerate(names):
            if one in names[:index]:
                text = "is here twice, and only one entry has an effect; keep one"
                yield Problem((*path, part, index, "registry"), text)
    for index, login in enumerate(registry.get(name, [])):
        here = (*path, name, index)
        forms = [form for form in CREDENTIAL_FORMS if form in login]
        if len(forms) > 1:
            yield Problem(here, f"has {' and '.join(forms)}; keep one")
        elif not forms:
            yield Problem(here, "has no credentials: write password, auth or identitytoken")
        if ("username" in login) != ("password" in login):
            yield Problem(here, "needs both username and password, or neither")


def _admin_warnings(admin: Mapping[str, Any]) -> Iterator[Problem]:
    text = admin.get("user-data", "")
    if text and not admin_container.is_official(admin.get("source", "")):
        for problem in admin_container.encoded_problems(text, _ADMIN):
            yield Problem(problem.path, f"{problem.text}; your own image may read it otherwise")
    elif admin_container.has_no_login(text):
        text = (
            "has no key, command or password, so nobody can log in by SSH; the EC2 key counts only"
            " without user data"
        )
        yield Problem((*_ADMIN, "ssh"), text)


def _host_containers(containers: Mapping[str, Any]) -> Iterator[Problem]:
    admin = containers.get("admin", {})
    if admin.get("user-data") and admin_container.is_official(admin.get("source", "")):
        yield from admin_container.encoded_problems(admin["user-data"], _ADMIN)
    for name, container in containers.items():
        if name not in ("admin", "control") and "source" not in container:
            text = "has no source; only admin and control have a default image"
            yield Problem(("settings", "host-containers", name), text)


def _bootstrap_commands(commands: Mapping[str, Any]) -> Iterator[Problem]:
    for name, one in commands.items():
        for index, command in enumerate(one.get("commands", [])):
            if command[0] != "apiclient":
                path = ("settings", "bootstrap-commands", name, "commands", index)
                yield Problem(path, f'only apiclient can run here, not "{command[0]}"')
