"""Where the API is, how it is spoken to, and why nobody answers there; no secret stands in an error."""

import dataclasses
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import requests

from node_observability.errors import UsageError
from node_observability.zabbix.server.sessions import reason

__all__ = ["Connection", "UnreachableError", "check_url", "no_api", "unreachable"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Connection:
    """Where the API is and how to speak to it; secrets are kept out of ``repr``.

    ``long_timeout_s`` is for calls that take a server minutes, unless ``timeout_s`` is longer.
    """

    url: str
    token: str = dataclasses.field(default="", repr=False)
    username: str = ""
    password: str = dataclasses.field(default="", repr=False)
    ca_file: Path | None = None
    proxy: str = dataclasses.field(default="", repr=False)
    timeout_s: float = 30.0
    long_timeout_s: float = 600.0


class UnreachableError(UsageError):
    """Nobody answers: the next call would wait as long."""


def no_api(connection: Connection, method: str) -> UsageError:
    """Return what to say of an answer that is none of the API's."""
    return UsageError(
        f"{connection.url}: what answers to {method} is no Zabbix API; give the address of the frontend, or "
        "look into its log"
    )


def check_url(url: str) -> None:
    """Refuse what is no address of a frontend.

    Raises:
        UsageError: it is none, or holds a user name or password.

    """
    try:
        parts = urlsplit(url)
        host, user = parts.hostname, parts.username
    except ValueError as error:
        raise UsageError(
            "the URL can't be read; give one such as https://zabbix.example"
        ) from error
    if user is not None:
        raise UsageError(
            f"the URL of {host} holds a user name or password; give them by ZABBIX_USER and a file"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            f"`{url}` is no URL of a frontend; give one such as https://zabbix.example"
        )


def unreachable(connection: Connection, error: Exception, waited_s: float) -> NoReturn:
    """Tell why no answer came, or none in the time that was allowed.

    Raises:
        UsageError: always; an UnreachableError where the next call would fare no better.

    """
    url = connection.url
    if isinstance(error, requests.exceptions.SSLError):
        text = reason(error)
        raise UsageError(f"{url}: TLS failed ({text}); {_tls_fix(text)}") from error
    if isinstance(error, requests.TooManyRedirects):
        place = (
            error.response.headers.get("Location", "elsewhere") if error.response else "elsewhere"
        )
        raise UsageError(f"{url}: redirects to {place}; give that address") from error
    if isinstance(error, requests.Timeout):
        raise UnreachableError(
            f"{url}: no answer within {waited_s:g} s; check the address, or raise "
            "--timeout (what was asked for may still be done)"
        ) from error
    if isinstance(error, requests.HTTPError) and error.response is not None:
        raise UsageError(
            f"{url}: HTTP {error.response.status_code}; give the address of the frontend"
        ) from error
    if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
        raise UsageError(
            f"--ca-file {connection.ca_file}: can't be read as certificates"
        ) from error
    through, check = "", "the address"
    if connection.proxy:
        through, check = f" through --proxy {_without_password(connection.proxy)}", "both"
    raise UnreachableError(
        f"{url}: can't be reached{through} ({reason(error)}); check {check}"
    ) from error


def _tls_fix(text: str) -> str:
    if "mismatch" in text:
        return "give the address by a name that is in its certificate"
    if "WRONG_VERSION_NUMBER" in text or "UNEXPECTED_EOF" in text:
        return "give http:// if that is what it speaks"
    return "give the authority's certificate by --ca-file"


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]
