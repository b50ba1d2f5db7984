"""The admin container's user data: base64 of JSON, with SSH keys or EC2 Instance Connect. Pure.

Since admin container 0.7.2 (2021), two keys of this JSON replace the four patches of the production post:
the image has ec2-instance-connect, openssl and procps, links its host keys into ``/etc/ssh``, and writes the
JSON's keys into its ``sshd_config``. Source: bottlerocket-admin-container, README.md and start_admin.sh.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Final

from node_observability.nodegroup.schema.kinds import LINE, ListOf, Struct, pattern
from node_observability.nodegroup.schema.problem import Path, Problem
from node_observability.nodegroup.schema.validate import problems

_USER: Final = pattern("a Linux user name", r"[a-z_][a-z0-9_-]{0,31}")
_KEYS: Final = ListOf(LINE)
# sshd does not start with an empty list in its configuration.
_ALGORITHMS: Final = ListOf(LINE, least=1)
_OFFICIAL: Final = "bottlerocket-admin"
_LOGINS: Final = (
    "authorized-keys",
    "authorized_keys",
    "trusted-user-ca-keys",
    "trusted_user_ca_keys",
    "authorized-keys-command",
)
_INSTANCE_CONNECT: Final = {
    "authorized-keys-command": "/opt/aws/bin/eic_run_authorized_keys %u %f",
    "authorized-keys-command-user": "ec2-instance-connect",
}
USER_DATA: Final = Struct(
    {
        "user": _USER,
        "password-hash": LINE,
        "ssh": Struct(
            {
                "authorized-keys": _KEYS,
                "trusted-user-ca-keys": _KEYS,
                "authorized-keys-command": LINE,
                "authorized-keys-command-user": _USER,
                "ciphers": _ALGORITHMS,
                "key-exchange-algorithms": _ALGORITHMS,
                "macs": _ALGORITHMS,
            },
            aliases={
                "authorized_keys": "authorized-keys",
                "trusted_user_ca_keys": "trusted-user-ca-keys",
            },
        ),
    },
    secret=True,
)
SSH_KEYS: Final = {
    "authorizedKeys": "authorized-keys",
    "trustedUserCaKeys": "trusted-user-ca-keys",
    "ciphers": "ciphers",
    "keyExchangeAlgorithms": "key-exchange-algorithms",
    "macs": "macs",
}
"""Keys of the JSON's table ``ssh`` by the description's names."""


def user_data(
    described: Mapping[str, object], password_hash: str | None
) -> dict[str, object] | None:
    """Return the content of the JSON for ``adminContainer`` of a description, None if there is none."""
    ssh: dict[str, object] = {
        key: described[name] for name, key in SSH_KEYS.items() if name in described
    }
    if described.get("instanceConnect"):
        ssh |= _INSTANCE_CONNECT
    content: dict[str, object] = {}
    if "user" in described:
        content["user"] = described["user"]
    if password_hash is not None:
        content["password-hash"] = password_hash
    if ssh:
        content["ssh"] = ssh
    return content or None


def encode(content: Mapping[str, object]) -> str:
    """Return the content as the value of the setting ``user-data``."""
    return base64.b64encode(json.dumps(content, separators=(",", ":")).encode()).decode()


def has_password(text: str) -> bool:
    """Whether the setting ``user-data`` of the admin container has a password's hash."""
    try:
        content = _decoded(text)
    except ValueError:
        return False
    return isinstance(content, dict) and "password-hash" in content


def is_official(source: str) -> bool:
    """Whether an image is Bottlerocket's, in any registry; other images may read any user data."""
    name = source.rpartition("/")[2]
    return not source or name.partition("@")[0].partition(":")[0] == _OFFICIAL


def has_no_login(text: str) -> bool:
    """Whether the setting ``user-data`` is right but has no key, command or password to log in with."""
    if not text or any(encoded_problems(text, ())):
        return False
    content = _decoded(text)
    ssh = content.get("ssh", {}) if isinstance(content, dict) else {}
    return not (has_password(text) or any(ssh.get(key) for key in _LOGINS))


def _decoded(text: str) -> object:
    """Return the content of JSON in base64.

    Raises:
        ValueError: it is not base64, not JSON, or nested more deeply than Python reads.
    """
    try:
        content: object = json.loads(base64.b64decode(text, validate=True))
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return content


def encoded_problems(text: str, path: Path) -> Iterator[Problem]:
    """Yield what is wrong with the setting ``user-data`` of the admin container."""
    try:
        content = _decoded(text)
    except ValueError:
        yield Problem(path, "expected base64 of a JSON object, which the admin container reads")
        return
    for problem in problems(USER_DATA, content):
        yield Problem((*path, *problem.path), f"{problem.text} (in the JSON)")
    ssh = content.get("ssh") if isinstance(content, dict) else None
    if isinstance(ssh, dict):
        command = "authorized-keys-command" in ssh
        if command != ("authorized-keys-command-user" in ssh):
            yield Problem(
                (*path, "ssh"),
                "sshd needs both authorized-keys-command and authorized-keys-command-user"
                " (in the JSON)",
            )
