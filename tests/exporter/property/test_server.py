"""Whatever a client sends, the answer is one of HTTP's, and never an error of ours."""

import gzip
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from journal_exporter.monitoring.metrics import SharedMetrics
from journal_exporter.monitoring.server import Application

APPLICATION = Application(SharedMetrics(), live_timeout_s=30.0, max_lag_s=300.0)
# http.server decodes requests as Latin-1.
ANYTHING = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"))
TYPES = st.sampled_from(["application/openmetrics-text", "text/plain", "*/*", "gzip", " GZIP"])
PARAMETERS = st.builds(
    "{}={}".format,
    st.sampled_from(["version", " version", "q", "escaping", "charset", ""]),
    st.sampled_from(["1.0.0", "0.0.4", "2", "1..0", "-1", "abc", "zz", "1e5", "allow-utf-8", ""]),
)
RANGES = st.builds(
    lambda kind, more: ";".join([kind, *more]), TYPES, st.lists(PARAMETERS, max_size=3)
)
HEADER = st.lists(RANGES, max_size=3).map(",".join) | ANYTHING
METHODS = st.sampled_from(["GET", "HEAD", "POST", "OPTIONS", "DELETE"]) | ANYTHING
PATHS = st.sampled_from(["/metrics", "/livez", "/readyz", "/favicon.ico", ""]) | ANYTHING
QUERIES = st.sampled_from(["", "name[]=", "name[]=journal_exporter_gaps_total", "&=;%"]) | ANYTHING


def answer(method: str, path: str, query: str, accept: str, encoding: str) -> tuple[str, bytes]:
    """Return the status and the body."""
    found: list[str] = []

    def start(status: str, _headers: Any, _exception: Any = None) -> None:  # noqa: ANN401 - as WSGI has it
        found.append(status)

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_ACCEPT": accept,
        "HTTP_ACCEPT_ENCODING": encoding,
        "wsgi.input": io.BytesIO(),
    }
    body = b"".join(APPLICATION(environ, start))
    (status,) = found
    return status, body


@given(METHODS, PATHS, QUERIES)
def test_every_request_gets_an_answer_with_a_status_that_fits(
    method: str, path: str, query: str
) -> None:
    allowed = {
        "/metrics": {"200 OK", "405 Method Not Allowed"},
        "/livez": {"503 Service Unavailable"},
        "/readyz": {"503 Service Unavailable"},
    }
    assert answer(method, path, query, "", "")[0] in allowed.get(path, {"404 Not Found"})


@given(HEADER, HEADER)
def test_the_metrics_are_sent_whatever_the_client_says_it_accepts(
    accept: str, encoding: str
) -> None:
    status, body = answer("GET", "/metrics", "", accept, encoding)
    assert status == "200 OK"
    text = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    assert b"\njournal_exporter_gaps_total 0.0\n" in text
