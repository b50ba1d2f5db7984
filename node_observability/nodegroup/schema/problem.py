"""A problem, and the way to a value: what checks and readers hand each other. Pure."""

import re
from dataclasses import dataclass

Path = tuple[str | int, ...]
# Up to the last "@": an account in a URL, or before a host without a scheme.
_ACCOUNT = re.compile(r"(?s)^(?:([A-Za-z][A-Za-z0-9+.-]*://).*@|.*:.*@)")
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class HiddenKey(str):
    """A key in a path that may be a secret: its line is found by it, and it is never shown."""

    __slots__ = ()


def without_account(text: str) -> str:
    """Return a text that may be an address as it may be shown."""
    return _ACCOUNT.sub(r"\1…@", text)


def dotted(path: Path) -> str:
    """Return a path as TOML and people write it: ``settings.kubernetes.node-taints."a.b/c"[0]``."""
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
    """What is wrong at a place, and the fix, in one sentence."""

    path: Path
    text: str

    @property
    def sentence(self) -> str:
        """Return the place and what is wrong there."""
        return f"{dotted(self.path)}: {self.text}" if self.path else self.text
