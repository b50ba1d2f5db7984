"""Pure: parses journal cursors.

The manual page calls a cursor opaque (sd_journal_get_cursor(3)), but its form has not changed since systemd
38. Only the cursor gives the sequence number, without which losses can't be counted: libsystemd before 254
and systemd-python have no ``sd_journal_get_seqnum``.
"""

from typing import NamedTuple


class Cursor(NamedTuple):
    """One entry's address: sequence number, boot and times, as libsystemd wrote them."""

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

        journald copies entries from the runtime journal to the persistent one with new sequence numbers
        (``journalctl --flush``); boot, times and content stay, so either one of the two pairs is enough.
        """
        content = self[2:] == other[2:]
        return content or (self[:3] == other[:3] and self.monotonic_us == other.monotonic_us)

    def not_after(self, other: "Cursor") -> bool:
        """Whether this entry comes no later than the other in the journal.

        Numbers and the monotonic clock can be compared only within one boot. After a power cut journald
        continues from the numbers that reached the disk, so new entries may repeat older numbers.
        """
        if self.same_entry(other):
            return True
        if self.boot_id != other.boot_id:
            return self.realtime_us <= other.realtime_us
        if self.seqnum_id == other.seqnum_id:
            return self.seqnum <= other.seqnum
        return self.monotonic_us < other.monotonic_us


def parse(text: str) -> Cursor:
    """Return a cursor's parts.

    Raises:
        ValueError: a part is missing or not a number.
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
