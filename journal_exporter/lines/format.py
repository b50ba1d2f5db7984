"""Pure: formats entries as lines.

Guarantees: any entry becomes exactly one line of printable UTF-8. The same entry always becomes the same
bytes, which recovery relies on. Control characters become ``#ooo``, as rsyslog writes them (newline
``#012``, tab ``#011``). So do Unicode's control characters and line separators (U+0080-U+009F, U+2028,
U+2029), byte by byte. Invalid UTF-8 becomes U+FFFD. The tag never has characters that break a syslog
parser.

The time is the journal's (``__REALTIME_TIMESTAMP``), as in rsyslog's imjournal.
"""

import dataclasses
import functools
import json
import re
import time
from collections.abc import Callable, Iterable, Sequence

from journal_exporter.journal.batch import Batch
from journal_exporter.journal.epoch import Gap
from journal_exporter.journal.fields import Context, Field
from journal_exporter.lines.filters import EntryFilter, facility_of, priority_of, unit_of

FORMATS = ("rfc3339", "rfc3164", "json")
REVISION = 1
"""Increased when the same entry would become other bytes than before."""

_MAX_PID_DIGITS = 10
MAX_HEADS = 4096
"""Heads cached; a node with short-lived processes makes new ones endlessly."""

_SECOND_US = 1_000_000
_CONTROLS = bytes(range(32)) + b"\x7f"
_PLAIN = bytes(range(32, 127))
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_NOT_TAG = re.compile(rb"[^!-9;-Z\\^-~]")
_NOT_HOST = re.compile(rb"[^0-9A-Za-z._:-]")
_THOUSANDTHS = [b"%03d" % number for number in range(1000)]
_SELF = b"journal-exporter"
_GAP = re.compile(rb"journal-exporter.*\b(\d+) journal entries lost \(seqnum (\d+)\.\.(\d+)\)")


def gap_of(line: bytes) -> Gap | None:
    """Return the gap that a line marks; None for the line of an entry."""
    found = _GAP.search(line)
    return Gap(int(found[2]), int(found[3]), int(found[1])) if found else None


def printable(message: bytes) -> bytes:
    """Return the message without characters that a line can't hold."""
    if message.isascii() and len(message.translate(None, _CONTROLS)) == len(message):
        return message
    text = message.decode("utf-8", "replace")
    return _UNPRINTABLE.sub(_octal, text).encode()


def _octal(match: re.Match[str]) -> str:
    return "".join(f"#{byte:03o}" for byte in match[0].encode())


def _odd_parts(messages: Sequence[Field]) -> Sequence[bytes] | None:
    """Return the bytes of each message that are not plain ASCII; None where each must be checked separately.

    One pass over the whole batch is much cheaper than one per message, and few messages have such bytes.
    """
    try:
        joined = b"\0".join(messages)  # type: ignore[arg-type]
    except TypeError:
        return None  # One message is a list.
    odd = joined.translate(None, _PLAIN).split(b"\0")
    # A NUL within a message splits it.
    return odd if len(odd) == len(messages) else None


def _first(value: Field) -> bytes | None:
    return value[0] if isinstance(value, list) else value


def _message(value: Field) -> bytes:
    first = _first(value)
    return b"" if first is None else first


def _identifier(context: Context) -> bytes:
    # A context may end after the basic fields, so the other fields may count only if one of these is absent.
    tag = context.comm if context.identifier is None else context.identifier
    return _NOT_TAG.sub(b"_", tag or b"journal")


def _pid(context: Context) -> bytes:
    if context.pid is None and context.transport == b"kernel":
        return b""
    pid = (context.syslog_pid if context.pid is None else context.pid) or b""
    return pid if pid.isdigit() and len(pid) <= _MAX_PID_DIGITS else b""


def _host(context: Context) -> bytes:
    return _NOT_HOST.sub(b"_", context.host or b"localhost")


def _syslog_head(context: Context) -> bytes:
    pid = _pid(context)
    tag = _identifier(context) + (b"[" + pid + b"]" if pid else b"")
    return b" " + _host(context) + b" " + tag + b": "


def _json_head(context: Context) -> bytes:
    pid = _pid(context)
    head = {
        "host": _host(context).decode(),
        "identifier": _identifier(context).decode(),
        "pid": int(pid) if pid else None,
        "priority": priority_of(context),
        "facility": facility_of(context),
        "unit": unit_of(context) or None,
    }
    present = {key: value for key, value in head.items() if value is not None}
    return b'",' + json.dumps(present, separators=(",", ":")).encode()[1:-1] + b',"message":'


def _json_message(message: bytes) -> bytes:
    return json.dumps(message.decode("utf-8", "replace")).encode()


@dataclasses.dataclass(frozen=True, slots=True)
class _Layout:
    """A line is ``before``, the second, the microseconds if wanted, the head, the message, and ``after``."""

    before: bytes
    second: Callable[[int], str]
    with_microseconds: bool
    head: Callable[[Context], bytes]
    message: Callable[[bytes], bytes]
    after: bytes


