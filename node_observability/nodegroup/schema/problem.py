"""A problem, and the path of a value in a document: what checks return. Pure."""

import dataclasses
import re
from dataclasses import dataclass
from typing import Self

Path = tuple[str | int, ...]
# Up to the last "@": an account in a URL, or before a host without a scheme.
_ACCOUNT = re.compile(r"(?s)^(?:([A-Za-z][A-Za-z0-9+.-]*://).*@|.*:.*@)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class HiddenKey(str):
    """A key that may be a secret: it serves to find its line, and no error shows it."""

    __slots__ = ()


def without_account(text: str) -> str:
    """Return a text without the account (``user:password@``) that an address in it may have."""
    return _ACCOUNT.sub(r"\1…@", text)


def dotted(path: Path) -> str:
    """Return a path as text: ``settings.kubernetes.node-taints."a.b/c"[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE.fullmatch(part) else f'"{without_account(part)}"'
            if isinstance(part, HiddenKey):
                key = "…"
            text += f".{key}" if text else key
    return text


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path, and the fix, in one sentence; ``line`` counts from 1 in the user's file."""

    path: Path
    text: str
    line: int | None = None

    @property
    def sentence(self) -> str:
        """Return the path and what is wrong there."""
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text

    def in_file(self, name: str) -> str:
        """Return the sentence with file and line before it."""
        place = f"{name}:{self.line}" if self.line else name
        return f"{place}: {self.sentence}"

    def of_target(self, target: str) -> Self:
        """Return the problem with the target's name in its text."""
        return dataclasses.replace(self, text=f"{target}: {self.text}")
