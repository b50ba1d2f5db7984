"""Make a real journal with the messages of a Bottlerocket node, for demos, tests and benches.

python -m tools.sample_journal --directory DIR --entries 100000 --follow --rate 100
"""

import argparse
import os
import random
import re
import signal
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.journal_writer import (
    JournalAppender,
    JournalRemoteError,
    encode_field,
    export_entry,
    write_journal,
)
from tools.sample_messages import PROGRAMS

__all__ = [
    "MACHINE_ID",
    "JournalAppender",
    "JournalRemoteError",
    "encode_field",
    "export_entry",
    "realistic",
    "write_journal",
]

MACHINE_ID = "ec2b0771e0c0be5a3b1e0d8f2f1f5a11"
_HOSTNAME = "ip-10-0-42-17.eu-central-1.compute.internal"
_PRIORITY = re.compile(r"<(\d)>(.*)", re.DOTALL)
_BLOCK = 256
_TICK_S = 0.05
_STEP_US = 100_000
_UPTIME_US = 60_000_000


def realistic(
    count: int,
    *,
    start_realtime_us: int,
    step_us: int,
    seed: int,
    boot_id: str,
    boot_realtime_us: int | None = None,
    machine_id: str = MACHINE_ID,
) -> Iterator[bytes]:
    """Yield the entries of a Bottlerocket node, always the same ones for the same arguments.

    The monotonic clock counts from `boot_realtime_us`, by default a minute before the first entry.
    """
    rng = random.Random(seed)  # noqa: S311 - sample data
    templates, weights = _templates(boot_id, machine_id)
    ids = [b"%064x" % rng.getrandbits(256) for _ in range(256)]
    uids = [str(uuid.UUID(int=rng.getrandbits(128))).encode() for _ in range(256)]
    pods = [b"team-%d/app-%x-%x" % (i % 9, rng.getrandbits(36), i) for i in range(256)]
    boot = start_realtime_us - _UPTIME_US if boot_realtime_us is None else boot_realtime_us
    chosen: list[tuple[bytes, bytes]] = []
    values: dict[bytes, int | bytes] = {}
    second = -1
    for n in range(count):
        if not n % _BLOCK:
            chosen = rng.choices(templates, cum_weights=weights, k=_BLOCK)
        realtime = start_realtime_us + n * step_us
        if realtime // 1_000_000 != second:
            second = realtime // 1_000_000
            values.update(_clocks(second))
        bits = rng.getrandbits(40)
        values[b"rt"] = realtime
        values[b"mono"] = realtime - boot
        values[b"us"] = realtime % 1_000_000
        values[b"n"] = n
        values[b"hex"] = ids[bits & 255]
        values[b"uid"] = uids[bits >> 8 & 255]
        values[b"pod"] = pods[bits >> 16 & 255]
        values[b"num"] = bits >> 24
        head, multiline = chosen[n % _BLOCK]
        if multiline:
            yield head % values + encode_field("MESSAGE", multiline % values) + b"\n"
        else:
            yield head % values


def _clocks(second: int) -> dict[bytes, bytes]:
    now = time.gmtime(second)
    return {
        b"klog": time.strftime("%m%d %H:%M:%S", now).encode(),
        b"iso": time.strftime("%Y-%m-%dT%H:%M:%S", now).encode(),
        b"clock": time.strftime("%H:%M:%S", now).encode(),
        b"syslog": time.strftime("%b %e %H:%M:%S ", now).encode(),
    }


def _templates(boot_id: str, machine_id: str) -> tuple[list[tuple[bytes, bytes]], list[float]]:
    """Return (entry, "") or (entry without message, multi-line message), and running weights."""
    templates: list[tuple[bytes, bytes]] = []
    weights: list[float] = []
    for program in PROGRAMS:
        for message in program.messages:
            marked = _PRIORITY.match(message)
            priority, text = marked.groups() if marked else ("6", message)
            head = [
                b"__REALTIME_TIMESTAMP=%(rt)d\n__MONOTONIC_TIMESTAMP=%(mono)d\n",
                encode_field("_BOOT_ID", boot_id.encode()),
                encode_field("_MACHINE_ID", machine_id.encode()),
                encode_field("_HOSTNAME", _HOSTNAME.encode()),
                encode_field("PRIORITY", priority.encode()),
                *(encode_field(name, value.encode()) for name, value in program.fields),
            ]
            if ("_TRANSPORT", "kernel") in program.fields:
                head.append(b"_SOURCE_MONOTONIC_TIMESTAMP=%(mono)d\n")
            if ("_TRANSPORT", "syslog") in program.fields:
                head.append(b"SYSLOG_TIMESTAMP=%(syslog)b\n")
            if "\n" in text:
                templates.append((b"".join(head), text.encode()))
            else:
                templates.append((b"%bMESSAGE=%b\n\n" % (b"".join(head), text.encode()), b""))
            share = program.weight / len(program.messages)
            weights.append(share + (weights[-1] if weights else 0))
    return templates, weights


def _follow(journal: JournalAppender, boot: dict[str, Any], rate: float, duration: float) -> None:
    """Append `rate` entries a second until the time is over, a signal comes or our parent ends."""
    signals = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    parent = os.getppid()
    started = time.monotonic()
    written = 0
    while (passed := time.monotonic() - started) < duration and os.getppid() == parent:
        due = int(rate * passed) - written
        now = time.time_ns() // 1000
        boot["seed"] += 1
        for entry in realistic(due, start_realtime_us=now - due, step_us=1, **boot):
            journal.append(entry)
        journal.flush()
        written += due
        if signal.sigtimedwait(signals, _TICK_S):
            break


def main(arguments: list[str] | None = None) -> int:
    """Make the sample journal that the command line describes."""
    parser = argparse.ArgumentParser(description="make a real journal of a Bottlerocket node")
    parser.add_argument("--directory", type=Path, required=True, help="like /var/log/journal")
    parser.add_argument("--entries", type=int, default=0, help="past entries, ending now")
    parser.add_argument("--follow", action="store_true", help="then append until stopped")
    parser.add_argument("--rate", type=float, default=10, help="entries a second to append")
    parser.add_argument("--duration", type=float, default=float("inf"), help="seconds to append")
    parser.add_argument("--compressed", action="store_true", help="compact, zstd, keyed hashes")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    path = options.directory / MACHINE_ID / "system.journal"
    path.parent.mkdir(parents=True, exist_ok=True)
    # What an earlier run left stays the past: time in a journal does not go back.
    now = time.time_ns() // 1000
    start = now - options.entries * _STEP_US
    if path.exists():
        start = max(start, path.stat().st_mtime_ns // 1000)
    step = max(1, (now - start) // max(1, options.entries))
    boot = {
        "seed": options.seed,
        "boot_id": uuid.uuid4().hex,
        "boot_realtime_us": start - _UPTIME_US,
    }
    try:
        with JournalAppender(path, compressed=options.compressed) as journal:
            for entry in realistic(options.entries, start_realtime_us=start, step_us=step, **boot):
                journal.append(entry)
            journal.flush()
            then = f", and {options.rate:g} more every second" if options.follow else ""
            print(f"sample_journal: {options.entries} entries in {path}{then}", flush=True)
            if options.follow:
                _follow(journal, boot, options.rate, options.duration)
    except JournalRemoteError as error:
        print(f"sample_journal: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
