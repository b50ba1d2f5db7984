"""A user's multiline parser joins lines in a real ``fluent-bit``, with every switch and each HTTP preset."""

import itertools
import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart.programs import fluent_bit
from tests.support.exporter import free_port
from tests.support.fluentbit import need_fluent_bit
from tests.support.receiver import Receiver, receiver
from tests.support.waiting import wait_for

PARSERS = r"""
multiline_parsers:
  - name: own_trace
    type: regex
    flush_timeout: 1000
    rules:
      - state: start_state
        regex: '/^\S/'
        next_state: trace
      - state: trace
        regex: '/^\s+[*] /'
        next_state: trace
"""
FILTERS = """
pipeline:
  filters:
    - name: multiline
      match: kube.*
      multiline.key_content: log
      multiline.parser: own_trace
"""
INPUTS = """
pipeline:
  inputs:
    - name: tail
      path: {}/app.txt
      tag: app
      read_from_head: on
      multiline.parser: own_trace
"""
TRACE = ["Failed: x", "  * in a", "  * in b"]
"""No parser that is built into Fluent Bit joins these lines."""
SWITCHES: list[dict[str, Any]] = [{}, {"exactTime": True}, {"partial": "join"}]
PORTS = {
    "http": "HTTP_TO_PORT",
    "es": "ES_PORT",
    "opensearch": "OPENSEARCH_PORT",
    "loki": "LOKI_PORT",
    "opentelemetry": "OTEL_PORT",
    "splunk": "SPLUNK_PORT",
}
CASES = [
    *(
        (kind, "http", switches)
        for kind, switches in itertools.product(("cri", "docker"), SWITCHES)
    ),
    *(("cri", preset, {}) for preset in PORTS if preset != "http"),
]


@pytest.fixture(scope="session", autouse=True)
def program() -> str:
    return need_fluent_bit()


def values(preset: str, switches: dict[str, Any], port: int, directory: Path) -> dict[str, Any]:
    prefix = f"NODEOBS_{PORTS[preset].partition('_')[0]}"
    variables = {
        f"{prefix}_HOST": "127.0.0.1",
        f"{prefix}_TLS": False,
        f"NODEOBS_{PORTS[preset]}": port,
    }
    common = {
        "kubernetesMetadata": False,
        "output": {"preset": preset, "existingSecret": "s"},
        "variables": variables,
        "extraParsers": PARSERS,
        "extraFilters": FILTERS,
        "extraInputs": INPUTS.format(directory),
        **switches,
    }
    return {"fluentBit": {"common": common}}


def joined(sink: Receiver) -> int:
    """Return how often the whole trace arrived as one message, as it is, in JSON, or in JSON within JSON."""
    pattern = r"(?:\\{1,2}n|\n)".join(map(re.escape, TRACE))
    return len(re.findall(pattern, sink.text()))


def received(
    kind: str, preset: str, switches: dict[str, Any], lines: list[str], directory: Path
) -> Receiver:
    """Return what arrives of the lines of a container and of a file of the user, and a last line of each."""
    (directory / "state").mkdir()
    (directory / "app.txt").write_text("\n".join([*TRACE, "next\n"]))
    cri = [f"2026-11-04T22:13:20.1Z stdout F {line}\n" for line in [*lines, "next"]]
    (directory / "pod_ns_app-0.log").write_text("".join(cri))
    case = directory / "values.json"
    log = directory / "log"
    with receiver() as sink, log.open("wb") as file:
        case.write_text(json.dumps(values(preset, switches, sink.port, directory)))
        command, env = fluent_bit(
            *(case, kind, directory),
            NODEOBS_CONTAINER_LOGS=f"{directory}/*.log",
            NODEOBS_HTTP_PORT=str(free_port()),
            NODEOBS_HTTP_LISTEN="127.0.0.1",
        )
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=file, stderr=file)
        try:
            wait_for(lambda: sink.text().count("next") == 2, "the last lines")
        finally:
            process.terminate()
            process.wait()
    return sink


@pytest.mark.parametrize(("kind", "preset", "switches"), CASES)
def test_a_multiline_parser_of_the_user_joins_lines_of_containers_and_of_own_inputs(
    kind: str, preset: str, switches: dict[str, Any], tmp_path: Path
) -> None:
    sink = received(kind, preset, switches, TRACE, tmp_path)
    assert joined(sink) == 2
    assert sink.text().count(TRACE[0]) == 2


@pytest.mark.parametrize("partial", ["keep", "join"])
def test_a_json_message_is_parsed_again_on_docker_nodes_unless_parts_are_joined(
    partial: str, tmp_path: Path
) -> None:
    # docs/reference/fluent-bit.md names this hole: a multiline filter sends its records through all filters.
    message = '{"a":1}'
    sent = received("docker", "http", {"partial": partial}, [message], tmp_path).records()
    (found,) = [one for one in sent if "a" in one or one.get("log") == message]
    assert ("stream" in found) == (partial == "join")
