"""A Kubernetes API over TLS on loopback that lists nodes, with tokens, selectors, and pages that expire.

Pages, refusals and their ``Status`` have the format of the real API.
"""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.certificates import Authority
from tests.support.kubernetes_api import DISCOVERY
from tests.support.servers import Handler, serving

__all__ = ["NodesApi", "nodes_api"]

_REASONS = {
    401: "Unauthorized",
    403: "Forbidden",
    410: "Expired",
    429: "TooManyRequests",
    500: "InternalError",
}


@dataclass
class NodesApi:
    """The nodes that it lists, and the requests that it got; ``faults`` has what fails, by page from 0."""

    nodes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tokens: set[str] = field(default_factory=set)
    allowed: bool = True
    faults: dict[int, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    port: int = 0
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that kubelet sets in a pod."""
        return {"KUBERNETES_SERVICE_HOST": "127.0.0.1", "KUBERNETES_SERVICE_PORT": str(self.port)}

    def page(self, query: Mapping[str, str]) -> dict[str, Any]:
        """Return a page of the nodes that a query selects."""
        names = [name for name in self.nodes if self._selected(name, query.get("labelSelector"))]
        start, limit = int(query.get("continue", "0")), int(query.get("limit", "0"))
        end = start + limit if limit else len(names)
        metadata: dict[str, Any] = {"resourceVersion": "7"}
        if end < len(names):
            metadata |= {"continue": str(end), "remainingItemCount": len(names) - end}
        items = [{"metadata": {"name": n, "labels": self.nodes[n]}} for n in names[start:end]]
        return {"kind": "NodeList", "apiVersion": "v1", "metadata": metadata, "items": items}

    def _selected(self, name: str, selector: str | None) -> bool:
        parts = [part.split("=") for part in selector.split(",")] if selector else []
        return all(self.nodes[name].get(key) == value for key, value in parts)


class _Handler(Handler):
    api: NodesApi

    def respond(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path not in DISCOVERY:
            self.api.asked.append(self.path)
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        number = int(query.get("continue", "0")) // max(int(query.get("limit", "1")), 1)
        fault = self.api.faults.get(number, "")
        if token not in self.api.tokens:
            self._refuse(401)
        elif parts.path in DISCOVERY:
            self.answer(json.dumps(DISCOVERY[parts.path]).encode())
        elif not self.api.allowed or parts.path != "/api/v1/nodes":
            self._refuse(403)
        elif fault.isdecimal():
            self._refuse(int(fault))
        elif fault == "moved":
            self.answer(status=302, location=f"https://127.0.0.1:{self.api.port}/stolen")
        elif fault == "page of a proxy":
            self.answer(b"<html>sign in</html>")
        elif fault == "silence":
            self.api.ended.wait(30)
        else:
            body = json.dumps(self.api.page(query)).encode()
            self.begin(len(body))
            self.wfile.write(body[: len(body) // 2] if fault == "breaks off" else body)

    def _refuse(self, code: int) -> None:
        status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
        self.answer(json.dumps({**status, "reason": _REASONS.get(code, "")}).encode(), code)


@contextmanager
def nodes_api(authority: Authority, *, name: str = "IP:127.0.0.1") -> Iterator[NodesApi]:
    """Run one while the block runs, with a certificate for ``name``."""
    api = NodesApi()
    handler = type("Handler", (_Handler,), {"api": api})
    with serving(handler, certificate=authority.issue("apiserver", name)) as api.port:
        try:
            yield api
        finally:
            api.ended.set()
