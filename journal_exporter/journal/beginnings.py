"""Finds where reading begins in each file: in a first run, after an upgrade, and after a power cut."""

from collections.abc import Sequence

from journal_exporter.journal import cursor as cursors
from journal_exporter.journal.file_format import ARCHIVED, Head
from journal_exporter.journal.open_files import JournalFile
from journal_exporter.journal.position import Position
from journal_exporter.journal.read_state import ReadState
from journal_exporter.journal.run import FileReader, Place, first_place


def begin(files: Sequence[JournalFile], state: ReadState, where: str) -> None:
    """Stand where a first run begins: ``head``, ``tail``, or the newest entry's ``boot``."""
    tails: dict[str, int] = {}
    for file in files:
        header = file.header
        tails[header.machine_id] = max(tails.get(header.machine_id, 0), header.tail_seqnum)
    state.tracker.begin(tails)
    boot = _newest_boot(files) if where == "boot" else b""
    for file in files:
        if file.reader is None or where == "head":
            continue
        with file.refused_on_error():
            place = first_place(file.reader, lambda head: where == "boot" and head[6] == boot)
            _stand(file, file.reader, place, state)


def _stand(file: JournalFile, reader: FileReader, place: Place, state: ReadState) -> None:
    """Take everything up to a place in a file as read."""
    reader.seek(place)
    file.stand_at(place)
    file.is_verified = True
    if place.seqnum:
        header = file.header
        state.tracker.stand(header.machine_id, header.seqnum_id, place.boot_id, place.seqnum)
    if file.is_runtime and place.entries:
        found = reader.head_at(0), reader.head_at(place.entries - 1)
        heads = [one[1] for one in found if one is not None]
        state.copies.note(file.key, file.header.machine_id, heads)
        state.copies.note_more(file.key, place.entries - len(heads))


def take_over(files: Sequence[JournalFile], state: ReadState, position: Position) -> None:
    """Stand where an earlier version stopped, which had one place in libsystemd's order."""
    if position.cursor is None:
        return
    mark = cursors.parse(position.cursor)
    read = {
        str(key): (int(seqnum), str(boot)) for key, seqnum, boot, *_ in position.sequences["ids"]
    }
    state.tracker.take_over(position.sequences)
    state.copies.note_all_before(mark.boot_id, mark.head)
    for file in files:
        if file.reader is None:
            continue
        seqnum, boot = read.get(file.header.seqnum_id, (0, ""))

        def is_unread(head: Head, seqnum: int = seqnum, boot: str = boot) -> bool:
            return head[3] > seqnum if head[6].hex() == boot else not mark.covers(head)

        with file.refused_on_error():
            place = first_place(file.reader, is_unread)
            _stand(file, file.reader, place, state)


def find_again(file: JournalFile, reader: FileReader, state: ReadState) -> None:
    """Go to the first entry of a new boot in a file that lost its end in a power cut, and grew again."""
    known = state.tracker.boots | {file.place.boot_id}

    def is_new(head: Head) -> bool:
        return head[6].hex() not in known

    place = first_place(reader, is_new)
    first = reader.head_at(place.entries)
    if file.header.entries < file.place.entries or (first is not None and is_new(first[1])):
        reader.seek(place)
        file.stand_at(place)
    file.is_verified = True


def _newest_boot(files: Sequence[JournalFile]) -> bytes:
    """Return the boot of the newest entry: journald writes it into a file that is not archived."""
    ends = []
    for file in files:
        if file.reader is None or not file.header.entries:
            continue
        with file.refused_on_error():
            if (found := file.reader.head_at(file.header.entries - 1)) is not None:
                is_live = file.header.state != ARCHIVED
                ends.append((is_live, file.header.tail_realtime_us, found[1][6]))
    return max(ends)[2] if ends else b""
