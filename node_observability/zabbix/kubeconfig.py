"""How to reach a Kubernetes API: from a kubeconfig, or from inside a cluster.

Understood: server, certificate authority, token, client certificate, each inline or as a file. Not: exec
plugins and auth providers, which start other programs; `kubectl get nodes -o json` and --nodes-file
serve those.
"""

import base64
import binascii
import dataclasses
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from node_observability.errors import UsageError

__all__ = ["Access", "from_kubeconfig", "in_cluster"]

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
_INSTEAD = "or write `kubectl get nodes -o json` into a file and give it by --nodes-file"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """Where the API is and what it is told; certificates are PEM texts, `` is the system's authorities."""

    server: str
    authority: bytes = b""
    token: str = dataclasses.field(default="", repr=False)
    certificate: bytes = b""
    key: bytes = dataclasses.field(default=b"", repr=False)


def in_cluster(environment: Mapping[str, str], account: Path = _ACCOUNT) -> Access:
    """Return the access of a pod's service account.

    Raises:
        UsageError: this is no pod, or its token is not mounted.

    """
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise UsageError(
            "--in-cluster: KUBERNETES_SERVICE_HOST is not set; this is not a pod, give --kubeconfig"
        )
    token = _mounted(account / "token").strip()
    authority = _mounted(account / "ca.crt").encode()
    host = f"[{host}]" if ":" in host else host
    return Access(server=f"https://{host}:{port}", token=token, authority=authority)


def _mounted(path: Path) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text"
        raise UsageError(
            f"--in-cluster: {path}: {reason}; mount the service account's token"
        ) from error
    if not text.strip():
        raise UsageError(f"--in-cluster: {path}: is empty; mount the service account's token")
    return text


def from_kubeconfig(path: Path, context: str = "") -> Access:
    """Return the access of a context, by default the current one.

    Raises:
        UsageError: the file can't be read, or asks for what is not understood.

    """
    try:
        config = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: can't be read as a kubeconfig: {error}") from error
    if not isinstance(config, dict):
        raise UsageError(f"{path}: is no kubeconfig")
    name = context or str(config.get("current-context") or "")
    if not name:
        raise UsageError(f"{path}: names no current context; give --context")
    chosen = _named(path, config, "context", name)
    cluster = _named(path, config, "cluster", str(chosen.get("cluster", "")))
    user = _named(path, config, "user", str(chosen.get("user", "")))
    server = str(cluster.get("server", ""))
    problem = _unsupported(chosen, cluster, user)
    if problem:
        raise UsageError(f"{path}: {problem}")
    token = str(user.get("token") or "")
    if not token and user.get("tokenFile"):
        token = _file(path, str(user["tokenFile"])).decode(errors="replace").strip()
    access = Access(
        server=server.rstrip("/"),
        authority=_pem(path, cluster, "certificate-authority"),
        token=token,
        certificate=_pem(path, user, "client-certificate"),
        key=_pem(path, user, "client-key"),
    )
    if not access.token and not (access.certificate and access.key):
        raise UsageError(
            f"{path}: user `{chosen.get('user')}` has neither a token nor a client certificate with its key; "
            f"add one {_INSTEAD}"
        )
    return access


def _unsupported(
    chosen: Mapping[str, Any], cluster: Mapping[str, Any], user: Mapping[str, Any]
) -> str:
    """Return what of a context is not understood, with the way out."""
    server = str(cluster.get("server", ""))
    if not server.startswith("https://"):
        return f"cluster `{chosen.get('cluster')}`: server `{server}` must begin with https://"
    if cluster.get("insecure-skip-tls-verify"):
        return (
            f"insecure-skip-tls-verify is not supported; give certificate-authority-data {_INSTEAD}"
        )
    for section, key in ((cluster, "proxy-url"), (cluster, "tls-server-name"), (user, "as")):
        if section.get(key):
            return f"{key} is not supported; remove it, {_INSTEAD}"
    for plugin in ("exec", "auth-provider"):
        if plugin in user:
            return (
                f"user `{chosen.get('user')}` signs in by an {plugin} plugin, which is not supported; "
                f"use a token {_INSTEAD}"
            )
    return ""


def _named(path: Path, config: Mapping[str, Any], kind: str, name: str) -> dict[str, Any]:
    listed = config.get(f"{kind}s")
    entries = listed if isinstance(listed, list) else []
    for entry in entries:
        if (
            isinstance(entry, dict)
            and entry.get("name") == name
            and isinstance(entry.get(kind), dict)
        ):
            found: dict[str, Any] = entry[kind]
            return found
    known = ", ".join(str(e.get("name")) for e in entries if isinstance(e, dict)) or "none"
    raise UsageError(f"{path}: no {kind} `{name}`; there are: {known}")


def _pem(path: Path, section: Mapping[str, Any], name: str) -> bytes:
    inline = section.get(f"{name}-data")
    if inline:
        try:
            return base64.b64decode(str(inline), validate=True)
        except binascii.Error as error:
            raise UsageError(f"{path}: {name}-data is not base64: {error}") from error
    return _file(path, str(section[name])) if section.get(name) else b""


def _file(kubeconfig: Path, name: str) -> bytes:
    path = Path(os.path.normpath(kubeconfig.parent / name))
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{kubeconfig}: {path}: {error.strerror}") from error
