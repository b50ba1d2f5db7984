"""Read journals back with libsystemd, to compare them with what was written."""

from contextlib import closing
from pathlib import Path

from systemd import _reader

__all__ = ["entries", "messages"]


def entries(directory: Path) -> list[dict[str, bytes]]:
    """Return the fields of all entries below a directory such as /var/log/journal, in order.

    Of a field with several values it is the last one.
    """
    found = []
    with closing(_reader._Reader(flags=0, path=str(directory))) as reader:
        reader.data_threshold = 0
        while reader._next():
            fields = reader._get_all().items()
            found.append({k: v[-1] if isinstance(v, list) else v for k, v in fields})
    return found


def messages(directory: Path, field: str = "MESSAGE") -> list[bytes]:
    """Return the values of one field, in the order of the entries that have it."""
    return [entry[field] for entry in entries(directory) if field in entry]
