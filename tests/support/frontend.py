"""A frontend's API on loopback with scripted answers: results, refusals, nonsense, silence."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.support.servers import Handler, serving

__all__ = ["Frontend", "frontend", "refusal"]


def refusal(text: str, code: int = -32500) -> dict[str, Any]:
    """Return the API's answer when it refuses a call."""
    return {"error": {"code": code, "message": "Application error.", "data": text}}


@dataclass
class Frontend:
    """``answers`` has a method's JSON, or an HTTP status and any body. Methods in ``silent`` get none."""

    answers: dict[str, dict[str, Any] | list[Any] | tuple[int, bytes]] = field(
        default_factory=lambda: {
            "apiinfo.version": {"result": "7.0.22"},
            "user.login": {"result": "s3ssion"},
            "user.logout": {"result": True},
            "hostgroup.get": {"result": []},
        }
    )
    silent: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def frontend() -> Iterator[Frontend]:
    """Run one while the block runs."""
    own = Frontend()
    ended = threading.Event()

    class Api(Handler):
        def respond(self) -> None:
            asked = json.loads(self.body())
            own.asked.append(asked["method"])
            if asked["method"] in own.silent:
                ended.wait(30)
                return
            answer = own.answers[asked["method"]]
            status, body = answer if isinstance(answer, tuple) else (200, b"")
            if isinstance(answer, dict):
                answer = {"jsonrpc": "2.0", "id": asked["id"], **answer}
            self.answer(body or json.dumps(answer).encode(), status)

    with serving(Api) as port:
        own.url = f"http://127.0.0.1:{port}"
        try:
            yield own
        finally:
            ended.set()
