"""An address is bound at the start, or it is one clear error."""

import socket

import pytest

from journal_exporter.errors import ConfigError
from journal_exporter.monitoring.listen import listen


def test_a_free_port_is_bound_and_takes_connections() -> None:
    with listen("127.0.0.1", 0) as listener:
        host, port = listener.getsockname()
        assert host == "127.0.0.1"
        with socket.create_connection((host, port), timeout=10):
            connection, _ = listener.accept()
            connection.close()


def test_no_host_means_every_address() -> None:
    with listen("", 0) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port), timeout=10):
            connection, _ = listener.accept()
            connection.close()


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="IPv6 is not available")
def test_an_ipv6_address_is_bound() -> None:
    with listen("::1", 0) as listener:
        assert listener.family == socket.AF_INET6


def test_a_port_that_is_taken_is_named() -> None:
    with listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ConfigError) as caught:
            listen("127.0.0.1", port)
    (problem,) = caught.value.problems
    assert problem == (
        f"--metrics-address: can't bind 127.0.0.1:{port}: Address already in use;"
        " choose another address"
    )


@pytest.mark.parametrize(
    ("host", "shown"), [("192.0.2.1", "192.0.2.1:9"), ("2001:db8::1", "[2001:db8::1]:9")]
)
def test_an_address_of_another_machine_is_named_as_it_was_written(host: str, shown: str) -> None:
    with pytest.raises(ConfigError, match="can't bind") as caught:
        listen(host, 9)
    assert f"--metrics-address: can't bind {shown}: " in str(caught.value)


def test_a_port_is_free_again_at_once() -> None:
    with listen("127.0.0.1", 0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address, timeout=10):
            connection, _ = listener.accept()
            connection.close()
    listen(*address).close()
