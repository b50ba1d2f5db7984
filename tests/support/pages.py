"""The fenced blocks of a page, and a shell session that runs them in the order a reader meets them.

A block of `sh` is run. Of one with the comment ``<!-- not run in tests: REASON -->`` above it, only the
programs that ``tests.support.page_programs`` plays are run. A block with ``title="NAME"`` is the file NAME of
the reader's directory. A block of `text` straight after one of `sh` is what that one prints, where `…` stands
for any text.
"""

import os
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.paths import ROOT

__all__ = ["Block", "blocks", "pages", "run", "run_installed"]

_FENCE = re.compile(
    r"(?:^<!-- not run in tests: (?P<reason>[^\n]+) -->\n+)?"
    r"^(?P<indent> *)```(?P<language>[a-z]*)(?: title=\"(?P<title>[^\"]+)\")?\n"
    r"(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_LIMIT_S = 240
_STUBS = ("helm", "kubectl", "make", "node-observability")
# A restricted shell without programs but the stubs, which then write their complaints to a file.
_MARKED = (
    'set +e; export PAGE_MARKED=1 PATH="$PAGE_STUBS"; command_not_found_handle() { :; }; set -r'
)


@dataclass(frozen=True)
class Block:
    """A fenced block; ``line`` is that of its first line of text, ``reason`` why it is not run."""

    language: str
    text: str
    line: int
    title: str | None
    reason: str | None
    output: str | None = None


def pages() -> list[str]:
    """Return the paths of all pages of the repository, relative to its root."""
    return sorted(path for path in _listed() if path.endswith(".md") and (ROOT / path).exists())


def _listed() -> list[str]:
    """Return what git lists or, in a source distribution, every file of a directory that has no dot."""
    if (ROOT / ".git").exists():
        command = ("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "*.md")
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        return done.stdout.split("\0")
    return [
        str(path.relative_to(ROOT))
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
    ]


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a page's text."""
    found: list[Block] = []
    end = -1
    for match in _FENCE.finditer(text):
        follows = end >= 0 and not text[end : match.start()].strip()
        end = match.end()
        if match["language"] == "text" and follows and found[-1].language == "sh":
            last = found.pop()
            found.append(Block(**{**last.__dict__, "output": match["text"]}))
            continue
        body = re.sub(rf"^{match['indent']}", "", match["text"], flags=re.MULTILINE)
        line = text.count("\n", 0, match.start("text")) + 1
        found.append(Block(match["language"], body, line, match["title"], match["reason"]))
    return found


def _script(page: str, found: list[Block]) -> str:
    """Return the page as a program: titled blocks are files, each block prints to its own file."""
    parts = ["set -euo pipefail", "trap 'echo \"$at failed\" >&2' ERR"]
    for number, block in enumerate(found):
        if block.title is not None:
            parts.append(f"cat >'{block.title}' <<'END OF PAGE'\n{block.text}END OF PAGE")
        elif block.language == "sh":
            parts.append(f'at={page}:{block.line}; exec >"$PAGE_STATE/{number}.out"')
            parts.append(f"({_MARKED}\n{block.text}) || true" if block.reason else block.text)
    return "\n".join(parts) + "\n"


def _prepare(directory: Path) -> dict[str, str]:
    """Make the reader's directory, which looks like a checkout, and the programs on their PATH."""
    state, programs, work = directory / "state", directory / "bin", directory / "work"
    for made in (state, programs, work):
        made.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in (".git", "var", "build"):
            (work / entry.name).symlink_to(entry)
    for name in _STUBS:
        stub = programs / name
        stub.write_text(
            f'#!/bin/sh\nexec {sys.executable} -m tests.support.page_programs {name} "$@"\n'
        )
        stub.chmod(0o755)
    found = (str(Path(sys.executable).parent), str(ROOT / ".cache/bin"), os.environ["PATH"])
    real = os.pathsep.join(found)
    kept = {key: text for key, text in os.environ.items() if not key.startswith("GIT_")}
    return {
        **kept,
        "PATH": f"{programs}{os.pathsep}{real}",
        "REAL_PATH": real,
        "PYTHONPATH": str(ROOT),
        "PAGE_STATE": str(state),
        "PAGE_STUBS": str(programs),
        "KUBECONFIG": "/dev/null",
    }


def _differs(expected: str, printed: str) -> bool:
    pattern = ".*".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is None


def run(page: str, text: str, directory: Path) -> list[str]:
    """Run a page's blocks as one session of bash; return what went wrong, empty where all is well."""
    return _run(page, blocks(text), directory, _prepare(directory))


def run_installed(page: str, text: str, directory: Path, programs: Path) -> list[str]:
    """Run a page's blocks in an empty directory, with installed programs instead of a checkout's.

    Blocks that are marked as not run are left out.
    """
    for made in ("state", "work"):
        (directory / made).mkdir()
    environment = {
        "PATH": f"{programs}{os.pathsep}{os.defpath}",
        "HOME": str(directory),
        "LANG": "C.UTF-8",
        "PAGE_STATE": str(directory / "state"),
    }
    found = [block for block in blocks(text) if not block.reason]
    return _run(page, found, directory, environment)


def _run(page: str, found: list[Block], directory: Path, environment: dict[str, str]) -> list[str]:
    with (directory / "errors").open("w+") as errors:
        session = subprocess.Popen(
            ["bash", "-c", _script(page, found)],
            cwd=directory / "work",
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=errors,
            process_group=0,
        )
        try:
            failed = session.wait(_LIMIT_S)
        finally:
            # What a block left in the background ends too.
            with suppress(ProcessLookupError):
                os.killpg(session.pid, signal.SIGKILL)
            session.wait()
        errors.seek(0)
        if failed:
            return [errors.read()]
    complaints = directory / "state" / "complaints"
    wrong = [complaints.read_text()] if complaints.exists() else []
    for number, block in enumerate(found):
        if block.output is not None and not block.reason:
            printed = (directory / "state" / f"{number}.out").read_text()
            if _differs(block.output, printed):
                wrong.append(f"{page}:{block.line} prints:\n{printed}")
    return wrong
