"""Makes the listening socket before anything starts, so that a wrong address is an error at start-up."""

import contextlib
import os
import socket

from journal_exporter.errors import ConfigError

_BACKLOG = 64


def listen(host: str, port: int) -> socket.socket:
    """Bind an address and listen; an empty host means all addresses, IPv4 and IPv6.

    Raises:
        ConfigError: the address can't be bound.
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
            f"--metrics-address: can't bind {shown}:{port}: {reason}; choose another address"
        ) from error


def _listen_everywhere(port: int) -> socket.socket:
    if socket.has_dualstack_ipv6():
        # Where IPv6 is disabled, nodes create such sockets but refuse to bind them.
        with contextlib.suppress(OSError):
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
    return socket.create_server(("", port), backlog=_BACKLOG)
