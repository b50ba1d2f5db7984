"""How to reach the API, and the errors for when nothing answers there. No error contains a secret."""

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
    """How to reach the API; ``repr`` shows no secrets.

    ``long_timeout_s`` applies to calls that may take minutes, unless ``timeout_s`` is longer.
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
    """The server does not answer; the next call would wait for as long."""


def no_api(connection: Connection, method: str, problem: str = "") -> UsageError:
    """Return the error for an answer that does not come from the API; ``problem`` says what shows it."""
    text = f" ({problem})" if problem else ""
    return UsageError(
        f"{connection.url}: the answer to {method} is not from a Zabbix API{text}; give the address of the "
        "frontend, or check the frontend's log"
    )


def check_url(url: str) -> None:
    """Check that a URL can be the address of a frontend.

    Raises:
        UsageError: it can't, or it contains a user name or password.
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
            f"the URL of {host} contains a user name or password; give them in ZABBIX_USER and "
            "ZABBIX_PASSWORD_FILE"
        )
    if parts.scheme not in ("http", "https") or not host:
        raise UsageError(
            f"`{url}` is not the URL of a frontend; give one such as https://zabbix.example"
        )


def unreachable(connection: Connection, error: Exception, waited_s: float) -> NoReturn:
    """Raise the error that explains why there was no answer within ``waited_s``.

    Raises:
        UnreachableError: the next call would fail in the same way.
        UsageError: in all other cases.
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
            f"{url}: no answer within {waited_s:g} s; check the address, or raise --timeout (the server may "
            "still complete the request)"
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
        through, check = f" through --proxy {_without_password(connection.proxy)}", "both addresses"
    raise UnreachableError(
        f"{url}: can't be reached{through} ({reason(error)}); check {check}"
    ) from error


def _tls_fix(text: str) -> str:
    if "mismatch" in text:
        return "use a host name that is in the certificate"
    if "WRONG_VERSION_NUMBER" in text or "UNEXPECTED_EOF" in text:
        return "use http:// if the server does not use TLS"
    return "give the authority's certificate with --ca-file"


def _without_password(url: str) -> str:
    return url.rpartition("@")[2]
