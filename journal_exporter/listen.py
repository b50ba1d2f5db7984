"""The listening socket, made before anything starts: a wrong address is an error at start-up."""

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
        if not host and socket.has_dualstack_ipv6():
            return socket.create_server(
                ("", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=_BACKLOG
            )
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        shown = f"[{host}]" if ":" in host else host
        raise ConfigError(
            f"--metrics-address {shown}:{port} can't be bound: {os.strerror(error.errno or 0)}; name a free address"
        ) from error
