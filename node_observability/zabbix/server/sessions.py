"""HTTP sessions for the APIs of Zabbix and Kubernetes, and the reason why a request failed.

Guarantees: certificates and host names are verified; proxies, ``.netrc`` and certificate authorities of the
environment are ignored; redirects are not followed, because they would receive the token; an answer has a
maximum size, also after it is unpacked.
"""

import re
import ssl
from collections.abc import Iterator
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from node_observability.errors import UsageError

__all__ = ["bearer", "reason", "session"]

_MAX_REASON = 200
_MAX_ANSWER_BYTES = 256 * 1024 * 1024


class _Bounded:
    """The body of an answer; reading beyond the maximum size is an error."""

    def __init__(self, raw: Any, max_bytes: int) -> None:  # noqa: ANN401 - of urllib3
        self._raw = raw
        self._max_bytes = max_bytes

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - of urllib3
        return getattr(self._raw, name)

    def stream(self, amount: int, *, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the body in parts, as requests reads it."""
        left = self._max_bytes
        for part in self._raw.stream(amount, decode_content=decode_content):
            left -= len(part)
            if left < 0:
                size = f"{self._max_bytes >> 20} MiB"
                raise requests.exceptions.ContentDecodingError(f"its answer is larger than {size}")
            yield part


class _Adapter(HTTPAdapter):
    """Verifies certificates as OpenSSL, curl and kubectl do.

    Python 3.13 and urllib3 2.4 also set VERIFY_X509_STRICT. It refuses authorities without key identifiers,
    which many EKS clusters and companies have (kubernetes-client/python#2394).
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 - as it is
        # This context trusts no authority yet; requests adds those of the session.
        super().init_poolmanager(
            *arguments, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **keywords
        )

    def send(self, *arguments: Any, **keywords: Any) -> requests.Response:  # noqa: ANN401 - as it is
        response = super().send(*arguments, **keywords)
        response.raw = _Bounded(response.raw, self._max_bytes)
        return response

    def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:  # noqa: ANN401 - as it is
        return super().proxy_manager_for(
            proxy, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **keywords
        )


def session(
    authorities: str = "", proxy: str = "", max_bytes: int = _MAX_ANSWER_BYTES
) -> requests.Session:
    """Return a session that trusts the authorities in a PEM file, or the public ones."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    made.verify = authorities or True
    for scheme in ("http://", "https://"):
        made.mount(scheme, _Adapter(max_bytes))
    if proxy:
        made.proxies = {"http": proxy, "https": proxy}
    return made


def bearer(token: str, name: str) -> str:
    """Return the token if an ``Authorization`` header can contain it (RFC 6750).

    Raises:
        UsageError: it can't; the error of requests would show the whole token.
    """
    if not re.fullmatch("[!-~]+", token):
        raise UsageError(
            f"{name} contains a character that is not allowed in a token, such as a space or a line break; "
            "give only the token"
        )
    return token


def reason(error: BaseException) -> str:
    """Return the text of the innermost cause; requests and urllib3 wrap it several times."""
    while True:
        inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
        inner = inner or next(
            (part for part in error.args if isinstance(part, BaseException)), None
        )
        if not isinstance(inner, BaseException):
            break
        error = inner
    return str(getattr(error, "verify_message", "") or getattr(error, "strerror", "") or error)[
        :_MAX_REASON
    ]
