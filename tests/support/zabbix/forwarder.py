"""A TCP forwarder between agents and server, which can close its port for new connections like a firewall."""

import contextlib
import selectors
import socket
import threading
from typing import Self

from tests.support.exporter import free_port

__all__ = ["Forwarder"]

_LOOK_S = 0.1
_CHUNK_BYTES = 65536


class Forwarder:
    """Forwards ``port`` to another port of the loopback address; a context manager.

    ``close`` refuses new connections and leaves existing ones open; ``open`` accepts new ones again.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self._target = target
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def open(self) -> None:
        """Accept connections."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self._stop.clear()
        self._thread = threading.Thread(target=self._accept, args=(listener,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Accept no more; does nothing if it is closed."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _accept(self, listener: socket.socket) -> None:
        listener.settimeout(_LOOK_S)
        with listener:
            while not self._stop.is_set():
                with contextlib.suppress(TimeoutError):
                    near, _ = listener.accept()
                    threading.Thread(target=self._forward, args=(near,), daemon=True).start()

    def _forward(self, near: socket.socket) -> None:
        with contextlib.ExitStack() as stack:
            stack.enter_context(near)
            try:
                far = stack.enter_context(socket.create_connection(("127.0.0.1", self._target)))
                waiting = stack.enter_context(selectors.DefaultSelector())
                for source, sink in ((near, far), (far, near)):
                    source.settimeout(None)
                    waiting.register(source, selectors.EVENT_READ, sink)
                while waiting.get_map():
                    for key, _ in waiting.select():
                        self._move(waiting, key)
            except OSError:
                return  # refused or reset: the agent sees its connection end

    @staticmethod
    def _move(waiting: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        source, sink = key.fileobj, key.data
        assert isinstance(source, socket.socket)
        data = source.recv(_CHUNK_BYTES)
        if data:
            sink.sendall(data)
        else:
            waiting.unregister(source)
            sink.shutdown(socket.SHUT_WR)
