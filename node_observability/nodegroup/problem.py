"""A problem, and the way to a value: what checks and readers hand each other. Pure."""

import re
from dataclasses import dataclass

Path = tuple[str | int, ...]
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class HiddenKey(str):
    """A key in a path that may be a secret: its line is found by it, and it is never shown."""

    __slots__ = ()


def dotted(path: Path) -> str:
    """Return a path as TOML and people write it: ``settings.kubernetes.node-taints."a.b/c"[0]``."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if _BARE.fullmatch(part) else f'"{part}"'
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
