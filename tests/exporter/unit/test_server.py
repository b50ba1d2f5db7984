"""``/metrics``, ``/livez`` and ``/readyz`` over a real socket."""

import contextlib
import dataclasses
import http.client
import multiprocessing
import socket
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from journal_exporter.clock import SystemClock
from journal_exporter.monitoring.listen import listen
from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.monitoring.server import Application, serve
from tests.support.fakes import FakeClock


@dataclasses.dataclass(frozen=True)
class Server:
    """One that runs in a process of its own, as the exporter's does; the numbers are shared."""

    address: tuple[str, int]
    metrics: SharedMetrics
    errors: Path

    def get(self, path: str, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection(*self.address, timeout=10)
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        response.body = response.read()  # type: ignore[attr-defined]
        connection.close()
        return response

    def ask(self, path: str) -> tuple[int, str]:
        response = self.get(path)
        return response.status, response.body.decode()  # type: ignore[attr-defined]


def work(
    listener: socket.socket, metrics: SharedMetrics, errors: Path, client_timeout_s: float
) -> None:
    sys.stderr = errors.open("a", buffering=1)
    application = Application(metrics, live_timeout_s=30.0, max_lag_s=300.0)
    serve(listener, application, client_timeout_s)


@contextlib.contextmanager
def started(directory: Path, client_timeout_s: float) -> Iterator[Server]:
    metrics, errors = SharedMetrics(), directory / "stderr"
    errors.touch()
    with listen("127.0.0.1", 0) as listener:
        process = multiprocessing.get_context("fork").Process(
            target=work, args=(listener, metrics, errors, client_timeout_s), daemon=True
        )
        process.start()
        yield Server(listener.getsockname(), metrics, errors)
        process.kill()
        process.join()
        process.close()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with started(tmp_path_factory.mktemp("server"), client_timeout_s=10.0) as server:
        yield server


@pytest.fixture
def server(running: Server) -> Server:
    """Make the exporter healthy."""
    running.metrics.heartbeat(SystemClock())
    running.metrics.recovered = True
    running.metrics.set("journal_files", 1, "readable")
    running.metrics.output_unblocked()
    running.metrics.set("lag_seconds", 0)
    return running


def test_the_metrics_have_their_present_values(server: Server) -> None:
    server.metrics.set("entries_read", 41)
    assert "\njournal_exporter_entries_read_total 41.0\n" in server.ask("/metrics")[1]
    server.metrics.add("entries_read")
    assert "\njournal_exporter_entries_read_total 42.0\n" in server.ask("/metrics")[1]


def test_the_metrics_are_in_the_format_of_prometheus(server: Server) -> None:
    response = server.get("/metrics")
    assert response.status == 200
    assert response.headers["Content-Type"].startswith("text/plain; version=")
    openmetrics = server.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert openmetrics.body.endswith(b"# EOF\n")  # type: ignore[attr-defined]


def test_it_is_alive_while_the_worker_runs(server: Server) -> None:
    assert server.ask("/livez") == (200, "alive\n")


def test_it_is_neither_alive_nor_ready_when_the_worker_stalls(server: Server) -> None:
    server.metrics.heartbeat(FakeClock(time.monotonic() - 100))
    for path in ("/livez", "/readyz"):
        status, text = server.ask(path)
        assert status == 503
        assert "limit 30 s" in text


def test_it_is_ready_when_all_is_well(server: Server) -> None:
    assert server.ask("/readyz") == (200, "ready\n")


def test_it_is_not_ready_when_the_disk_is_full_but_alive(server: Server) -> None:
    server.metrics.output_blocked("enospc", 1.0)
    assert server.ask("/readyz") == (503, "the output can't be written: enospc\n")
    assert server.ask("/livez")[0] == 200


def test_it_is_not_ready_when_it_is_behind(server: Server) -> None:
    server.metrics.set("lag_seconds", 301)
    assert server.ask("/readyz")[0] == 503


def test_it_is_not_ready_before_it_has_recovered(server: Server) -> None:
    server.metrics.recovered = False
    assert server.ask("/readyz") == (503, "recovering\n")


@pytest.mark.parametrize("path", ["/", "/metrics/", "/healthz", "/..%2f", "/livez/x"])
def test_another_path_is_not_found_and_the_answer_names_the_valid_ones(
    server: Server, path: str
) -> None:
    assert server.ask(path) == (404, "not found; see /metrics, /livez and /readyz\n")


def test_a_query_does_not_matter(server: Server) -> None:
    assert server.ask("/livez?verbose")[0] == 200


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=abc;q=zz",
        "text/plain; version=1.x",
        "application/openmetrics-text; version=1..0",
        "application/openmetrics-text; version=1; version=x, text/plain",
        "application/openmetrics-text; version=x; version=1",
        "text/plain; version=" + "9" * 5000,
    ],
)
def test_a_version_that_is_none_is_ignored_and_the_plain_text_is_sent(
    server: Server, accept: str
) -> None:
    response = server.get("/metrics", Accept=accept)
    assert (response.status, response.headers["Content-Type"]) == (
        200,
        "text/plain; version=0.0.4; charset=utf-8",
    )
    assert server.errors.read_text() == ""


def test_a_valid_range_beside_an_invalid_one_is_used(server: Server) -> None:
    accept = "application/openmetrics-text;version=abc,application/openmetrics-text;version=1.0.0"
    body = server.get("/metrics", Accept=accept).body  # type: ignore[attr-defined]
    assert body.endswith(b"# EOF\n")


def test_names_in_the_query_choose_metrics(server: Server) -> None:
    server.metrics.set("lag_entries", 7)
    names = ("journal_exporter_lag_entries", "journal_exporter_gaps_total", "no_such_metric")
    status, text = server.ask("/metrics?" + "&".join(f"name[]={name}" for name in names))
    assert status == 200
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == ["journal_exporter_gaps_total 0.0", "journal_exporter_lag_entries 7.0"]
    assert server.ask("/metrics?name[]=no_such_metric") == (200, "")


def test_a_silent_client_delays_no_other(server: Server) -> None:
    silent = [socket.create_connection(server.address, timeout=10) for _ in range(20)]
    silent[0].sendall(b"GET /metrics HT")
    assert server.ask("/livez")[0] == 200
    for connection in silent:
        connection.close()


def test_a_client_that_stays_silent_is_disconnected_without_an_error(tmp_path: Path) -> None:
    with (
        started(tmp_path, client_timeout_s=0.1) as server,
        socket.create_connection(server.address, timeout=10) as silent,
        socket.create_connection(server.address, timeout=10) as slow,
    ):
        slow.sendall(b"GET /metrics HT")
        assert (silent.recv(1), slow.recv(1)) == (b"", b"")
        assert server.ask("/livez")[0] == 503
        assert server.errors.read_text() == ""


def test_garbage_is_a_bad_request_and_the_server_continues(server: Server) -> None:
    with socket.create_connection(server.address, timeout=10) as connection:
        connection.sendall(b"\x16\x03\x01\x02 nonsense here at all\r\n\r\n")
        assert b"400" in connection.recv(1000)
    assert server.ask("/livez")[0] == 200


def test_a_client_that_disconnects_is_ignored(server: Server) -> None:
    with socket.create_connection(server.address, timeout=10) as connection:
        linger = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        connection.sendall(b"GET /livez")
    for _ in range(100):
        assert server.ask("/livez")[0] == 200
        assert server.errors.read_text() == ""
