"""Calls the Zabbix API: JSON in and out, every failure is a ``ToolboxError``. Only this module uses pyzabbix.

Guarantees: every call has a timeout; pyzabbix never logs, because its DEBUG level prints passwords and
tokens; errors contain no secrets. ``ZabbixAPI`` is not used as a context manager: pyzabbix 1.3.1 swallows
errors there. ``sessions`` has the guarantees about TLS, proxies and redirects.
"""

import logging
from typing import Any

import requests
from packaging.version import InvalidVersion, Version
from pyzabbix.api import ZabbixAPI, ZabbixAPIException

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.server import answers
from node_observability.zabbix.server.connection import Connection, check_url, no_api, unreachable
from node_observability.zabbix.server.sessions import bearer, session

__all__ = ["Api", "connect"]

OLDEST = Version("6.0")
# The method is allowed, but the object is not.
_NO_RIGHTS = "no permissions to referred object"
_PERMISSION_HINTS = ("no permissions to ", "access denied", "only super admin")
_SESSION_HINTS = (
    "not authorized",
    "not authorised",
    "re-login",
    "api token expired",
    "session terminated",
)


class Api:
    """A session that is logged in. ``version`` is the server's."""

    def __init__(self, zabbix: ZabbixAPI, connection: Connection) -> None:
        self._zabbix = zabbix
        self._connection = connection
        self.version = zabbix.version or OLDEST

    def call(self, method: str, /, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Call a method such as ``host.get`` with named parameters; return its result."""
        return self._call(method, parameters)

    def call_long(self, method: str, /, **parameters: object) -> Any:  # noqa: ANN401 - JSON
        """Call a method that may take minutes, such as an import into a template of hundreds of hosts."""
        self._zabbix.timeout = max(self._connection.long_timeout_s, self._connection.timeout_s)
        try:
            return self._call(method, parameters)
        finally:
            self._zabbix.timeout = self._connection.timeout_s

    def call_list(self, method: str, ids: list[str]) -> Any:  # noqa: ANN401 - JSON
        """Call a method that takes a list, such as ``host.delete``; return its result."""
        return self._call(method, ids)

    def logout(self) -> None:
        """End the session of a user; with a token there is none."""
        if not self._zabbix.use_api_token:
            self._call("user.logout", [])

    def _call(self, method: str, parameters: object) -> Any:  # noqa: ANN401 - JSON
        try:
            return _ask(self._zabbix, self._connection, method, parameters)
        except ZabbixAPIException as error:
            raise _refused(method, error) from error


def connect(connection: Connection) -> Api:
    """Log in, and return the session.

    Raises:
        UsageError: wrong address, certificate, token or password, or the server is too old.
        ToolboxError: the API refuses to answer.
    """
    _cap_logger()
    check_url(connection.url)
    own = session(str(connection.ca_file or ""), connection.proxy)
    zabbix = ZabbixAPI(connection.url, own, timeout=connection.timeout_s)
    try:
        version = Version(str(_ask(zabbix, connection, "apiinfo.version", {})))
    except ZabbixAPIException as error:
        raise ToolboxError(f"{connection.url}: {_text(error)}") from error
    except InvalidVersion as error:
        raise no_api(connection, "apiinfo.version") from error
    if version < OLDEST:
        raise UsageError(
            f"{connection.url}: Zabbix {version} is too old; {OLDEST} or later is needed"
        )
    zabbix.version = version
    if connection.token:
        zabbix.use_api_token, zabbix.auth = True, bearer(connection.token, "the API token")
    else:
        login = {"username": connection.username, "password": connection.password}
        try:
            zabbix.auth = str(_ask(zabbix, connection, "user.login", login))
        except ZabbixAPIException as error:
            raise UsageError(
                f"{connection.url}: user `{connection.username}` can't log in ({_text(error)}); "
                "check name and password"
            ) from error
    api = Api(zabbix, connection)
    # The server checks a token only when it is used.
    api.call("hostgroup.get", limit=1, output=["groupid"])
    return api


def _ask(zabbix: ZabbixAPI, connection: Connection, method: str, parameters: object) -> Any:  # noqa: ANN401 - JSON
    """Return a method's result, which has the form that ``answers`` says.

    Raises:
        ZabbixAPIException: the API refuses; its ``error`` has the API's JSON.
        UsageError: what answers is not an API, or nothing answers.
    """
    try:
        result = zabbix.do_request(method, parameters)["result"]  # type: ignore[arg-type]
    except ZabbixAPIException as error:
        if isinstance(error.error, dict):
            raise
        # An empty answer, or one that is not JSON; the exception contains all of it.
        raise no_api(connection, method) from error
    except (requests.RequestException, OSError) as error:
        # pyzabbix also takes a pair of times; here it is always one.
        waited_s = zabbix.timeout if isinstance(zabbix.timeout, float) else connection.timeout_s
        unreachable(connection, error, waited_s)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise no_api(connection, method) from error
    if problem := answers.problem(method, result):
        raise no_api(connection, method, problem)
    return result


def _cap_logger() -> None:
    for name in ("pyzabbix", "pyzabbix.api"):
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _text(error: ZabbixAPIException) -> str:
    """Return the server's own error text."""
    details = error.error if isinstance(error.error, dict) else {}
    return str(details.get("data") or details.get("message") or error)


def _refused(method: str, error: ZabbixAPIException) -> ToolboxError:
    text = _text(error)
    lower = text.lower()
    if any(hint in lower for hint in _SESSION_HINTS):
        return UsageError(
            f"the server does not accept the token or session ({text}); give a valid one in "
            "ZABBIX_API_TOKEN_FILE"
        )
    if _NO_RIGHTS in lower:
        return UsageError(
            f"{method}: {text} Unless the object has just been deleted, give the user group the rights that "
            "docs/reference/zabbix.md lists"
        )
    if any(hint in lower for hint in _PERMISSION_HINTS):
        return UsageError(
            f"this user may not call {method} ({text}); allow it in Users > User roles, with the user type "
            "that docs/reference/zabbix.md lists"
        )
    return ToolboxError(f"{method}: {text}")
