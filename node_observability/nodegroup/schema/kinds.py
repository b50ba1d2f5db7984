"""The kinds of values, in which the tables of settings and of descriptions are written.

Guarantees: a kind is immutable data; a scalar's ``accepts`` takes any object and raises nothing. Not here:
comparing a document with a kind (``validate``), and which setting is of which kind (``bottlerocket``).
"""

import base64
import binascii
import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar
from urllib.parse import urlsplit

# serde's i32, i64, u32 and u8, as the settings models declare their integers.
I32_MAX = 2**31 - 1
I64_MAX = 2**63 - 1
U32_MAX = 2**32 - 1
U8_MAX = 2**8 - 1
_NOT_IN_URL = re.compile(r"^$|[\x00-\x20\x7f<>\"`{}|\\^]")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*")
_CERTIFICATE = re.compile(
    rb"-----BEGIN CERTIFICATE-----\s+[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----"
)
# What Bottlerocket's single-line strings may not contain (settings SDK, modeled-types, shared.rs).
_LINE_ENDS = re.compile("[\n\r\v\f\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Scalar:
    """One value. ``expects`` completes "expected …"; no error shows a value that is ``secret``."""

    expects: str
    accepts: Callable[[object], bool]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Struct:
    """A table of known keys; no error shows anything within a ``secret`` one.

    ``aliases`` map other accepted spellings to the key that they mean. ``refused`` maps keys that people
    expect to what to write instead. ``unknown`` is the error of any other key. With ``hides_keys``, errors
    do not show unknown keys, as in a secret table: they may be secrets in the wrong place.
    """

    fields: "Mapping[str, Kind]"
    aliases: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    secret: bool = False
    hides_keys: bool = False
    unknown: str = "unknown key"


@dataclass(frozen=True, slots=True)
class MapOf:
    """A table whose keys the user chooses; ``secret`` as for ``Struct``."""

    key: Scalar
    value: "Kind"
    secret: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """An array of at least ``least`` and at most ``most`` items; ``secret`` as for ``Struct``."""

    item: "Kind"
    least: int = 0
    most: int | None = None
    secret: bool = False


@dataclass(frozen=True, slots=True)
class OneOf:
    """One of several kinds of different shape (scalar, list, table), chosen by the shape of the value."""

    kinds: "tuple[Kind, ...]"


@dataclass(frozen=True, slots=True)
class Unchecked:
    """A table whose keys and values are not checked."""


Kind = Scalar | Struct | MapOf | ListOf | OneOf | Unchecked
_CanBeSecret = TypeVar("_CanBeSecret", Scalar, Struct, MapOf, ListOf)


def secret(kind: _CanBeSecret) -> _CanBeSecret:
    """Return the same kind for a secret: no error shows a value at or below it."""
    return replace(kind, secret=True)


def text(expects: str, accepts: Callable[[str], bool]) -> Scalar:
    """Return the kind of strings that ``accepts`` accepts."""
    return Scalar(expects, lambda value: isinstance(value, str) and accepts(value))


def pattern(expects: str, regex: str) -> Scalar:
    """Return the kind of strings that match the whole of ``regex``, with ASCII classes."""
    compiled = re.compile(regex, re.ASCII)
    return text(expects, lambda value: compiled.fullmatch(value) is not None)


def integer(least: int, most: int, *, step: int = 1) -> Scalar:
    """Return the kind of integers from ``least`` to ``most`` that ``step`` divides."""
    expects = f"an integer from {least} to {most}" + (f", a multiple of {step}" if step > 1 else "")
    return Scalar(
        expects,
        # bool is an int in Python, and neither in TOML nor in YAML.
        lambda value: (
            isinstance(value, int)
            and not isinstance(value, bool)
            and least <= value <= most
            and value % step == 0
        ),
    )


def choice(*names: str) -> Scalar:
    """Return the kind of strings that are one of ``names``."""
    quoted = [f'"{name}"' for name in names]
    listed = f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else quoted[0]
    return text(listed, lambda value: value in names)


def _decodes(value: str) -> bool:
    try:
        decoded = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    # Python drops bits that are left over in the last letter; Bottlerocket refuses them.
    return base64.b64encode(decoded).decode() == value


def _is_bundle(value: str) -> bool:
    """Whether every part of a bundle is a certificate; an empty one removes the bundle."""
    if not value.strip():
        return True
    if not _decodes(value):
        return False
    content = base64.b64decode(value)
    parts = _CERTIFICATE.findall(content)
    return bool(parts) and len(parts) == content.count(b"-----BEGIN")


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_url(value: str) -> bool:
    """Whether Bottlerocket takes a string as a URL.

    It puts ``http://`` before what is not a URL, so addresses and image references pass.
    ``ubuntu:24.04`` and ``fd00:ec2::123`` parse as URLs with an unusual scheme.
    """
    if _NOT_IN_URL.search(value):
        return False
    scheme, colon, rest = value.partition(":")
    if colon and _SCHEME.fullmatch(scheme) and not rest.startswith("//"):
        return rest != ""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        # Reading the port parses it.
        _ = parts.port
    except ValueError:
        return False
    return bool(parts.hostname) or parts.scheme in ("unix", "file")


BOOLEAN = Scalar("true or false", lambda value: isinstance(value, bool))
STRING = text("a string", lambda _: True)
LINE = text("a string of one line", lambda value: _LINE_ENDS.search(value) is None)
BASE64 = text("base64 (standard alphabet, padded, no line ends)", _decodes)
CERTIFICATES = text("base64 of certificates in PEM", _is_bundle)
ADDRESS = text("an IP address", _is_address)
URL = text("a URL or an image reference", _is_url)
HOSTNAME = pattern(
    "a host name of lower-case letters, digits, '-' and '.'",
    r"(?=.{1,253}\Z)[0-9a-z][0-9a-z-]{0,62}(\.[0-9a-z][0-9a-z-]{0,62})*",
)
# The length is containerd's limit for an id, which Bottlerocket's identifiers become.
IDENTIFIER = pattern("letters, digits and '-', 76 at most", r"[0-9A-Za-z-]{0,76}")
ANY = Scalar("any value", lambda _: True)
"""What is checked elsewhere: as a setting, or, for a secret, by ``credentials.source_problems``."""
