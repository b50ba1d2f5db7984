"""Unpacks user data, and recognizes files that are something else. Pure."""

import base64
import gzip
import io
import re
import zlib
from typing import Final

LIMIT_BYTES: Final = 16 * 1024
"""EC2's limit for user data, before base64 and after gzip (EC2 user guide)."""
MARK: Final = "\ufeff"
"""A byte order mark, which Bottlerocket's parser (the crate toml) skips."""
_MAX_UNPACKED_BYTES: Final = 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
# TOML never begins like this.
_YAML: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*:(?:\s|$)")
_WRITE: Final = "write TOML with a table [settings]"
_OTHER_FORMS: Final = {
    "#!": f"is a script, which Bottlerocket does not run; {_WRITE}",
    "#cloud-config": f"is for cloud-init, which Bottlerocket does not have; {_WRITE}",
    "MIME-Version:": f"is MIME for cloud-init, which Bottlerocket does not have; {_WRITE}",
    "Content-Type:": f"is MIME for cloud-init, which Bottlerocket does not have; {_WRITE}",
    "{": f"looks like JSON; {_WRITE}",
}


class NotUserDataError(Exception):
    """The file is not user data that Bottlerocket reads."""


def text_of(data: bytes) -> str:
    """Return the text of user data, with its byte order mark.

    Raises:
        NotUserDataError: it is empty, not text, or another kind of file.
    """
    whole = _decoded(_unpacked(data) if data.startswith(_GZIP) else data)
    text = whole.removeprefix(MARK)
    if not text.strip():
        raise NotUserDataError(f"is empty; {_WRITE}")
    for start, what in _OTHER_FORMS.items():
        if text.lstrip().lower().startswith(start.lower()):
            raise NotUserDataError(what)
    if _YAML.match(_first_line(text)):
        raise NotUserDataError(f"looks like YAML; name a description .yaml, or {_WRITE}")
    if _is_base64(text):
        raise NotUserDataError("is base64; check what it decodes to (base64 -d)")
    return whole


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and not line.startswith(("#", "---"))), "")


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = stream.read(_MAX_UNPACKED_BYTES + 1)
    except (OSError, EOFError, zlib.error):
        raise NotUserDataError("begins as gzip but can't be unpacked") from None
    if len(unpacked) > _MAX_UNPACKED_BYTES:
        raise NotUserDataError(f"unpacks to more than {_MAX_UNPACKED_BYTES >> 20} MiB")
    return unpacked


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"{data[error.start]:#04x}"
        raise NotUserDataError(f"is not UTF-8: byte {wrong} in line {line}") from None


def _is_base64(text: str) -> bool:
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        return False
    return b"settings" in content or content.startswith(_GZIP)
