"""Runs the pipelines in a real ``fluent-bit``; skipped if none is on the PATH."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from node_observability.parsers.cases.files import find, read
from node_observability.parsers.configuration.to_classic import to_classic
from tests.support.exporter import free_port
from tests.support.fluentbit import need_fluent_bit
from tests.support.pipeline import FLUENT_BIT, Pipeline
from tests.support.receiver import Receiver, receiver
from tests.support.servers import fetch
from tests.support.waiting import wait_for

INPUTS = sorted(path.stem for path in FLUENT_BIT.glob("input-*.yaml"))
CONTAINER_INPUTS = [name for name in INPUTS if name.startswith(("input-cri", "input-docker"))]
OUTPUTS = sorted(path.stem for path in FLUENT_BIT.glob("output-*.yaml"))
ABSENT = "tried to instance a plugin name that doesn't exist"

pytestmark = pytest.mark.usefixtures("fluent_bit")


@pytest.fixture(scope="session")
def fluent_bit() -> str:
    return need_fluent_bit()


def cri(text: str, tag: str = "F", stream: str = "stdout", second: int = 9) -> bytes:
    return f"2016-10-06T00:17:{second:02}.5Z {stream} {tag} {text}".encode()


def docker(text: str) -> bytes:
    record = {"log": text, "stream": "stdout", "time": "2016-10-06T00:17:09.5Z"}
    return json.dumps(record).encode()


def logs(pipeline: Pipeline) -> list[object]:
    return [record.fields.get("log") for record in pipeline.records()]


@pytest.mark.parametrize("output", OUTPUTS)
def test_fluent_bit_accepts_every_output(output: str, tmp_path: Path) -> None:
    fragments = ["input-cri", "input-journal", "input-messages", "filter-kubernetes"]
    done = Pipeline(tmp_path, fragments, outputs=[output]).dry_run()
    if ABSENT in done.stderr:
        pytest.skip(f"this fluent-bit is built without {output}")
    assert done.returncode == 0, done.stderr
    assert "[error]" not in done.stderr


@pytest.mark.parametrize("name", CONTAINER_INPUTS)
def test_fluent_bit_accepts_every_input(name: str, tmp_path: Path) -> None:
    done = Pipeline(tmp_path, [name, "filter-kubernetes"], outputs=["output-stdout"]).dry_run()
    assert done.returncode == 0, done.stderr


def in_classic_format(pipeline: Pipeline) -> None:
    for path in pipeline.main.parent.glob("*.yaml"):
        path.with_suffix(".conf").write_text(to_classic(path.read_text(), path.name).text)
    pipeline.main = pipeline.main.with_suffix(".conf")


@pytest.mark.parametrize("name", CONTAINER_INPUTS)
def test_a_pipeline_and_its_conversion_make_the_same_records_of_the_corpus(
    name: str, tmp_path: Path
) -> None:
    cases = [case for path in find([FLUENT_BIT / "cases"]) for case in read(path).cases]
    lines = [line for case in cases for line in case.lines if line]
    results = []
    for form in ("yaml", "classic"):
        pipeline = Pipeline(tmp_path / form, [name])
        if form == "classic":
            in_classic_format(pipeline)
        pipeline.append("corpus", *lines, cri("the end"))
        with pipeline.running():
            wait_for(lambda pipeline=pipeline: b"the end" in logs(pipeline), "the last line")  # type: ignore[misc]
        results.append(
            [
                (record.fields, None if record.is_now else (record.seconds, record.nanoseconds))
                for record in pipeline.records()
            ]
        )
    assert results[0] == results[1]
    assert len(results[0]) > 250


@pytest.fixture
def sink() -> Iterator[Receiver]:
    with receiver() as running:
        yield running


@pytest.mark.parametrize(
    ("output", "prefix", "port", "path"),
    [
        ("output-http", "HTTP", "TO_PORT", "/logs"),
        ("output-es", "ES", "PORT", "/_bulk"),
        ("output-opensearch", "OPENSEARCH", "PORT", "/_bulk"),
        ("output-loki", "LOKI", "PORT", "/loki/api/v1/push"),
    ],
)
def test_records_and_credentials_reach_a_server(
    output: str, prefix: str, port: str, path: str, sink: Receiver, tmp_path: Path
) -> None:
    variables = {
        f"NODEOBS_{prefix}_{port}": str(sink.port),
        f"NODEOBS_{prefix}_TLS": "off",
        f"NODEOBS_{prefix}_USER": "user",
        f"NODEOBS_{prefix}_PASSWORD": "secret",
        "NODEOBS_HTTP_URI": "/logs",
    }
    pipeline = Pipeline(tmp_path, ["input-cri"], outputs=[output], **variables)
    if ABSENT in pipeline.dry_run().stderr:
        pytest.skip(f"this fluent-bit is built without {output}")
    pipeline.append("web", cri("hello"))
    with pipeline.running():
        wait_for(lambda: "hello" in sink.text(), "the record at the server")
    assert {(found, user) for found, user, _ in sink.requests} == {(path, "Basic dXNlcjpzZWNyZXQ=")}
    assert "2016-10-06T00:17:09.5" in sink.text() or "14757130295" in sink.text()


def test_records_reach_another_fluent_bit_and_are_acknowledged(tmp_path: Path) -> None:
    port = str(free_port())
    receiver = Pipeline(tmp_path / "receiver", [])
    receiver.write_main(
        "  inputs:",
        "    - name: forward",
        "      listen: 127.0.0.1",
        f"      port: {port}",
        "      shared_key: key",
    )
    variables = {"NODEOBS_FORWARD_PORT": port, "NODEOBS_FORWARD_SHARED_KEY": "key"}
    sender = Pipeline(tmp_path / "sender", ["input-cri"], outputs=["output-forward"], **variables)
    sender.append("web", cri("one"), cri("two"))
    with receiver.running(), sender.running():
        records = receiver.wait_for(2)
    assert [(record.fields["log"], record.seconds, record.nanoseconds) for record in records] == [
        (b"one", 1475713029, 500000000),
        (b"two", 1475713029, 500000000),
    ]


def test_standard_output_has_one_json_object_per_line(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"], outputs=["output-stdout"])
    pipeline.append("web", cri("hello"))
    with pipeline.running():
        wait_for(lambda: b"hello" in (tmp_path / "stdout").read_bytes(), "the record")
    (line,) = [
        text
        for text in (tmp_path / "stdout").read_text().splitlines()
        if text.startswith('{"date"')
    ]
    assert json.loads(line)["log"] == "hello"


def test_health_and_metrics_are_served(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", cri("hello"))
    with pipeline.running():
        pipeline.wait_for(1)
        wait_for(
            lambda: (
                'fluentbit_input_records_total{name="containers"} 1'
                in pipeline.get("/api/v2/metrics/prometheus")[1]
            ),
            "the metric",
        )
        assert pipeline.get("/api/v1/health") == (200, "ok\n")


def test_a_restart_repeats_nothing_and_loses_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", *(cri(f"a{number}") for number in range(100)))
    with pipeline.running():
        pipeline.wait_for(100)
    pipeline.append("web", *(cri(f"b{number}") for number in range(100)))
    with pipeline.running():
        pipeline.wait_for(200)
    expected = [f"{run}{number}".encode() for run in "ab" for number in range(100)]
    assert logs(pipeline) == expected


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", *(cri(f"a{number}") for number in range(100)))
    with pipeline.running() as process:
        pipeline.wait_for(100)
        process.kill()
        process.wait()
    pipeline.append("web", cri("b"))
    with pipeline.running():
        wait_for(lambda: b"b" in logs(pipeline), "the line after the kill")
    assert set(logs(pipeline)) == {*(f"a{number}".encode() for number in range(100)), b"b"}


def test_a_rotated_file_is_read_to_its_end(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", cri("a"))
    with pipeline.running():
        pipeline.wait_for(1)
        log = pipeline.file("web")
        rotated = log.with_name("0.log.20161006-001710")
        log.rename(rotated)
        with rotated.open("ab") as file:
            file.write(cri("b") + b"\n")
        pipeline.append("web", cri("c"))
        pipeline.wait_for(3)
    assert sorted(map(str, logs(pipeline))) == ["b'a'", "b'b'", "b'c'"]


def test_a_reload_applies_the_new_configuration_and_loses_nothing(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", cri("before"), cri("a", "P"), cri("b"))
    with pipeline.running():
        pipeline.wait_for(3)
        pipeline.fragments = ["service", "input-cri-join"]
        pipeline.write_main()
        status, _ = fetch(pipeline.port, "/api/v2/reload", "POST", b"{}")
        assert status == 200
        wait_for(lambda: '"hot_reload_count":1' in pipeline.get("/api/v2/reload")[1], "the reload")
        pipeline.append("web", cri("c", "P"), cri("d"))
        pipeline.wait_for(4)
    assert logs(pipeline) == [b"before", b"a", b"b", b"cd"]


def test_fluent_bit_does_not_read_its_own_logs(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("fluent-bit-abcde_logging_fluent-bit", cri("own"))
    pipeline.append("web", cri("other"))
    with pipeline.running():
        pipeline.wait_for(1)
        wait_for(lambda: b"other" in logs(pipeline), "the other log")
    assert logs(pipeline) == [b"other"]


@pytest.mark.parametrize("name", ["input-docker", "input-docker-exact", "input-docker-join"])
def test_the_docker_side_reads_lines_of_both_runtimes(name: str, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, [name])
    pipeline.append("docker", docker("docker\n"))
    pipeline.append("containerd", cri("containerd"))
    with pipeline.running():
        records = pipeline.wait_for(2)
    assert {record.fields["log"] for record in records} == {b"docker\n", b"containerd"}
    assert {(record.seconds, record.nanoseconds) for record in records} == {(1475713029, 500000000)}


@pytest.mark.parametrize("name", ["input-cri-join", "input-docker-join"])
def test_parts_are_joined_for_each_stream_and_file(name: str, tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, [name])
    pipeline.append("a", cri("a1", "P"), cri("err", "P", "stderr"), cri("a2"))
    pipeline.append("b", cri("b1", "P"), cri("b2"), cri("or", "F", "stderr"))
    pipeline.append("a", cri("or", "F", "stderr"))
    with pipeline.running():
        pipeline.wait_for(4)
    assert sorted(map(str, logs(pipeline))) == ["b'a1a2'", "b'b1b2'", "b'error'", "b'or'"]


def test_a_pending_part_is_lost_when_fluent_bit_stops(tmp_path: Path) -> None:
    # docs/reference/fluent-bit.md names this hole: Fluent Bit stores the offset before the part is out.
    pipeline = Pipeline(tmp_path, ["input-cri-join"])
    pipeline.append("web", cri("first"), cri("part", "P"))
    with pipeline.running():
        pipeline.wait_for(1)
    pipeline.append("web", cri("rest"))
    with pipeline.running():
        pipeline.wait_for(2)
    assert logs(pipeline) == [b"first", b"rest"]


def test_a_line_longer_than_the_buffer_is_cut_and_the_next_line_is_read(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-cri"])
    pipeline.append("web", cri("x" * 3_000_000), cri("after"))
    with pipeline.running():
        wait_for(lambda: b"after" in logs(pipeline), "the line behind it")
    first, last = logs(pipeline)
    assert isinstance(first, bytes)
    assert 900_000 < len(first) <= 1_000_000
    assert last == b"after"


def test_the_host_log_is_read(tmp_path: Path) -> None:
    pipeline = Pipeline(tmp_path, ["input-messages"])
    (tmp_path / "messages").write_text(
        "2026-11-04T22:13:20.123456+00:00 host kubelet[1001]: SyncLoop ADD\n"
    )
    with pipeline.running():
        (record,) = pipeline.wait_for(1)
    assert record.fields == {
        "host": b"host",
        "ident": b"kubelet",
        "pid": 1001,
        "message": b"SyncLoop ADD",
    }


def test_records_stay_on_disk_while_the_output_is_down(tmp_path: Path) -> None:
    port = str(free_port())
    variables = {"NODEOBS_HTTP_TO_PORT": port, "NODEOBS_HTTP_TLS": "off"}
    pipeline = Pipeline(tmp_path, ["input-cri"], outputs=["output-http"], **variables)
    pipeline.append("web", cri("kept"))
    with pipeline.running():
        wait_for(lambda: any((tmp_path / "state" / "buffer").rglob("*.flb")), "a chunk on disk")
    chunks = list((tmp_path / "state" / "buffer").rglob("*.flb"))
    assert any(b"kept" in chunk.read_bytes() for chunk in chunks)
    assert os.listdir(tmp_path / "state")  # noqa: PTH208 - only whether there is something


def test_exclude_patterns_match_the_whole_path_of_the_link(tmp_path: Path) -> None:
    own, other = "logs-fluent-bit-cri-x7k2p_ns_fluent-bit-0", "my-fluent-bit-tool_ns_app-0"
    pipeline = Pipeline(
        tmp_path,
        ["input-cri"],
        # The first pattern is for another directory, so it excludes nothing here.
        NODEOBS_EXCLUDE_LOGS=f"/elsewhere/*.log,{tmp_path}/containers/logs-*_ns_fluent-bit-*.log",
    )
    for name in (own, other):
        target = tmp_path / f"{name}.txt"
        target.write_bytes(cri(name) + b"\n")
        (pipeline.logs / f"{name}.log").symlink_to(target)
    with pipeline.running():
        pipeline.wait_for(1)
    assert logs(pipeline) == [other.encode()]