@functools.lru_cache(maxsize=4)
def _utc_minute(minute: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(minute * 60))


def _utc_second(second: int) -> str:
    minute, rest = divmod(second, 60)
    return f"{_utc_minute(minute)}{rest:02d}."


def _local_second(second: int) -> str:
    return time.strftime("%b %e %H:%M:%S", time.localtime(second))


_LAYOUTS = {
    "rfc3339": _Layout(
        b"", _utc_second, True, lambda c: b"+00:00" + _syslog_head(c), printable, b"\n"
    ),
    "rfc3164": _Layout(b"", _local_second, False, _syslog_head, printable, b"\n"),
    "json": _Layout(
        b'{"time":"', _utc_second, True, lambda c: b"+00:00" + _json_head(c), _json_message, b"}\n"
    ),
}


class Formatter:
    """Formats batches as lines; its only state are caches."""

    def __init__(self, format_name: str, entry_filter: EntryFilter) -> None:
        self._layout = _LAYOUTS[format_name]
        self._entry_filter = entry_filter
        self._heads: dict[tuple[Field, ...], bytes | None] = {}

    def blob(self, batch: Batch) -> tuple[bytes, int]:
        """Return all lines of a batch without gaps as one byte string, and their number."""
        try:
            parts = self._parts(batch.times_us, batch.contexts, self._messages(batch.messages))
        except TypeError:
            # A field that an entry has twice is a list, which can't be a key.
            contexts = [tuple(map(_first, context)) for context in batch.contexts]
            parts = self._parts(batch.times_us, contexts, self._messages(batch.messages))
        return b"".join(parts), len(parts) // 6

    def lines(self, batch: Batch) -> list[bytes | None]:
        """Return one line per entry, None where the entry is excluded; the caller adds the lines of gaps."""
        lines: list[bytes | None] = []
        for time_us, context, message in zip(
            batch.times_us, batch.contexts, batch.messages, strict=True
        ):
            parts = self._parts(
                (time_us,),
                (tuple(map(_first, context)),),
                (self._layout.message(_message(message)),),
            )
            lines.append(b"".join(parts) if parts else None)
        return lines

    def gap_line(self, gap: Gap, time_us: int, context: tuple[Field, ...]) -> bytes:
        """Return the line that marks a gap, with the time and host of the entry after it."""
        text = f"{gap.entries} journal entries lost (seqnum {gap.seqnum_first}..{gap.seqnum_last})"
        host = Context(*map(_first, context)).host
        marker = Context(_SELF, None, host, b"4", b"5")
        head = self._layout.head(marker)
        message = self._layout.message(text.encode())
        return b"".join((*self._stamp(time_us), head, message, self._layout.after))

    def _messages(self, messages: Sequence[Field]) -> Iterable[bytes]:
        encode = self._layout.message
        if encode is printable:
            odd = _odd_parts(messages)
            if odd is not None:
                return [
                    encode(_message(message)) if part else message  # type: ignore[misc]
                    for message, part in zip(messages, odd, strict=True)
                ]
        return [encode(_message(message)) for message in messages]

    def _parts(
        self,
        times_us: Iterable[int],
        contexts: Iterable[tuple[Field, ...]],
        messages: Iterable[bytes],
    ) -> list[bytes]:
        parts: list[bytes] = []
        extend = parts.extend
        heads = self._heads
        layout = self._layout
        before, after, thousandths = layout.before, layout.after, _THOUSANDTHS
        micro = layout.with_microseconds
        start_us = end_us = 0
        second = b""
        for time_us, context, message in zip(times_us, contexts, messages, strict=True):
            try:
                head = heads[context]
            except KeyError:
                head = self._new_head(context)
            if head is None:
                continue
            if not start_us <= time_us < end_us:
                start_us = time_us - time_us % _SECOND_US
                end_us = start_us + _SECOND_US
                second = before + layout.second(start_us // _SECOND_US).encode()
            if micro:
                rest_us = time_us - start_us
                extend((
                    second, thousandths[rest_us // 1000], thousandths[rest_us % 1000],
                    head, message, after,
                ))  # fmt: skip
            else:
                extend((second, b"", b"", head, message, after))
        return parts

    def _stamp(self, time_us: int) -> tuple[bytes, bytes]:
        second, rest_us = divmod(time_us, _SECOND_US)
        text = self._layout.before + self._layout.second(second).encode()
        return text, b"%06d" % rest_us if self._layout.with_microseconds else b""

    def _new_head(self, context: tuple[Field, ...]) -> bytes | None:
        if len(self._heads) >= MAX_HEADS:
            self._heads.clear()
        whole = Context(*context)  # type: ignore[arg-type]
        head = self._layout.head(whole) if self._entry_filter.accepts(whole) else None
        self._heads[context] = head
        return head
