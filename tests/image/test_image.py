"""The image in a container: read-only root, no capabilities, no new privileges."""

import lzma
import os
import re
import time
import tomllib
from pathlib import Path

import pytest

from tests.support.image.containers import Container, StartContainer
from tests.support.paths import ROOT
from tools.image_rootfs import Image
from tools.sample_journal import MACHINE_ID, JournalAppender, realistic, write_journal

_BOOT_ID = "b0071d00" * 4
_ENTRIES = 500
_SYSTEMD_JOURNAL = 4242
"""The group of journal files: a node allots the number at boot."""
_ANY_USER = 12345


def _entries(count: int, seed: int = 1) -> list[bytes]:
    start_us = time.time_ns() // 1000 - 60_000_000
    some = realistic(count, start_realtime_us=start_us, step_us=100, seed=seed, boot_id=_BOOT_ID)
    return list(some)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Make the journal of a node, with the owner and the modes that journald gives it."""
    path = tmp_path / "journal" / MACHINE_ID / "system.journal"
    path.parent.mkdir(parents=True)
    write_journal(path, _entries(_ENTRIES))
    _own(path)
    return path


def _own(path: Path) -> None:
    for directory in (path.parent, path.parent.parent):
        os.chown(directory, 0, _SYSTEMD_JOURNAL)
        directory.chmod(0o2755)
    os.chown(path, 0, _SYSTEMD_JOURNAL)
    path.chmod(0o640)


def _follows_and_stops(container: Container, journal: Path) -> None:
    container.wait_for(lambda: len(container.lines()) == _ENTRIES, "the lines of the past")
    with JournalAppender(journal) as appender:
        appender.append(b"".join(_entries(3, seed=2)))
        appender.flush()
        container.wait_for(lambda: len(container.lines()) == _ENTRIES + 3, "new lines")
    container.wait_for(lambda: container.get("/readyz")[0] == 200, "readiness")
    assert container.get("/livez")[0] == 200
    status, metrics = container.get("/metrics")
    assert status == 200
    assert f"journal_exporter_entries_read_total {_ENTRIES + 3}.0" in metrics
    code, took_s = container.stop()
    assert code == 0, container.log_text()
    assert took_s < 1.0
    assert (container.state / "checkpoint").exists()
    assert container.changed() == []


def test_root_without_capabilities_reads_follows_answers_and_stops(
    start: StartContainer, journal: Path
) -> None:
    _follows_and_stops(start(), journal)


def test_any_user_in_the_journals_group_does_the_same(start: StartContainer, journal: Path) -> None:
    container = start(user=_ANY_USER, groups=[_SYSTEMD_JOURNAL])
    _follows_and_stops(container, journal)
    assert (container.log / "messages").stat().st_uid == _ANY_USER


@pytest.mark.usefixtures("journal")
def test_a_user_who_may_not_read_the_journal_is_told_so(start: StartContainer) -> None:
    container = start(user=_ANY_USER)
    assert container.wait() == 2
    assert "run as root or in the group systemd-journal" in container.log_text()


@pytest.mark.usefixtures("journal")
def test_every_process_is_confined_as_the_specification_says(start: StartContainer) -> None:
    container = start()
    container.wait_for(lambda: container.get("/readyz")[0] == 200, "readiness")
    for process_id in container.process_ids():
        status = Path(f"/proc/{process_id}/status").read_text()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
            assert re.search(rf"^Cap{kind}:\t0+$", status, re.MULTILINE)
        mounts = Path(f"/proc/{process_id}/mounts").read_text()
        assert re.search(r"^\S+ / overlay ro\b", mounts, re.MULTILINE)
        assert re.search(r"^\S+ /host/var/log/journal \S+ ro\b", mounts, re.MULTILINE)


def test_nothing_is_written_where_the_root_file_system_would_allow_it(
    start: StartContainer, journal: Path
) -> None:
    # Python too writes what it likes here: that it doesn't shows that all bytecode is there, and valid.
    container = start(read_only=False, environment={"PYTHONDONTWRITEBYTECODE": ""})
    _follows_and_stops(container, journal)


@pytest.mark.parametrize("compression", ["zstd", "lz4", "xz"])
def test_journals_of_every_compression_are_read(
    start: StartContainer, tmp_path: Path, compression: str
) -> None:
    directory = tmp_path / "journal"
    directory.mkdir()
    packed = Path(__file__).parent / "journals" / f"{compression}.journal.xz"
    (directory / "system.journal").write_bytes(lzma.decompress(packed.read_bytes()))
    container = start()
    container.wait_for(lambda: len(container.lines()) == 5, "five lines")
    for number, line in enumerate(container.lines()):
        assert line.endswith(b" sample: entry %d %b" % (number, b"compressible " * 100))


def test_the_whole_package_and_its_pins_are_in_the_image(image: Image) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (site,) = image.rootfs.glob("opt/journal-exporter/lib/python3*/site-packages")
    wanted = {path.name for path in (ROOT / "journal_exporter").glob("*.py")}
    assert {path.name for path in (site / "journal_exporter").glob("*.py")} == wanted
    found = {
        path.name.removesuffix(path.suffix)
        for directory in (site, image.rootfs / "usr/lib/python3/dist-packages")
        for path in directory.iterdir()
        if path.suffix in (".dist-info", ".egg-info")
    }
    pins = {pin.replace("-", "_") for pin in project["optional-dependencies"]["exporter"]}
    own = f"node_observability-{project['version']}"
    assert found == {own, *(pin.replace("==", "-") for pin in pins)}


def test_nothing_for_building_is_in_the_image(image: Image) -> None:
    packages = (image.rootfs / "var/lib/dpkg/status").read_text()
    installed = set(re.findall(r"^Package: (\S+)$", packages, re.MULTILINE))
    assert {"python3", "python3-systemd", "libsystemd0"} <= installed
    unwanted = re.compile(
        r"gcc(-\d+)?$|g\+\+|make$|.*-dev$|.*-pip$|python3-(venv|setuptools|wheel)|ca-certificates"
    )
    assert sorted(filter(unwanted.match, installed)) == []
    for directory in ("var/lib/apt/lists", "var/cache/apt", "var/log", "tmp", "src", "root/.cache"):
        assert not list((image.rootfs / directory).glob("*")), directory


def test_the_image_says_what_it_is(image: Image) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    labels = image.config["Labels"]
    assert labels["org.opencontainers.image.title"] == "journal-exporter"
    assert labels["org.opencontainers.image.licenses"] == project["license"]
    assert labels["org.opencontainers.image.version"] == project["version"]
    assert "org.opencontainers.image.source" in labels
    assert image.process == ["journal-exporter", "run", "--journal-root", "/host"]
    assert image.config["ExposedPorts"] == {"9465/tcp": {}}
    assert image.config["StopSignal"] == "SIGTERM"
