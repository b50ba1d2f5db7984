"""As much of a Kubernetes API, on loopback, as ``kubectl debug`` asks for; it keeps what it is sent."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

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

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

        def do_GET(self) -> None:
            self._send(_answer(self.path.split("?")[0]))

        def do_POST(self) -> None:
            self._keep()

        def do_PATCH(self) -> None:
            self._keep()

        def _keep(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            api.sent.append((self.command, self.path.split("?")[0], body))
            self._send(_answer("/api/v1/namespaces/shop/pods/debugger"))

        def _send(self, content: object) -> None:
            body = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        api.url = f"http://127.0.0.1:{server.server_port}"
        yield api
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
