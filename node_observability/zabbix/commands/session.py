"""The flags that say how to reach the server, and a session with it."""

import argparse
import contextlib
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path

from node_observability.errors import ToolboxError, UsageError
from node_observability.inputs.files import check_readable, file_name, file_path
from node_observability.zabbix.commands.flags import duration_s
from node_observability.zabbix.commands.secrets import secret
from node_observability.zabbix.server.api import Api, connect
from node_observability.zabbix.server.connection import Connection

__all__ = ["add_connection", "connection_of", "session"]


def _timeout_s(text: str) -> float:
    seconds = duration_s(text if text[-1:].isalpha() else f"{text}s")
    if not seconds:
        raise argparse.ArgumentTypeError("must be more than 0")
    return float(seconds)


def add_connection(parser: argparse.ArgumentParser) -> None:
    """Add the flags for reaching the server."""
    group = parser.add_argument_group(
        "server",
        "Credentials come from the environment: ZABBIX_API_TOKEN, or ZABBIX_USER and "
        "ZABBIX_PASSWORD. ZABBIX_API_TOKEN_FILE and ZABBIX_PASSWORD_FILE name files that contain them.",
    )
    group.add_argument("--url", help="address of the frontend (default: ZABBIX_URL)")
    group.add_argument(
        "--token-file",
        type=file_name,
        metavar="FILE",
        help="file with an API token; - is standard input",
    )
    group.add_argument(
        "--password-file",
        type=file_name,
        metavar="FILE",
        help="file with the password; - is standard input",
    )
    group.add_argument(
        "--ca-file",
        type=file_path,
        metavar="FILE",
        help="PEM file of the certificate authorities to trust instead of the public ones",
    )
    group.add_argument(
        "--proxy",
        default="",
        metavar="URL",
        help="proxy to use; proxy variables of the environment are ignored",
    )
    group.add_argument(
        "--timeout",
        type=_timeout_s,
        default=30.0,
        metavar="TIME",
        help="time limit of an API call; an import may take 10m or more (default: 30s)",
    )


def connection_of(options: argparse.Namespace, environment: Mapping[str, str]) -> Connection:
    """Return how to reach the server, as the flags and the environment say.

    Raises:
        UsageError: there is no address or no credentials, or a file can't be used.
    """
    url = (options.url or environment.get("ZABBIX_URL", "")).strip()
    if not url:
        raise UsageError("no address of a Zabbix frontend; give --url or ZABBIX_URL")
    ca_file: Path | None = options.ca_file
    if ca_file is not None:
        _check_authorities(ca_file)
    token = secret(environment, "ZABBIX_API_TOKEN", options.token_file)
    username = environment.get("ZABBIX_USER", "").rstrip("\r\n")
    password = secret(environment, "ZABBIX_PASSWORD", options.password_file)
    if not token and not (username and password):
        raise UsageError(
            "no credentials; give ZABBIX_API_TOKEN_FILE, or ZABBIX_USER and ZABBIX_PASSWORD_FILE"
        )
    return Connection(
        url=url,
        token=token,
        username=username,
        password=password,
        ca_file=ca_file,
        proxy=options.proxy,
        timeout_s=options.timeout,
    )


def _check_authorities(path: Path) -> None:
    try:
        check_readable(path, "name a PEM file")
    except UsageError as error:
        raise UsageError(f"--ca-file {error}") from None
    try:
        ssl.create_default_context(cafile=path)
    except ssl.SSLError as error:
        raise UsageError(f"--ca-file {path}: contains no certificates in PEM format") from error
    except OSError as error:
        raise UsageError(f"--ca-file {path}: {error.strerror}") from error


@contextlib.contextmanager
def session(options: argparse.Namespace) -> Iterator[Api]:
    """Log in while the block runs.

    Raises:
        ToolboxError: the login or the logout failed; an error of the block hides that of the logout.
    """
    api = connect(connection_of(options, os.environ))
    try:
        yield api
    except BaseException:
        with contextlib.suppress(ToolboxError):
            api.logout()
        raise
    api.logout()
