"""Builds the ``kubectl debug`` command for a node or a pod, with a profile for Bottlerocket. Pure.

Guarantees: names that Kubernetes would refuse never reach a command line, and the printed command can be
pasted into a shell. kubectl merges a custom profile (``--custom``) into one of its own (``--profile``); for
profiles in YAML it needs 1.31, since 1.30 reads JSON only.
"""

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from node_observability.kubernetes_names import LABEL, SUBDOMAIN

_IMAGE: Final = re.compile(r"[a-z0-9][A-Za-z0-9._:/@-]{0,511}")


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile of this package. ``base`` is kubectl's profile below it; ``image`` the default, if any."""

    file: str
    base: str
    image: str | None
    purpose: str


NODE_PROFILES: Final = {
    "shell": Profile(
        "node-shell.yaml",
        "sysadmin",
        "ubuntu:24.04",
        "full access to the host: /host, the journal, apiclient; privileged",
    ),
    "journal": Profile(
        "node-journal.yaml",
        "general",
        None,
        "the journal, unprivileged; needs an --image that contains journalctl",
    ),
    "api": Profile(
        "node-api.yaml",
        "general",
        "ubuntu:24.04",
        "apiclient and its socket, unprivileged; can enable the admin container",
    ),
}
POD_PROFILE: Final = Profile(
    "pod.yaml",
    "netadmin",
    "nicolaka/netshoot:v0.13",
    "the namespaces of a container, as root, with ptrace and network tools",
)


def build(
    name: str,
    profile: Profile,
    file: Path,
    *,
    container: str | None = None,
    image: str | None = None,
    namespace: str | None = None,
    context: str | None = None,
) -> tuple[list[str], list[str]]:
    """Return the command and its problems. The command is for a node, or for a ``container`` of a pod.

    ``file`` is where the profile lies; without ``image`` the profile's is used.
    """
    kind = "node" if container is None else "pod"
    problems = [
        f"{value!r} is not a valid {what} name"
        for what, value, valid in (
            (kind, name, SUBDOMAIN),
            ("container", container, LABEL),
            ("namespace", namespace, LABEL),
            ("image", image, _IMAGE),
        )
        if value is not None and not valid.fullmatch(value)
    ]
    image = profile.image if image is None else image
    if image is None:
        problems.append("--image is required for this profile: name an image with journalctl")
    command = [
        *("kubectl", "debug", f"{kind}/{name}"),
        *([f"--target={container}"] if container else []),
        *([f"--context={context}"] if context else []),
        *([f"--namespace={namespace}"] if namespace else []),
        *("--stdin", "--tty", f"--image={image}", f"--profile={profile.base}", f"--custom={file}"),
    ]
    return command, problems


def as_text(command: Sequence[str]) -> str:
    """Return a command quoted for a shell."""
    return shlex.join(command)
