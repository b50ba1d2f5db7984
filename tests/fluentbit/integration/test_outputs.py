"""Outputs in a real ``fluent-bit``: each preset starts, verifies certificates, and uses its variables."""

import json
import os
import socketserver
import ssl
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml

from tests.support.certificates import Authority
from tests.support.chart.programs import fluent_bit
from tests.support.exporter import free_port
from tests.support.fluentbit import need_fluent_bit
from tests.support.helm import CHART
from tests.support.pipeline import Pipeline
from tests.support.receiver import receiver
from tests.support.servers import fetch, running
from tests.support.waiting import wait_for

LINE = b"2016-10-06T00:17:09.5Z stdout F hello"
NEEDS = yaml.safe_load((CHART / "files" / "presets.yaml").read_text())
ENCRYPTED = {
    "http": "HTTP_TO_PORT",
    "es": "ES_PORT",
    "opensearch": "OPENSEARCH_PORT",
    "loki": "LOKI_PORT",
    "opentelemetry": "OTEL_PORT",
    "splunk": "SPLUNK_PORT",
}
"""Outputs that send over HTTPS to any port, with the variable of the port."""

OVER_TCP = {
    "forward": {"NODEOBS_FORWARD_HOST": "127.0.0.1", "NODEOBS_FORWARD_TLS": "on"},
    "kafka": {"NODEOBS_KAFKA_PROTOCOL": "ssl"},
}
"""Outputs that send over TLS, but not over HTTP."""

pytestmark = pytest.mark.usefixtures("program")


@pytest.fixture(scope="session")
def program() -> str:
    return need_fluent_bit()


@pytest.mark.parametrize("preset", NEEDS)
def test_a_preset_with_only_its_required_values_starts(preset: str, tmp_path: Path) -> None:
    output = {"preset": preset, **({"existingSecret": "s"} if NEEDS[preset].get("secrets") else {})}
    names = NEEDS[preset].get("variables", [])
    variables = {
        name: "eu-west-1"
        if name.endswith("REGION")
        else "127.0.0.1:9"
        if "BROKERS" in name
        else "h"
        for name in names
    }
    common = {"kubernetesMetadata": False, "output": output, "variables": variables}
    case = tmp_path / "values.json"
    case.write_text(json.dumps({"fluentBit": {"common": common}}))
    (tmp_path / "state").mkdir()
    port = free_port()
    command, env = fluent_bit(
        *(case, "cri", tmp_path),
        NODEOBS_HTTP_PORT=str(port),
        NODEOBS_HTTP_LISTEN="127.0.0.1",
        NODEOBS_CONTAINER_LOGS=f"{tmp_path}/*.log",
        # Otherwise AWS outputs would ask the metadata service of a virtual machine.
        AWS_EC2_METADATA_DISABLED="true",
    )
    log = tmp_path / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, env={**os.environ, **env}, stdout=file, stderr=file)
        try:
            wait_for(lambda: fetch(port, "/api/v1/health")[0] == 200, "healthy")
        finally:
            process.kill()
            process.wait()
    assert "unknown configuration property" not in log.read_text()


def encrypted(preset: str, port: int, directory: Path, **tls: str) -> Pipeline:
    prefix = ENCRYPTED[preset].partition("_")[0]
    variables = {
        f"NODEOBS_{ENCRYPTED[preset]}": str(port),
        f"NODEOBS_{prefix}_HOST": "127.0.0.1",
        f"NODEOBS_{prefix}_TLS": "on",
        "NODEOBS_SPLUNK_TOKEN": "token",
        **tls,
    }
    pipeline = Pipeline(directory, ["input-cri"], outputs=[f"output-{preset}"], **variables)
    pipeline.append("web", LINE)
    return pipeline


