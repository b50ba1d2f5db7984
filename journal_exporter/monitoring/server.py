"""Serves ``/metrics``, ``/livez`` and ``/readyz``.

Guarantees: a slow client does not delay others. The server only reads shared metrics.
Only the HTTP process imports this module: its libraries take half of a process's memory.
"""

import re
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

_CLIENT_TIMEOUT_S = 10.0
_VERSION = re.compile(r"[0-9]{1,9}([.][0-9]{1,9}){0,3}", re.ASCII)
StartResponse = Any


class _Server(socketserver.ThreadingMixIn, simple_server.WSGIServer):
    daemon_threads = True
    client_timeout_s = _CLIENT_TIMEOUT_S

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log our errors; ignore clients that disconnect or stay silent."""
        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)


class _Handler(simple_server.WSGIRequestHandler):
    server: _Server

    def setup(self) -> None:
        """Close the connection of a client that sends or takes nothing for the server's timeout."""
        self.request.settimeout(self.server.client_timeout_s)
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log nothing: probes and scrapes are routine."""


def serve(
    listener: socket.socket,
    application: "Application",
    client_timeout_s: float = _CLIENT_TIMEOUT_S,
) -> None:
    """Answer requests on a listening socket forever."""
    address = listener.getsockname()
    server = _Server(address[:2], _Handler, bind_and_activate=False)
    server.client_timeout_s = client_timeout_s
    server.socket.close()
    server.socket = listener
    # server_bind() would set these, but would also look up the host's name.
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
            accept = valid_ranges(environ.get("HTTP_ACCEPT", ""))
            answer: Iterable[bytes] = self._exposition({**environ, "HTTP_ACCEPT": accept}, start)
            return answer
        if path == "/livez":
            now_s = time.monotonic()
            return _respond(
                start, health.live(self._metrics, now_s=now_s, timeout_s=self._live_timeout_s)
            )
        if path == "/readyz":
            # The metrics of a stalled worker are out of date.
            alive = health.live(
                self._metrics, now_s=time.monotonic(), timeout_s=self._live_timeout_s
            )
            if not alive.ok:
                return _respond(start, alive)
            return _respond(start, health.ready(self._metrics, max_lag_s=self._max_lag_s))
        return _text(start, HTTPStatus.NOT_FOUND, "not found; see /metrics, /livez and /readyz")


def valid_ranges(accept: str) -> str:
    """Return an ``Accept`` header without the media ranges whose version is not a version.

    prometheus-client compares versions as numbers, and raises for other texts.
    """
    return ",".join(part for part in accept.split(",") if _has_valid_version(part))


def _has_valid_version(media_range: str) -> bool:
    parameters = (part.strip().partition("=") for part in media_range.split(";"))
    versions = [value for name, _, value in parameters if name == "version"]
    return all(map(_VERSION.fullmatch, versions))


def _respond(start: StartResponse, answer: health.Health) -> list[bytes]:
    status = HTTPStatus.OK if answer.ok else HTTPStatus.SERVICE_UNAVAILABLE
    return _text(start, status, answer.text)


def _text(start: StartResponse, status: HTTPStatus, text: str) -> list[bytes]:
    start(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
