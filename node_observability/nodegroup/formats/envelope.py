"""What user data comes in: bytes, perhaps gzip, and forms that other systems take. Pure."""

import base64
import gzip
import io
import re
import zlib
from typing import Final

LIMIT_BYTES: Final = 16 * 1024
"""What EC2 takes as user data, before base64 (EC2 user guide); gzip counts as it is."""
MARK: Final = "\ufeff"
"""A byte order mark. Bottlerocket's parser (the crate toml) passes over it, as YAML's do."""
_LARGEST_UNPACKED: Final = 1024 * 1024
_GZIP: Final = b"\x1f\x8b"
# No statement of TOML begins like this.
_YAML: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]*:(?:\s|$)")
_OTHER_FORMS: Final = {
    "#!": "is a script, and Bottlerocket runs none; write TOML with a table [settings]",
    "#cloud-config": "is for cloud-init, which Bottlerocket has not; write TOML with a table [settings]",
    "MIME-Version:": "is MIME for cloud-init, which Bottlerocket has not; write TOML",
    "Content-Type:": "is MIME for cloud-init, which Bottlerocket has not; write TOML",
    "{": "looks like JSON; user data is TOML with a table [settings]",
}


class NotUserDataError(Exception):
    """It is nothing that Bottlerocket would read."""


def text_of(data: bytes) -> str:
    """Return the text that Bottlerocket would read, with the mark that it may begin with.

    Raises:
        NotUserDataError: if there is none.
    """
    whole = _decoded(_unpacked(data) if data.startswith(_GZIP) else data)
    text = whole.removeprefix(MARK)
    if not text.strip():
        raise NotUserDataError("is empty; write TOML with a table [settings]")
    for start, what in _OTHER_FORMS.items():
        if text.lstrip().lower().startswith(start.lower()):
            raise NotUserDataError(what)
    if _YAML.match(_first_line(text)):
        raise NotUserDataError("looks like YAML; name a description .yaml, or write TOML")
    if _is_base64(text):
        raise NotUserDataError("is base64; check what it decodes to (base64 -d)")
    return whole


def _first_line(text: str) -> str:
    lines = (line.strip() for line in text.split("\n"))
    return next((line for line in lines if line and not line.startswith(("#", "---"))), "")


def _unpacked(data: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(data)) as stream:
            unpacked = stream.read(_LARGEST_UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise NotUserDataError("begins as gzip and can't be unpacked") from None
    if len(unpacked) > _LARGEST_UNPACKED:
        raise NotUserDataError(f"unpacks to more than {_LARGEST_UNPACKED} bytes")
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
