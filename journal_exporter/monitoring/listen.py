"""The listening socket, made before anything starts: a wrong address is an error at start-up."""

import contextlib
import os
import socket

from journal_exporter.errors import ConfigError

_BACKLOG = 64


def listen(host: str, port: int) -> socket.socket:
    """Bind an address and listen; an empty host means all addresses, IPv4 and IPv6.

    Raises:
        ConfigError: it can't be bound.
    """
    try:
        if not host:
            return _listen_everywhere(port)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except (OSError, UnicodeError) as error:
        shown = f"[{host}]" if ":" in host else host
        number = error.errno if isinstance(error, OSError) else None
        reason = os.strerror(number) if number and number > 0 else "no such host"
        raise ConfigError(
            f"--metrics-address {shown}:{port} can't be bound: {reason}; name a free address"
        ) from error


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        # Nodes with IPv6 switched off still make such sockets, and refuse to bind them.
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
    return socket.create_server(("", port), backlog=_BACKLOG)
