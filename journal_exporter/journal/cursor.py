"""Pure: what a journal cursor says.

A cursor is opaque by its manual page (sd_journal_get_cursor(3)), but its form has not changed since
systemd 38, and nothing else that systemd-python offers gives the sequence number, which is what makes
a loss countable (``sd_journal_get_seqnum`` is missing from libsystemd before 254 and from the binding).
"""

from typing import NamedTuple


class Cursor(NamedTuple):
    """One entry's address: numbering, boot and times, as libsystemd wrote them."""

    seqnum_id: str
    seqnum: int
    boot_id: str
    monotonic_us: int
    realtime_us: int
    xor_hash: str

    @property
    def text(self) -> str:
        """The cursor as ``sd_journal_seek_cursor`` takes it."""
        return (
            f"s={self.seqnum_id};i={self.seqnum:x};b={self.boot_id}"
            f";m={self.monotonic_us:x};t={self.realtime_us:x};x={self.xor_hash}"
        )

    def same_entry(self, other: "Cursor") -> bool:
        """Whether both name one entry.

        journald copies entries from the runtime journal to the persistent one with new sequence
        numbers (``journalctl --flush``); boot, times and content stay, so either pair will do.
        """
        content = self[2:] == other[2:]
        return content or (self[:3] == other[:3] and self.monotonic_us == other.monotonic_us)

    def not_after(self, mark: "Cursor") -> bool:
        """Whether this entry comes no later than ``mark`` in the journal.

        Only within one boot are the numbers and the monotonic clock comparable: after a power cut
        journald numbers on from what reached the disk, so that new entries carry numbers that the
        mark has passed already.
        """
        if self.same_entry(mark):
            return True
        if self.boot_id != mark.boot_id:
            return self.realtime_us <= mark.realtime_us
        if self.seqnum_id == mark.seqnum_id:
            return self.seqnum <= mark.seqnum
        return self.monotonic_us < mark.monotonic_us


def parse(text: str) -> Cursor:
    """Take a cursor apart.

    Raises:
        ValueError: a part is missing or is no number.
    """
    parts = dict(part.split("=", 1) for part in text.split(";") if "=" in part)
    try:
        return Cursor(
            parts["s"],
            int(parts["i"], 16),
            parts["b"],
            int(parts["m"], 16),
            int(parts["t"], 16),
            parts["x"],
        )
    except KeyError as missing:
        raise ValueError(f"journal cursor {text!r} has no part {missing}") from None
