"""The program that stands in for Fluent Bit on the tests' cluster: it watches the container logs."""

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.exporter import free_port
from tests.support.paths import ROOT
from tests.support.servers import fetch
from tests.support.tools import need
from tests.support.waiting import wait_for

SOURCE = ROOT / "tests/cluster/images/standin.go"
NAME = "talker-1_default_talker-0123456789abcdef.log"
LINE = f"stand-in: {NAME} can be read\n"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("standin") / "standin"
    environment = {
        **os.environ,
        "CGO_ENABLED": "0",
        "GO111MODULE": "off",
        "GOFLAGS": "-buildvcs=false",
    }
    subprocess.run([need("go"), "build", "-o", path, SOURCE], env=environment, check=True)
    return path


class Standin:
    """The program with a configuration, a directory of links and one of logs."""

    def __init__(self, program: Path, directory: Path) -> None:
        self.links, self.pods, state = (directory / name for name in ("links", "pods", "state"))
        for made in (self.links, self.pods, state):
            made.mkdir()
        self.configuration = directory / "main.yaml"
        self.included = directory / "included.yaml"
        self.configuration.write_text("includes:\n  - included.yaml\n")
        self.included.write_text("pipeline: {inputs: [{path: '${NODEOBS_CONTAINER_LOGS}'}]}\n")
        self.port = free_port()
        self.output = directory / "output"
        self._command: list[Path | str] = [program, "-c", self.configuration]
        self._environment = {
            "NODEOBS_CONTAINER_LOGS": f"{self.links}/*.log",
            "NODEOBS_STATE_DIR": str(state),
            "NODEOBS_HTTP_LISTEN": "127.0.0.1",
            "NODEOBS_HTTP_PORT": str(self.port),
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*self._command, *arguments],
                env=self._environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        return self.process

    def wait_for(self, happened: Callable[[], object], what: str) -> None:
        wait_for(happened, what, evidence=self.output.read_text, process=self.process)

    def wait_until_healthy(self) -> None:
        self.wait_for(lambda: "is whole" in self.output.read_text(), "its first line")
        self.wait_for(lambda: fetch(self.port, "/api/v1/health")[0] == 200, "its health")

    def add_log(self) -> None:
        (self.pods / "0.log").write_text("a line\n")

    def add_link(self) -> None:
        (self.links / NAME).symlink_to(self.pods / "0.log")


@pytest.fixture
def standin(program: Path, tmp_path: Path) -> Iterator[Standin]:
    made = Standin(program, tmp_path)
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


def test_it_reads_a_log_that_is_there_when_it_starts(standin: Standin) -> None:
    standin.add_log()
    standin.add_link()
    standin.start()
    standin.wait_for(lambda: LINE in standin.output.read_text(), "the log's name")


def test_it_reads_a_log_that_appears_after_its_start_once(standin: Standin) -> None:
    standin.start()
    standin.wait_until_healthy()
    assert "can be read" not in standin.output.read_text()
    standin.add_log()
    standin.add_link()
    standin.wait_for(lambda: LINE in standin.output.read_text(), "the log's name")
    (standin.links / "second.log").symlink_to(standin.pods / "0.log")
    standin.wait_for(lambda: "second.log" in standin.output.read_text(), "the second log's name")
    assert standin.output.read_text().count("can be read") == 2


def test_it_waits_for_the_log_of_a_link(standin: Standin) -> None:
    standin.add_link()
    standin.start()
    standin.wait_until_healthy()
    standin.add_log()
    standin.wait_for(lambda: LINE in standin.output.read_text(), "the log's name")


def test_it_ends_with_the_name_of_a_link_that_leads_nowhere(standin: Standin) -> None:
    standin.add_link()
    process = standin.start("-patience=300ms")
    assert process.wait(timeout=60) == 1
    assert NAME in standin.output.read_text()
    assert "no such file" in standin.output.read_text()


def test_it_ends_with_the_name_of_a_log_that_can_not_be_opened(standin: Standin) -> None:
    standin.start()
    standin.wait_until_healthy()
    process = standin.process
    assert process is not None
    (standin.links / NAME).symlink_to(standin.links / NAME)
    assert process.wait(timeout=60) == 1
    assert NAME in standin.output.read_text()


@pytest.mark.parametrize(
    ("file", "text", "complaint"),
    [
        ("main.yaml", "includes:\n  - other.yaml\n", "other.yaml: no such file"),
        (
            "included.yaml",
            "path: ${NODEOBS_NOWHERE}\n",
            "${NODEOBS_NOWHERE} is not in the environment",
        ),
    ],
)
def test_it_ends_with_what_is_wrong_with_the_configuration(
    standin: Standin, file: str, text: str, complaint: str
) -> None:
    (standin.configuration.parent / file).write_text(text)
    for arguments in ((), ("--dry-run",)):
        assert standin.start(*arguments).wait(timeout=60) == 1
        assert complaint in standin.output.read_text()


def test_a_dry_run_ends_without_a_look_at_logs(standin: Standin) -> None:
    standin.links.rmdir()
    assert standin.start("--dry-run").wait(timeout=60) == 0


def test_it_ends_with_success_when_its_pod_stops(standin: Standin) -> None:
    process = standin.start()
    standin.wait_until_healthy()
    process.terminate()
    assert process.wait(timeout=60) == 0
