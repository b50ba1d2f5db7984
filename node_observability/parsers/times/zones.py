"""Reads time zones as Fluent Bit 5.1 does: names for ``%Z``, offsets for ``%z``."""

__all__ = ["read_name", "read_offset"]

_HOUR_S = 3600


def _parse_table(text: str) -> tuple[tuple[bytes, int], ...]:
    pairs = (item.split(":") for item in text.split())
    return tuple((name.encode(), round(float(hours) * _HOUR_S)) for name, hours in pairs)


# For %Z, in the order in which Fluent Bit tries them. CST is America's, IST is India's.
_ABBREVIATIONS = _parse_table(
    "GMT:0 UTC:0 Z:0 UT:0 "
    "EST:-5 EDT:-4 CST:-6 CDT:-5 MST:-7 MDT:-6 PST:-8 PDT:-7 AKST:-9 AKDT:-8 HST:-10 HADT:-9 "
    "AST:-4 ADT:-3 NST:-3.5 NDT:-2.5 "
    "WET:0 WEST:1 CET:1 CEST:2 EET:2 EEST:3 MSK:3 "
    "ART:-3 BRT:-3 BRST:-2 CLT:-4 CLST:-3 "
    "AEST:10 AEDT:11 ACST:9.5 ACDT:10.5 AWST:8 NZST:12 NZDT:13 "
    "JST:9 KST:9 SGT:8 IST:5.5 GST:4 ICT:7 WIB:7 WITA:8 WIT:9 MYT:8 BDT:6 NPT:5.75 "
    "WAT:1 CAT:2 EAT:3 SAST:2 "
    "A:1 B:2 C:3 D:4 E:5 F:6 G:7 H:8 I:9 K:10 L:11 M:12 "
    "N:-1 O:-2 P:-3 Q:-4 R:-5 S:-6 T:-7 U:-8 V:-9 W:-10 X:-11 Y:-12"
)
# For %z, which takes these names too.
_US_ZONES = _parse_table("EST:-5 CST:-6 MST:-7 PST:-8 EDT:-4 CDT:-5 MDT:-6 PDT:-7")


def read_name(text: bytes) -> tuple[int, int] | None:
    """Read a zone's name; return its length in bytes and its seconds east of UTC, or None."""
    for name, seconds in _ABBREVIATIONS:
        if text[: len(name)].upper() == name and not text[len(name) : len(name) + 1].isalnum():
            return len(name), seconds
    # Then Fluent Bit tries GMT, UTC and the names of the system's zone, which is UTC in a container.
    return (3, 0) if text.startswith(b"GMT") or text[:3].upper() == b"UTC" else None


def read_offset(text: bytes) -> tuple[int, int] | None:
    """Read ``Z``, ``+hh``, ``+hhmm``, ``+hh:mm`` or a name of a US zone; return what ``read_name`` does."""
    for name in (b"GMT", b"UTC", b"UT", b"Z"):
        if text.startswith(name):
            return len(name), 0
    if text[:1] in (b"+", b"-"):
        return _read_numeric(text)
    if text[:1] in (b"G", b"U"):
        return None
    return next(((3, seconds) for name, seconds in _US_ZONES if text[:3].upper() == name), None)


def _read_numeric(text: bytes) -> tuple[int, int] | None:
    hours, used = text[1:3], 3
    if not hours.isdigit() or len(hours) != 2:  # noqa: PLR2004 - two digits
        return None
    seconds = int(hours) * _HOUR_S
    used += text[used : used + 1] == b":"
    minutes = text[used : used + 2]
    if minutes[:1].isdigit():
        if not minutes[1:].isdigit():
            return None
        seconds += int(minutes) * 60
        used += 2
    return used, -seconds if text.startswith(b"-") else seconds
