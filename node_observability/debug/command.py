"""The ``kubectl debug`` command for a node or a pod, with the profile that fits Bottlerocket. Pure.

Guarantees: a name that Kubernetes would not take is refused before it gets near a command line; what is
printed can be pasted into a shell as it is. kubectl lays a custom profile over one of its own (``--custom``,
on by default since kubectl 1.31).
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_SUBDOMAIN: Final = re.compile(
    r"(?=.{1,253}\Z)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*"
)
_LABEL: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_IMAGE: Final = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,511}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that is shipped. ``base`` is kubectl's own below it; no ``image``: one has to be named."""

    file: str
    base: str
    image: str | None
    what: str


NODE_PROFILES: Final = {
    "shell": Profile(
        "node-shell.yaml",
        "sysadmin",
        "ubuntu:24.04",
        "everything of the host: /host, the journal, apiclient; privileged",
    ),
    "journal": Profile(
        "node-journal.yaml",
        "general",
        None,
        "the journal, without any privilege; --image has to have journalctl",
    ),
    "api": Profile(
        "node-api.yaml",
        "general",
        "ubuntu:24.04",
        "apiclient and its socket, not privileged; switches the admin container on",
    ),
}
POD_PROFILE: Final = Profile(
    "pod.yaml",
    "netadmin",
    "nicolaka/netshoot:v0.13",
    "the namespaces of a pod's container, as root, with ptrace and the network's tools",
)


def node_command(
    name: str,
    profile: Profile,
    file: Path,
    *,
    image: str | None = None,
    namespace: str | None = None,
) -> tuple[list[str], list[str]]:
    """Return the command for a node, and what is wrong with its parts."""
    problems = [] if _SUBDOMAIN.fullmatch(name) else [f"{name!r} is no node's name"]
    problems += _namespace(namespace)
    command = ["kubectl", "debug", f"node/{name}", *_shared(profile, file, image, namespace)]
    return command, problems + _image(profile, image)


def pod_command(
    name: str,
    target: str,
    file: Path,
    *,
    image: str | None = None,
    namespace: str | None = None,
) -> tuple[list[str], list[str]]:
    """Return the command for a container of a pod, and what is wrong with its parts."""
    problems = [] if _SUBDOMAIN.fullmatch(name) else [f"{name!r} is no pod's name"]
    problems += [] if _LABEL.fullmatch(target) else [f"{target!r} is no container's name"]
    problems += _namespace(namespace)
    shared = _shared(POD_PROFILE, file, image, namespace)
    command = ["kubectl", "debug", f"pod/{name}", f"--target={target}", *shared]
    return command, problems + _image(POD_PROFILE, image)


def as_text(command: Sequence[str]) -> str:
    """Return a command as a shell reads it."""
    return shlex.join(command)


def _shared(profile: Profile, file: Path, image: str | None, namespace: str | None) -> list[str]:
    return [
        *([f"--namespace={namespace}"] if namespace else []),
        "--stdin",
        "--tty",
        f"--image={image or profile.image}",
        f"--profile={profile.base}",
        f"--custom={file}",
    ]


def _namespace(namespace: str | None) -> list[str]:
    if namespace is None or _LABEL.fullmatch(namespace):
        return []
    return [f"{namespace!r} is no namespace's name"]


def _image(profile: Profile, image: str | None) -> list[str]:
    if image is None:
        return [] if profile.image else ["--image is missing: name one that has journalctl"]
    return [] if _IMAGE.fullmatch(image) else [f"{image!r} is no image"]
