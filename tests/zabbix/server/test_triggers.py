"""Triggers of host, agent and exporter: each is raised by its cause, and recovers when the cause is gone.

``test_template`` has those of log patterns. No test can cause a reboot, swap, a busy disk, or journal files
that root may not read or that crash their reader.
"""

import os
import shutil
import signal
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.chaos.disk import Disk
from tests.support.waiting import wait_for
from tests.support.zabbix.commands import APPLY, Command, shorten_intervals
from tests.support.zabbix.node import Node
from tests.support.zabbix.stack import Stack

NOT_LONG = "takes minutes; part of the long runs: pytest tests/zabbix --long"
COUNTED = {"Exporter counted lost entries", "Host log was changed by somebody else"}
_LAG_MAX_S = 5
_INCOMPATIBLE_FLAGS = 12  # where a journal file's header has them: systemd's JOURNAL_FILE_FORMAT


@pytest.fixture
def quick(applied: Stack, command: Command, *, long: bool) -> Iterator[Stack]:
    """Return a Zabbix that checks the template's items every 10 s."""
    if not long:
        pytest.skip(NOT_LONG)
    shorten_intervals(applied)
    yield applied
    assert command(*APPLY) == 0


def _raised(node: Node, wanted: set[str], timeout_s: float = 90) -> None:
    wait_for(lambda: node.problems() >= wanted, f"{wanted} to be raised", timeout_s)


def _recovered(node: Node, wanted: set[str], timeout_s: float = 90) -> None:
    wait_for(lambda: not node.problems() & wanted, f"{wanted} to recover", timeout_s)


def _close(node: Node, wanted: set[str]) -> None:
    """Close problems by hand; those that count events of the last hour allow it."""
    found = node.stack.call("problem.get", {"hostids": [node.id], "output": ["eventid", "name"]})
    for problem in found:
        if problem["name"].removeprefix("Bottlerocket: ") in wanted:
            node.stack.call("event.acknowledge", {"eventids": [problem["eventid"]], "action": 1})


def test_values_of_the_host_raise_triggers_with_lower_thresholds(quick: Stack, node: Node) -> None:
    wanted = {  # a threshold that raises the trigger, one that does not, and its name
        "{$CPU.UTIL.CRIT}": ("0", "100", "High CPU utilisation"),
        "{$LOAD_AVG_PER_CPU.MAX}": ("0", "999", "High load"),
        "{$MEMORY.AVAILABLE.PMIN}": ("100", "0", "Little memory available"),
        '{$NODEOBS.PRESSURE.MAX:"io"}': ("-1", "100", "Tasks wait for io"),
        '{$NODEOBS.PRESSURE.MAX:"memory"}': ("-1", "100", "Tasks wait for memory"),
        '{$VFS.FS.PUSED.MAX.CRIT:"/local"}': ("0", "100", "/local is nearly full"),
        '{$VFS.FS.INODE.PFREE.MIN:"/local"}': ("101", "0", "/local is short of inodes"),
        "{$NODEOBS.EXPORTER.VACUUM.MIN}": (
            "104w",
            "0",
            "Journal is about to delete unread entries",
        ),
    }
    names = {name for _, _, name in wanted.values()}
    assert quick.url
    node.restart_agent()
    key = "vfs.fs.size[/mnt/root/local,pused]"
    wait_for(lambda: key in {item["key_"] for item in node.items()}, "discovery", 60)
    for side in (0, 1):
        for macro, values in wanted.items():
            node.set_macro(macro, values[side])
        node.restart_agent()
        (_raised, _recovered)[side](node, names)
    node.clear_macros()


def test_a_stale_log_and_a_silent_agent_raise_triggers_until_they_are_back(
    quick: Stack, node: Node
) -> None:
    assert quick.url
    node.journald.send(b"the last one for a while", SYSLOG_IDENTIFIER="quiet")
    node.set_macro("{$NODEOBS.LOG.STALE}", "40s")
    node.set_macro("{$AGENT.NODATA_TIMEOUT}", "40s")
    node.restart_agent()
    _raised(node, {"Host log is stale"})
    node.journald.send(b"a line again", SYSLOG_IDENTIFIER="quiet")
    _recovered(node, {"Host log is stale"})
    node.agent.daemon.stop()
    _raised(node, {"Agent is silent"}, 150)
    node.agent.daemon.start()
    _recovered(node, {"Agent is silent"})
    node.clear_macros()


def test_an_exporter_that_does_not_answer_raises_a_trigger_until_it_does(
    quick: Stack, tmp_path: Path
) -> None:
    with Node(quick, tmp_path, "mute", trouble=lambda node: node.exporter.kill()) as node:
        _raised(node, {"Exporter does not answer"})
        node.exporter.start()
        _recovered(node, {"Exporter does not answer"})


