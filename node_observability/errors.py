"""The errors that the toolbox raises on purpose. Any other exception that escapes is a bug."""


def printable(text: str) -> str:
    """Return the text with control characters escaped: others' files may have anything in names and keys."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def reason_of(error: ValueError) -> str:
    """Return what a library says is wrong with a value, without Python's advice to programmers."""
    return str(error).partition("\n")[0].partition("; use sys.")[0]


class ToolboxError(Exception):
    """The base of all. Each of ``problems`` is a sentence with the place, the value and the fix."""

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class UsageError(ToolboxError):
    """A flag, a file or a setting can't be used as it is. Nothing was changed."""


class MalformedError(UsageError):
    """The content of a file is wrong, such as its syntax: a finding for the command that checks this file."""
