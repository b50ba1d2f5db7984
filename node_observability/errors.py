"""Every error that the toolbox raises on purpose; anything else that escapes is a bug."""


def printable(text: str) -> str:
    """Return a text that keeps to its line: names and keys of others' files may have anything in them."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


class ToolboxError(Exception):
    """Base of all. ``problems`` are sentences, each of which names the place, the value and the fix."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class UsageError(ToolboxError):
    """What was given can't be used as it is: a flag, a file, a setting. Nothing was changed."""