def _damage(node: Node) -> None:
    """Add a corrupt journal file, and one with an unknown format."""
    (node.journald.persistent / "system@corrupt.journal").write_bytes(b"no journal" * 1000)
    newer = node.journald.persistent / "system@newer.journal"
    shutil.copy(node.journald.persistent / "system.journal", newer)
    with newer.open("r+b") as file:
        file.seek(_INCOMPATIBLE_FLAGS)
        file.write(struct.pack("<I", 1 << 30))
    node.exporter.wait_for(
        lambda: (
            node.exporter.metric("journal_files", '{state="corrupt"}') == 1
            and node.exporter.metric("journal_files", '{state="unsupported"}') == 1
        ),
        "the files to be seen",
    )


def _lose_and_change(node: Node) -> None:
    """Delete entries and change the host log while the exporter is down."""
    node.journald.send(b"the last that is read", SYSLOG_IDENTIFIER="lost")
    node.exporter.wait_for_line(b"the last that is read")
    node.exporter.kill()
    with node.exporter.output.open("ab") as output:
        output.write(b"what no journal says\n")
    node.journald.send_many([b"never read"] * 50, SYSLOG_IDENTIFIER="lost")
    node.journald.sync()
    node.journald.rotate()
    node.journald.send(b"the first after that", SYSLOG_IDENTIFIER="lost")
    node.journald.sync()
    for path in node.journald.persistent.glob("system@*.journal"):
        path.unlink()
    node.exporter.start()
    node.exporter.wait_for(
        lambda: (
            node.exporter.metric("entries_lost_total") >= 1
            and node.exporter.metric("recovery_mismatches_total") >= 1
        ),
        "the loss and the change to be counted",
    )


def _kill_worker(node: Node) -> None:
    worker = node.exporter.worker()
    os.kill(worker, signal.SIGKILL)
    wait_for(lambda: node.exporter.worker() != worker, "another worker")


def test_damaged_journals_crashes_and_losses_raise_triggers(quick: Stack, tmp_path: Path) -> None:
    files = {"Journal files: corrupt", "Journal files: unsupported"}
    with Node(quick, tmp_path, "damaged", trouble=_damage) as node:
        _raised(node, files)
        for path in node.journald.persistent.glob("system@*.journal"):
            path.unlink()
        _recovered(node, files)

        key = "nodeobs.exporter.lines.written"
        before = node.item(key)["lastclock"]
        wait_for(lambda: node.item(key)["lastclock"] > before, "the counters to be taken", 60)
        _lose_and_change(node)
        _raised(node, COUNTED)
        _close(node, COUNTED)
        _recovered(node, COUNTED)

        for _ in range(4):
            _kill_worker(node)
        _raised(node, {"Exporter's worker restarts"})
        _close(node, {"Exporter's worker restarts"})
        _recovered(node, {"Exporter's worker restarts"})


def test_what_was_counted_before_the_first_value_of_a_new_host_raises_triggers(
    quick: Stack, tmp_path: Path
) -> None:
    with Node(quick, tmp_path, "late", trouble=_lose_and_change) as node:
        _raised(node, COUNTED)


def test_an_exporter_that_hangs_raises_a_trigger_until_it_continues(
    quick: Stack, tmp_path: Path
) -> None:
    with Node(quick, tmp_path, "hanging") as node:
        node.journald.send(b"it goes", SYSLOG_IDENTIFIER="hanging")
        node.exporter.wait_for_line(b"it goes")
        worker = node.exporter.worker()
        os.kill(worker, signal.SIGSTOP)
        try:
            _raised(node, {"Exporter hangs"}, 420)
        finally:
            os.kill(worker, signal.SIGCONT)
        _recovered(node, {"Exporter hangs"})


def _fill_disk(node: Node) -> None:
    """Fill the exporter's disk, with entries that wait longer and longer."""
    node.journald.send(b"there is room", SYSLOG_IDENTIFIER="full")
    node.exporter.wait_for(
        lambda: node.exporter.metric("entries_read_total") >= 1, "an entry to be read"
    )
    node.journald.send_many([b"x" * 500] * 500, SYSLOG_IDENTIFIER="full")
    full = '{reason="enospc"}'
    node.exporter.wait_for(
        lambda: node.exporter.metric("output_blocked", full) == 1, "the disk to be full"
    )

    def behind() -> bool:
        node.journald.send(b"one more", SYSLOG_IDENTIFIER="full")
        return node.exporter.metric("lag_seconds") > _LAG_MAX_S

    node.exporter.wait_for(behind, "the lag to grow")


def test_a_full_disk_raises_triggers_for_itself_and_the_lag_until_there_is_room(
    quick: Stack, tmp_path: Path
) -> None:
    wanted = {"Exporter can't write the host log", "Exporter is behind"}
    with (
        Disk(tmp_path / "out" / "log", "64k") as disk,
        Node(quick, tmp_path, "full", prefix=disk.prefix, trouble=_fill_disk) as node,
    ):
        node.set_macro("{$NODEOBS.EXPORTER.LAG.MAX}", f"{_LAG_MAX_S}s")
        node.restart_agent()
        _raised(node, wanted)
        disk.remount("size=8M")
        _recovered(node, wanted)
