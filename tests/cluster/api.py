"""A client of the Kubernetes API, as far as the tests need one, which signs in with a certificate."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests

from tests.cluster.processes import ClusterError

__all__ = ["Api", "Manifest", "is_ready"]

Manifest = dict[str, Any]
_TIMEOUT_S = 30
_GONE = 404
_MERGE = "application/merge-patch+json"


class Api:
    """The API server; methods take the paths of its URLs, such as ``/api/v1/nodes``."""

    def __init__(self, server: str, authority: Path, certificate: tuple[Path, Path]) -> None:
        self._server = server
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = str(authority)
        self._session.cert = (str(certificate[0]), str(certificate[1]))

    def get(self, path: str) -> Manifest:
        """Return an object, or a list object."""
        return self._ask("GET", path)

    def exists(self, path: str) -> bool:
        """Whether the object exists."""
        reply = self._session.get(self._server + path, timeout=_TIMEOUT_S)
        if not reply.ok and reply.status_code != _GONE:
            raise ClusterError(f"GET {path}: {reply.status_code} {reply.text[:2000]}")
        return reply.ok

    def list(self, path: str, selector: str = "") -> list[Manifest]:
        """Return the objects of a kind."""
        query = f"?labelSelector={quote(selector)}" if selector else ""
        return list(self._ask("GET", path + query)["items"])

    def create(self, path: str, manifest: Manifest) -> Manifest:
        """Create an object below the path of its kind."""
        return self._ask("POST", path, manifest)

    def patch(self, path: str, changes: Manifest) -> Manifest:
        """Merge changes into an object; None deletes a key."""
        return self._ask("PATCH", path, changes)

    def delete(self, path: str) -> None:
        """Delete an object."""
        self._ask("DELETE", path)

    def answers(self, path: str) -> bool:
        """Whether a path is answered with success; False if nothing listens yet."""
        try:
            return self._session.get(self._server + path, timeout=5).ok
        except (requests.ConnectionError, requests.Timeout):
            return False

    def _ask(self, method: str, path: str, body: Manifest | None = None) -> Manifest:
        headers = {"Content-Type": _MERGE if method == "PATCH" else "application/json"}
        reply = self._session.request(
            method,
            self._server + path,
            data=None if body is None else json.dumps(body),
            headers=headers,
            timeout=_TIMEOUT_S,
        )
        if not reply.ok:
            raise ClusterError(f"{method} {path}: {reply.status_code} {reply.text[:2000]}")
        answer = reply.json()
        assert isinstance(answer, dict)
        return answer


def is_ready(thing: Manifest) -> bool:
    """Whether a node or a pod has the condition Ready."""
    conditions = thing.get("status", {}).get("conditions", [])
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