@pytest.mark.parametrize("preset", ENCRYPTED)
def test_an_output_trusts_the_certificate_authorities_that_it_is_given(
    preset: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    certificate = authority.issue("server", "IP:127.0.0.1")
    with receiver(certificate=certificate) as sink:
        own = {"NODEOBS_TLS_CA_FILE": str(authority.certificate)}
        with encrypted(preset, sink.port, tmp_path / "own", **own).running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")


def test_an_unknown_certificate_is_refused_unless_verification_is_off(tmp_path: Path) -> None:
    certificate = Authority(tmp_path / "ca").issue("server", "IP:127.0.0.1")
    with receiver(certificate=certificate) as sink:
        pipeline = encrypted("http", sink.port, tmp_path / "verified")
        with pipeline.running():
            log = tmp_path / "verified" / "stderr"
            wait_for(lambda: "certificate" in log.read_text(), "a refused certificate")
        assert sink.requests == []
        off = {"NODEOBS_TLS_VERIFY": "false"}
        with encrypted("http", sink.port, tmp_path / "any", **off).running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")


class _Quiet(socketserver.ThreadingTCPServer):
    """Ignores clients that refuse the certificate."""

    daemon_threads = True

    def handle_error(self, _request: object, _client_address: object) -> None:
        return


@contextmanager
def listening(certificate: tuple[Path, Path]) -> Iterator[tuple[int, list[bytes]]]:
    """Yield a port with TLS, and what arrives there first on each connection."""
    found: list[bytes] = []

    class First(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            with context.wrap_socket(self.request, server_side=True) as connection:
                found.append(connection.recv(4096))

    server = _Quiet(("127.0.0.1", 0), First)
    with running(server):
        yield server.server_address[1], found


def over_tcp(preset: str, port: int, directory: Path, **tls: str) -> Pipeline:
    place = {"NODEOBS_FORWARD_PORT": str(port), "NODEOBS_KAFKA_BROKERS": f"127.0.0.1:{port}"}
    variables = {**OVER_TCP[preset], **place, **tls}
    pipeline = Pipeline(directory, ["input-cri"], outputs=[f"output-{preset}"], **variables)
    pipeline.append("web", LINE)
    return pipeline


@pytest.mark.parametrize("preset", OVER_TCP)
def test_forward_and_kafka_verify_certificates_with_the_authorities_that_they_are_given(
    preset: str, tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "ca")
    with listening(authority.issue("server", "IP:127.0.0.1")) as (port, found):
        with over_tcp(preset, port, tmp_path / "verified").running():
            log = tmp_path / "verified" / "stderr"
            wait_for(lambda: "certificate" in log.read_text(), "a refused certificate")
        assert not any(found)
        own = {"NODEOBS_TLS_CA_FILE": str(authority.certificate)}
        with over_tcp(preset, port, tmp_path / "own", **own).running():
            wait_for(lambda: any(found), "data for the server")
        found.clear()
        off = {"NODEOBS_TLS_VERIFY": "false"}
        with over_tcp(preset, port, tmp_path / "any", **off).running():
            wait_for(lambda: any(found), "data for the server")


def test_splunk_gets_the_token_the_index_and_the_node(tmp_path: Path) -> None:
    with receiver() as sink:
        variables = {
            "NODEOBS_SPLUNK_PORT": str(sink.port),
            "NODEOBS_SPLUNK_TLS": "off",
            "NODEOBS_SPLUNK_TOKEN": "secret",
            "NODEOBS_SPLUNK_INDEX": "nodes",
            "NODEOBS_NODE": "ip-10-0-0-1.ec2.internal",
        }
        pipeline = Pipeline(tmp_path, ["input-cri"], outputs=["output-splunk"], **variables)
        pipeline.append("web", LINE)
        with pipeline.running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")
    ((path, authorization, body),) = sink.requests
    assert (path, authorization) == ("/services/collector/event", "Splunk secret")
    found = json.loads(body)
    assert (found["index"], found["host"]) == ("nodes", "ip-10-0-0-1.ec2.internal")
    assert (found["time"], found["event"]["log"]) == (1475713029.5, "hello")


def test_opentelemetry_gets_the_credentials_the_message_its_time_and_the_other_fields(
    tmp_path: Path,
) -> None:
    with receiver() as sink:
        variables = {
            "NODEOBS_OTEL_PORT": str(sink.port),
            "NODEOBS_OTEL_TLS": "off",
            "NODEOBS_OTEL_USER": "user",
            "NODEOBS_OTEL_PASSWORD": "secret",
        }
        pipeline = Pipeline(tmp_path, ["input-cri"], outputs=["output-opentelemetry"], **variables)
        pipeline.append("web", LINE)
        with pipeline.running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")
    ((path, authorization, body),) = sink.requests
    assert (path, authorization) == ("/v1/logs", "Basic dXNlcjpzZWNyZXQ=")
    # The protobuf field time_unix_nano of a log record.
    assert b"\x09" + struct.pack("<Q", 1475713029500000000) in body
    assert b"logtag" in body


@pytest.mark.parametrize("output", ["http", "opentelemetry"])
def test_a_header_with_a_credential_reaches_the_server(output: str, tmp_path: Path) -> None:
    prefix, port = ("HTTP", "HTTP_TO_PORT") if output == "http" else ("OTEL", "OTEL_PORT")
    with receiver() as sink:
        variables = {
            f"NODEOBS_{port}": str(sink.port),
            f"NODEOBS_{prefix}_TLS": "off",
            f"NODEOBS_{prefix}_HEADER": "Authorization Bearer secret",
        }
        pipeline = Pipeline(tmp_path, ["input-cri"], outputs=[f"output-{output}"], **variables)
        pipeline.append("web", LINE)
        with pipeline.running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")
    assert {authorization for _, authorization, _ in sink.requests} == {"Bearer secret"}


def test_loki_gets_the_labels_and_the_label_keys(tmp_path: Path) -> None:
    with receiver() as sink:
        variables = {
            "NODEOBS_LOKI_PORT": str(sink.port),
            "NODEOBS_LOKI_LABELS": "job=nodes, env=prod",
            "NODEOBS_LOKI_LABEL_KEYS": "$logtag",
        }
        pipeline = Pipeline(tmp_path, ["input-cri"], outputs=["output-loki"], **variables)
        pipeline.append("web", LINE)
        with pipeline.running():
            wait_for(lambda: "hello" in sink.text(), "the record at the server")
    ((_, _, body),) = sink.requests
    (stream,) = json.loads(body)["streams"]
    wanted = {"job": "nodes", "env": "prod", "cluster": "cluster", "logtag": "F"}
    assert wanted.items() <= stream["stream"].items()
