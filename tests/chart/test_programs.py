"""The programs accept their rendered configuration: agent2, Fluent Bit (if installed), the parser kit."""

import io
import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from node_observability.parsers.configuration.sources import load
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import build
from tests.support.chart.cases import each_case
from tests.support.chart.programs import agent_file, fluent_bit, named
from tests.support.exporter import free_port
from tests.support.helm import CHART, render_text, rendered
from tests.support.tools import need
from tests.support.waiting import wait_for

MINIMAL = CHART / "ci" / "minimal-values.yaml"
UNUSED_ON_PURPOSE = {
    "extra-sections-values.yaml": "no input or filter uses the parser nginx_access"
}
"""Findings about a user's own sections."""
CRI_LINE = "2026-11-04T22:13:20.123456789Z stdout F hello\n"
DOCKER_LINE = '{"log":"hello\\n","stream":"stdout","time":"2026-11-04T22:13:20.123456789Z"}\n'


@each_case
def test_the_parser_kit_finds_nothing_in_the_rendered_pipelines(case: Path) -> None:
    text = render_text(case)
    if "fluent-bit.yaml" not in text:
        pytest.skip("the case has no Fluent Bit")
    for configuration in load("-", io.BytesIO(text.encode())):
        findings = lint(configuration, build(configuration, {}))
        expected = UNUSED_ON_PURPOSE.get(case.name, "")
        assert [found.text for found in findings if found.text != expected] == []


def ask_agent(path: Path, key: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [need("zabbix_agent2"), "-c", str(path), "-t", key],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", ["minimal", "everything", "only-zabbix", "karpenter"])
def test_a_real_agent_accepts_its_configuration_and_has_the_host_name_of_its_node(
    name: str, tmp_path: Path
) -> None:
    path = agent_file(CHART / "ci" / f"{name}-values.yaml", tmp_path)
    done = ask_agent(path, "agent.hostname", NODE_NAME="ip-10-0-1-23.example")
    assert done.returncode == 0, done.stderr
    assert "ip-10-0-1-23.example" in done.stdout


def test_the_host_metadata_has_the_words_that_auto_registration_matches(tmp_path: Path) -> None:
    path = agent_file(CHART / "ci" / "everything-values.yaml", tmp_path)
    done = ask_agent(path, "agent.hostmetadata", NODE_NAME="n")
    assert "[s|bottlerocket cluster=prod-eu nodegroup=system]" in done.stdout


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("zabbix", "zabbix:10051"),
        ("a;b", "a:10051;b:10051"),
        ("::1", "[::1]:10051"),
        (
            "2001:db8:0:1:1:1:1:1;[fe80::1];c",
            "[2001:db8:0:1:1:1:1:1]:10051;[fe80::1]:10051;c:10051",
        ),
    ],
)
def test_every_node_of_the_server_gets_the_port_and_every_ipv6_address_gets_brackets(
    address: str, expected: str
) -> None:
    text = render_text(json_sets=(f"zabbix.server.address={json.dumps(address)}",))
    assert f"    ServerActive={expected}\n" in text


def test_an_agent_without_a_node_name_exits_with_an_error(tmp_path: Path) -> None:
    done = ask_agent(agent_file(MINIMAL, tmp_path), "agent.hostname", NODE_NAME="")
    assert done.returncode == 1
    assert "value is empty" in done.stdout + done.stderr


def test_the_liveness_probe_passes_only_while_the_agent_runs(tmp_path: Path) -> None:
    path = agent_file(MINIMAL, tmp_path)
    daemonset = named(rendered(MINIMAL), "DaemonSet", "-zabbix-agent")
    assert daemonset
    (container, _) = daemonset["spec"]["template"]["spec"]["containers"]
    program = need("zabbix_agent2")
    configuration = container["command"][-1]
    probe = [
        part.replace(configuration, str(path)).replace(container["command"][0], program)
        for part in container["livenessProbe"]["exec"]["command"]
    ]

    env = {**os.environ, "NODE_NAME": "n"}

    def answers() -> bool:
        done = subprocess.run(probe, env=env, capture_output=True, check=False)
        return done.returncode == 0

    assert not answers()
    command = [program, "-f", "-c", str(path)]
    agent = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    try:
        wait_for(answers, "an answer of the agent", 20)
    finally:
        agent.kill()
        agent.wait()
    assert not answers()


@pytest.mark.parametrize("name", ["cri", "docker"])
@each_case
def test_a_real_fluent_bit_accepts_its_configuration(case: Path, name: str, tmp_path: Path) -> None:
    command, env = fluent_bit(case, name, tmp_path, "--dry-run")
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "line"), [("cri", CRI_LINE), ("docker", DOCKER_LINE), ("docker", CRI_LINE)]
)
def test_a_real_fluent_bit_ships_a_line_of_a_container_with_its_time(
    name: str, line: str, tmp_path: Path
) -> None:
    case = tmp_path / "values.yaml"
    case.write_text("fluentBit: {common: {kubernetesMetadata: false}}")
    (tmp_path / "logs").mkdir()
    (tmp_path / "state").mkdir()
    (tmp_path / "logs" / "pod_ns_app-0.log").write_text(line)
    command, env = fluent_bit(
        *(case, name, tmp_path),
        NODEOBS_CONTAINER_LOGS=f"{tmp_path}/logs/*.log",
        NODEOBS_HTTP_PORT=str(free_port()),
        NODEOBS_HTTP_LISTEN="127.0.0.1",
    )
    # Without stdbuf, it would print into a pipe only when it exits.
    process = subprocess.Popen(
        [need("stdbuf"), "-oL", *command],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout
    try:
        deadline = time.monotonic() + 20
        found = ""
        while not found.startswith("{") and time.monotonic() < deadline:
            found = process.stdout.readline()
    finally:
        process.terminate()
        process.communicate()
    record = json.loads(found)
    assert record["log"].rstrip("\n") == "hello"
    assert record["date"] == pytest.approx(1793830400.123456)
