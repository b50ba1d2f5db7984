"""A Kubernetes API on loopback with what ``kubectl debug`` needs; it keeps the bodies that it gets."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.support.servers import Handler, serving

_RESOURCES = {
    "kind": "APIResourceList",
    "groupVersion": "v1",
    "resources": [
        {
            "name": "nodes",
            "singularName": "node",
            "namespaced": False,
            "kind": "Node",
            "verbs": ["get", "list"],
        },
        {
            "name": "pods",
            "singularName": "pod",
            "namespaced": True,
            "kind": "Pod",
            "verbs": ["get"],
        },
    ],
}

DISCOVERY: dict[str, object] = {
    "/api": {"kind": "APIVersions", "versions": ["v1"]},
    "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
    "/api/v1": _RESOURCES,
}
"""The answers to kubectl's first requests, by path: which resources exist."""


@dataclass
class Api:
    """Its address, and method, path and body of each change that it was sent."""

    url: str = ""
    sent: list[tuple[str, str, bytes]] = field(default_factory=list)


def _answer(path: str) -> object:
    if path in DISCOVERY:
        return DISCOVERY[path]
    name = path.rsplit("/", 1)[1]
    if path.startswith("/api/v1/nodes/"):
        return {"kind": "Node", "apiVersion": "v1", "metadata": {"name": name}}
    return {
        "kind": "Pod",
        "apiVersion": "v1",
        "metadata": {"name": name, "namespace": "shop"},
        "spec": {"securityContext": {}, "containers": [{"name": "app", "image": "distroless"}]},
    }


@contextmanager
def kubernetes_api() -> Iterator[Api]:
    """Run one while the block runs."""
    api = Api()

    class Server(Handler):
        def respond(self) -> None:
            path = self.path.split("?")[0]
            if self.command != "GET":
                api.sent.append((self.command, path, self.body()))
                path = "/api/v1/namespaces/shop/pods/debugger"
            self.answer(json.dumps(_answer(path)).encode())

    with serving(Server) as port:
        api.url = f"http://127.0.0.1:{port}"
        yield api
