"""As much of a Kubernetes API, on loopback, as ``kubectl debug`` asks for; it keeps what it is sent."""

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
"""What kubectl asks first: path by path, which resources there are."""


@dataclass
class Api:
    """Where it listens, and every body it was sent, with method and path."""

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
    """Run it while the block runs."""
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
