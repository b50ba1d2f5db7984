"""HTTP servers in a thread, which stop at once, and requests to servers of other processes."""

import gzip
import http.client
import socketserver
import ssl
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["Handler", "fetch", "running", "serving"]

_POLL_S = 0.01
"""How long a server takes to notice that it must stop; the standard library's default is 0.5 s."""


class Handler(BaseHTTPRequestHandler):
    """The base of test servers' handlers; without an access log."""

    def respond(self) -> None:
        """Answer a request of any method, which ``command`` names."""
        raise NotImplementedError

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.respond()

    def do_PATCH(self) -> None:
        self.respond()

    def body(self) -> bytes:
        """Return the request's body, unpacked."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        return gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body

    def answer(self, body: bytes = b"", status: int = 200, *, location: str = "") -> None:
        """Send a whole response; ``location`` is where a redirection leads."""
        self.begin(len(body), status, location=location)
        self.wfile.write(body)

    def begin(self, length: int, status: int = 200, *, location: str = "") -> None:
        """Send the head of a response whose body has this length, in bytes."""
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(length))
        if location:
            self.send_header("Location", location)
        self.end_headers()

    def log_message(self, *_arguments: object) -> None:
        """Log nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Print errors of a handler; ignore clients that disconnect or refuse the certificate."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


@contextmanager
def running(server: socketserver.BaseServer) -> Iterator[None]:
    """Run a server in a thread while the block runs."""
    thread = threading.Thread(target=server.serve_forever, args=(_POLL_S,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def serving(
    handler: type[BaseHTTPRequestHandler],
    address: tuple[str, int] = ("127.0.0.1", 0),
    *,
    certificate: tuple[object, object] | None = None,
) -> Iterator[int]:
    """Run an HTTP server while the block runs; yield its port. ``certificate`` and key make it HTTPS."""
    server = _Server(address, handler)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*map(str, certificate))
        # The handshake happens in the thread of the connection.
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    with running(server):
        yield server.server_port


def fetch(port: int, path: str, method: str = "GET", body: bytes | None = None) -> tuple[int, str]:
    """Return status and body of a response from a port of the loopback address; status 0 without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body)
        response = connection.getresponse()
        return response.status, response.read().decode()
    except (OSError, http.client.HTTPException):
        return 0, ""
    finally:
        connection.close()
