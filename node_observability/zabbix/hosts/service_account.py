"""How a pod reaches the API of its cluster: by the service account that is mounted."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text

__all__ = ["Access", "in_cluster"]

_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Access:
    """The API's address, a bearer token, and the PEM file of the authorities that sign its certificate."""

    server: str
    token: str = dataclasses.field(repr=False)
    authority: Path


def in_cluster(environment: Mapping[str, str], account: Path = _ACCOUNT) -> Access:
    """Return the access of a pod's service account.

    Raises:
        UsageError: this is not a pod, or its token is not mounted.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST", "")
    port = environment.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise UsageError(
            "--in-cluster: KUBERNETES_SERVICE_HOST is not set; this is not a pod, give --kubeconfig"
        )
    token, authority = account / "token", account / "ca.crt"
    _mounted(authority)
    host = f"[{host}]" if ":" in host else host
    return Access(
        server=f"https://{host}:{port}", token=_mounted(token).strip(), authority=authority
    )


def _mounted(path: Path) -> str:
    fix = "--in-cluster needs it; mount the service account's token"
    text = read_text(path, fix=fix)
    if not text.strip():
        raise UsageError(f"{path}: is empty; {fix}")
    return text
