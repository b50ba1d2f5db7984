"""Runs a real ``fluent-bit`` over files, and returns its records with nanoseconds."""

import os
import shutil
import struct
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgpack
import pytest

__all__ = ["RealRecord", "need_fluent_bit", "read_records", "starts", "tail"]

_NANOSECONDS_PER_SECOND = 1_000_000_000


@dataclass(frozen=True)
class RealRecord:
    """A record as Fluent Bit packed it. ``is_now`` says whether its time is within the run."""

    fields: dict[str, object]
    seconds: int
    nanoseconds: int
    is_now: bool


def need_fluent_bit() -> str:
    """Return the path of ``fluent-bit``, or skip the test: CI can't install it from a package index.

    The environment variable NODEOBS_FLUENT_BIT names one that is not on the PATH.
    """
    found = os.environ.get("NODEOBS_FLUENT_BIT") or shutil.which("fluent-bit")
    if found is None:
        pytest.skip("no fluent-bit on the PATH, so nothing is compared with Fluent Bit itself")
    return found


def starts(program: str, configuration: Path) -> bool:
    """Return whether Fluent Bit starts with a configuration; it is ended then.

    Its log must have the level info, which is the default.
    """
    with subprocess.Popen(
        [program, "-c", str(configuration)],
        cwd=configuration.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        # The first one needs a build with the stream processor.
        marks = (b"stream processor started", b"Shutdown Grace Period=")
        has_started = any(mark in line for line in process.stderr for mark in marks)
        process.kill()
    return has_started


def _text(value: object) -> object:
    if isinstance(value, dict):
        return {key.decode("utf-8", "surrogateescape"): _text(item) for key, item in value.items()}
    return [_text(item) for item in value] if isinstance(value, list) else value


def _time(value: object) -> tuple[int, int]:
    if isinstance(value, msgpack.ExtType):
        seconds, nanoseconds = struct.unpack(">II", value.data)
        return int(seconds), int(nanoseconds)
    assert isinstance(value, int | float)
    return int(value), round(value % 1 * _NANOSECONDS_PER_SECOND)


def read_records(path: Path, begin_s: float, end_s: float) -> list[RealRecord]:
    """Return the records of an ``out_file`` with ``Format msgpack``."""
    records = []
    with path.open("rb") as file:
        unpacker = msgpack.Unpacker(file, raw=True, strict_map_key=False, max_buffer_size=2**30)
        for entry in unpacker:
            stamp, fields = entry[0], _text(entry[1])
            if isinstance(stamp, list):
                stamp = stamp[0]
            seconds, nanoseconds = _time(stamp)
            assert isinstance(fields, dict)
            is_now = begin_s - 1 <= seconds <= end_s + 1
            records.append(RealRecord(fields, seconds, nanoseconds, is_now))
    return records


def tail(
    program: str,
    directory: Path,
    files: Mapping[str, Sequence[bytes]],
    *,
    parsers: Sequence[Path],
    route: Mapping[str, str],
    chain: Sequence[str] = (),
) -> dict[str, list[RealRecord]]:
    """Return the records that Fluent Bit makes of each file, in order.

    ``route`` has more properties of the input; ``chain`` names the parsers of a filter.
    """
    logs, out = directory / "logs", directory / "out"
    logs.mkdir(parents=True)
    out.mkdir()
    for name, content in files.items():
        (logs / f"{name}.log").write_bytes(b"".join(line + b"\n" for line in content))
    text = "[SERVICE]\n    Flush 0.2\n    Log_Level off\n"
    text += "".join(f"    Parsers_File {path}\n" for path in parsers)
    text += f"[INPUT]\n    Name tail\n    Path {logs}/*.log\n    Tag all\n    Path_Key _file\n"
    text += "    Read_From_Head On\n    Exit_On_Eof On\n"
    text += "    Buffer_Max_Size 64M\n    Buffer_Chunk_Size 1M\n"
    text += "".join(f"    {key} {value}\n" for key, value in route.items())
    if chain:
        text += "[FILTER]\n    Name parser\n    Match *\n    Key_Name log\n    Reserve_Data On\n"
        text += "".join(f"    Parser {name}\n" for name in chain)
    text += f"[OUTPUT]\n    Name file\n    Match *\n    Path {out}\n    Format msgpack\n"
    config = directory / "fluent-bit.conf"
    config.write_text(text)
    begin = time.time()
    done = subprocess.run(
        [program, "-c", str(config)], capture_output=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    found: dict[str, list[RealRecord]] = {name: [] for name in files}
    for record in read_records(out / "all", begin, time.time()):
        path = record.fields.pop("_file")
        assert isinstance(path, bytes)
        found[Path(path.decode()).stem].append(record)
    return found
