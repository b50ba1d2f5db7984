"""Generates lines for the differential test: like a runtime's, and half of them broken."""

import json
import random
from collections.abc import Callable

__all__ = ["cri_lines", "docker_lines", "plain_lines", "time_lines"]

_PIECES = (
    *(
        b"message",
        b" ",
        b"  ",
        b"\t",
        b"\r",
        b"\0",
        b"x" * 50,
        b"\x1b[31m",
        b'{"a":1}',
        b"stdout F ",
    ),
    *(text.encode() for text in ("é", "노드", "🚀", "\u2028")),
    *(b"\xff", b"\xe3\x81", b"\xf0\x9f\x9a", b"\x80", b"\xc0\xaf", b"\xed\xa0\x80"),
    *(b"12", b"0x1F", b"true", b"false", b"-1.5e3"),
)
_FRACTIONS = (
    *("", ".", ".5", ",5", ".1234567891", ".5e1", ".5e-3", ".E1", ".000000000"),
    *(".9999999999", ".1e400", ".1e-400", ".5e+2"),
)
_ODD_VALUES = (*(1, -1, 0, -0.0, 2**63, 1.5, True, None), *(["a", {}], {"k": "v"}, ""))
_NAMES = ("UTC", "utcx", "GMT", "JST", "kst", "PDT", "A", "Zulu", "CEST", "NPT", "ABC", "")
_ZONES = ("Z", "+09:00", "-03:30", "+0000", "+09", "", "z", "EST", "GMT", "+9", "+09:0", " Z")
_MONTHS = ("Jan", "feb", "March", "MAY", "Oct", "Dec", "Xyz", "Septemb")


def _text(randomness: random.Random, most: int = 6) -> bytes:
    return b"".join(randomness.choices(_PIECES, k=randomness.randrange(most)))


def _time(randomness: random.Random) -> str:
    choose = randomness.choice
    if randomness.random() < 0.6:
        digits = str(randomness.randrange(10**9)).zfill(9)[: randomness.choice([9, 9, 9, 6, 3, 1])]
        return f"2026-{randomness.randrange(1, 13):02}-{randomness.randrange(1, 29):02}T12:34:56.{digits}Z"
    fraction = choose(_FRACTIONS)
    year = choose(["2026", "1969", "1970", "16", "0", "2106", "2107", "9999", "20260", "x"])
    month = choose(["1", "02", "12", "13", "0", ""])
    day = choose(["1", "29", "31", "32", "0"])
    clock = choose("TTTt ") + choose(["00:00:00", "23:59:60", "24:00:00", "1:2:3"])
    return f"{year}-{month}-{day}{clock}{fraction}{choose(_ZONES)}"


def cri_lines(randomness: random.Random, count: int) -> list[bytes]:
    """Return lines of containerd and CRI-O, about half of them valid."""

    def line() -> bytes:
        if randomness.random() < 0.1:
            return _text(randomness)
        stream = randomness.choice([b"stdout", b"stderr", b"stdout", b"stderr", b"stdin", b""])
        tag = randomness.choice([b"F", b"F", b"P", b"F:x", b"P:x:y", b"", b"f", b"FF"])
        return b" ".join((_time(randomness).encode(), stream, tag, _text(randomness)))

    return _without_newlines(line, count)


def docker_lines(randomness: random.Random, count: int) -> list[bytes]:
    """Return lines of dockerd's json-file driver, some of them cut off or altered."""

    def line() -> bytes:
        log = _text(randomness).decode("utf-8", "replace")
        log += randomness.choice(["\n", "\n", "", "\r\n"])
        record: dict[str, object] = {"log": log, "stream": randomness.choice(["stdout", "stderr"])}
        if randomness.random() < 0.2:
            record[randomness.choice(["attrs", "n", "stream", "log"])] = randomness.choice(
                _ODD_VALUES
            )
        record["time"] = randomness.choice([_time(randomness), _time(randomness), 5, ""])
        data = json.dumps(record, ensure_ascii=randomness.random() < 0.5).encode()
        # Numbers that Python does not write.
        number = randomness.choice([b": -1,", b": -0,", b": -0e5,", b": 1E+2,"])
        data = data.replace(b": -1,", number)
        chance = randomness.random()
        if chance < 0.1:
            return data[: randomness.randrange(len(data))]
        if chance < 0.2:
            at = randomness.randrange(len(data))
            return data[:at] + randomness.choice(_PIECES) + data[at + 1 :]
        if chance < 0.3:
            return data + randomness.choice([b"", b" ", b"x", b"{}", b"\0", b" 1"])
        return data

    return _without_newlines(line, count)


def plain_lines(randomness: random.Random, count: int) -> list[bytes]:
    """Return lines of text, short and long, many of which end or begin as messages do."""
    ends = (b"", b"END", b"ND", b"E", b"\\", b"\\\\", b" END", b"ENDEND", b"F", b"\r")

    def line() -> bytes:
        return _text(randomness, 3) + randomness.choice(ends)

    return _without_newlines(line, count)


def time_lines(randomness: random.Random, count: int) -> list[bytes]:
    """Return texts that look like times of many formats."""
    choose, number = randomness.choice, randomness.randrange

    def line() -> bytes:
        kind = number(7)
        clock = f"{number(26)}:{number(62):02}:{number(63)}"
        texts = (
            lambda: _time(randomness),
            lambda: f"{number(34)}/{choose(_MONTHS)}/{number(2100)}:{clock} {choose(_ZONES)}",
            lambda: f"{choose(_MONTHS)} {number(34):2} {clock}",
            lambda: (
                f"{choose(['', '-', ' '])}{number(10 ** choose([1, 5, 10, 12, 20]))}.{number(10**9)}"
            ),
            lambda: f"{number(1960, 2110)}-{number(14)}-{number(33)} {clock} " + choose(_NAMES),
            lambda: (
                f"{choose(['Mon', 'tuesday', 'Xy'])} {number(100)} {number(370)} {number(14)}:{number(61)}"
                f":{number(61)} {choose(['AM', 'pm', 'x'])}"
            ),
            lambda: (
                f"{choose(['', ' ', '  '])}{number(34)}/{choose(_MONTHS)}/{number(100):02} "
                f"{choose(['', ' '])}{number(26)}:{number(62):02}"
            ),
        )
        return texts[kind]().encode()

    return _without_newlines(line, count)


def _without_newlines(line: Callable[[], bytes], count: int) -> list[bytes]:
    # tail skips NULs at the beginning of what it reads.
    return [line().replace(b"\n", b"").lstrip(b"\0") for _ in range(count)]
