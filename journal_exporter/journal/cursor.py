"""Pure: what a journal cursor says.

A cursor is opaque by its manual page (sd_journal_get_cursor(3)), but its form has not changed since
systemd 38, and nothing else that systemd-python offers gives the sequence number, which is what makes
a loss countable (``sd_journal_get_seqnum`` is missing from libsystemd before 254 and from the binding).
"""

from typing import NamedTuple, Self

from journal_exporter.journal.file_format import ENTRY, Head


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

    @classmethod
    def of(cls, seqnum_id: str, head: Head) -> Self:
        """Return the cursor of an entry."""
        return cls(seqnum_id, head[3], head[6].hex(), head[5], head[4], f"{head[7]:x}")

    @property
    def head(self) -> Head:
        """The entry's head, as far as the cursor has it."""
        xor = int(self.xor_hash, 16)
        return (
            ENTRY,
            0,
            0,
            self.seqnum,
            self.realtime_us,
            self.monotonic_us,
            bytes.fromhex(self.boot_id),
            xor,
        )

    def covers(self, head: Head) -> bool:
        """Whether an entry comes no later in the order that libsystemd gives to entries of two ids."""
        if head[6].hex() != self.boot_id:
            return head[4] <= self.realtime_us
        return head[5] <= self.monotonic_us


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
