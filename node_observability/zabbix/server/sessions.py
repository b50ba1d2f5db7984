"""Sessions for the two APIs that are asked, Zabbix' and Kubernetes', and why a call of theirs failed.

Guarantees: certificates and names are verified; nothing of the environment is used, neither proxies nor
.netrc nor authorities; redirects are not followed, for they would carry the token along.
"""

import re
import ssl
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from node_observability.errors import UsageError

__all__ = ["bearer", "reason", "session"]

_MAX_REASON = 200


class _Adapter(HTTPAdapter):
    """Verify as OpenSSL, curl and kubectl do.

    Python 3.13 and urllib3 2.4 set VERIFY_X509_STRICT besides, which refuses authorities without key
    identifiers: those of many EKS clusters and companies (kubernetes-client/python#2394).
    """

    def init_poolmanager(self, *arguments: Any, **keywords: Any) -> None:  # noqa: ANN401 - as it is
        # It trusts nobody yet: requests adds the authorities that the session verifies by.
        super().init_poolmanager(
            *arguments, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **keywords
        )

    def proxy_manager_for(self, proxy: str, **keywords: Any) -> Any:  # noqa: ANN401 - as it is
        return super().proxy_manager_for(
            proxy, ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **keywords
        )


def session(authorities: str = "", proxy: str = "") -> requests.Session:
    """Return a session that trusts the authorities of a file of PEM texts, or the public ones."""
    made = requests.Session()
    made.trust_env = False
    made.max_redirects = 0
    made.verify = authorities or True
    made.mount("https://", _Adapter())
    if proxy:
        made.proxies = {"http": proxy, "https": proxy}
    return made


def bearer(token: str, name: str) -> str:
    """Return a token that an ``Authorization`` header can hold (RFC 6750).

    Raises:
        UsageError: it can't be one; requests would show it whole in its error.

    """
    if not re.fullmatch("[!-~]+", token):
        raise UsageError(
            f"{name} holds a character that no token has, such as a space or a line "
            "break; give the token alone"
        )
    return token


def reason(error: BaseException) -> str:
    """Return the innermost cause in a few words; requests and urllib3 wrap it several times."""
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
