"""Where Fluent Bit's outputs send records over HTTP: it takes and keeps everything."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers import Handler, serving

__all__ = ["Receiver", "receiver"]


@dataclass
class Receiver:
    """The port, and path, ``Authorization`` and body of each request."""

    port: int = 0
    requests: list[tuple[str, str, bytes]] = field(default_factory=list)

    def text(self) -> str:
        """Return all bodies."""
        return b"".join(body for _, _, body in self.requests).decode(errors="replace")

    def records(self) -> list[dict[str, Any]]:
        """Return the records of the ``http`` output, whose bodies are JSON arrays."""
        return [record for _, _, body in list(self.requests) for record in json.loads(body)]

    def of_pod(self, name: str) -> list[dict[str, Any]]:
        """Return the records whose pod is known and has this name."""
        return [one for one in self.records() if one.get("kubernetes", {}).get("pod_name") == name]


@contextmanager
def receiver(
    address: str = "127.0.0.1", port: int = 0, *, certificate: tuple[object, object] | None = None
) -> Iterator[Receiver]:
    """Listen at an address while the block runs; port 0 is any. ``certificate`` and key make it HTTPS."""
    found = Receiver()

    class Output(Handler):
        def respond(self) -> None:
            found.requests.append((self.path, self.headers.get("Authorization", ""), self.body()))
            if "loki" in self.path:
                self.answer(status=204)
            else:
                self.answer(b'{"errors":false,"items":[]}')

    with serving(Output, (address, port), certificate=certificate) as found.port:
        yield found
