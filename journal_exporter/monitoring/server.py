"""The HTTP side: ``/metrics``, ``/livez``, ``/readyz``.

Guarantees: a slow client holds up nobody. It reads shared numbers only.
Imported by the HTTP process alone: the libraries for it are half of a process's memory.
"""

import socket
import socketserver
import sys
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref import simple_server

from prometheus_client import make_wsgi_app

from journal_exporter.monitoring import health
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.monitoring.prometheus import registry

_CLIENT_TIMEOUT_S = 10
StartResponse = Any


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Tell of errors of ours; a client that goes away or stays silent is no news."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(simple_server.WSGIRequestHandler):
    timeout = _CLIENT_TIMEOUT_S

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: probes and scrapes are no news."""


def serve(listener: socket.socket, application: "Application") -> None:
    """Answer on a socket that listens, for ever."""
    address = listener.getsockname()
    server = _Server(address[:2], _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = listener
    # What server_bind() would set; it would also ask the name service for our name.
    server.server_name, server.server_port = "journal-exporter", address[1]
    server.setup_environ()
    server.set_app(application)
    server.serve_forever()


class Application:
    """The WSGI application."""

    def __init__(self, metrics: SharedMetrics, *, live_timeout_s: float, max_lag_s: float) -> None:
        self._metrics = metrics
        self._live_timeout_s = live_timeout_s
        self._max_lag_s = max_lag_s
        self._exposition = make_wsgi_app(registry(metrics))

    def __call__(self, environ: dict[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        if path == "/metrics":
            answer: Iterable[bytes] = self._exposition(environ, start)
            return answer
        if path == "/livez":
            now_s = time.monotonic()
            return _tell(
                start, health.live(self._metrics, now_s=now_s, timeout_s=self._live_timeout_s)
            )
        if path == "/readyz":
            # The numbers of a loop that hangs say how things were.
            alive = health.live(
                self._metrics, now_s=time.monotonic(), timeout_s=self._live_timeout_s
            )
            if not alive.ok:
                return _tell(start, alive)
            return _tell(start, health.ready(self._metrics, max_lag_s=self._max_lag_s))
        return _text(start, HTTPStatus.NOT_FOUND, "see /metrics, /livez and /readyz")


def _tell(start: StartResponse, answer: health.Health) -> list[bytes]:
    status = HTTPStatus.OK if answer.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return _text(start, status, answer.text)


def _text(start: StartResponse, status: HTTPStatus, text: str) -> list[bytes]:
    start(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
