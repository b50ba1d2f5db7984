"""``parsers test --update``: what came out becomes what is expected."""

from collections.abc import Sequence
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.outputs import write_text
from node_observability.parsers.cases.diff import is_same
from node_observability.parsers.cases.edit import Change, edited
from node_observability.parsers.cases.files import CaseFile, Expected, parse
from node_observability.parsers.cases.runner import Outcome

__all__ = ["update"]


def update(files: Sequence[CaseFile], outcomes: Sequence[Outcome]) -> list[Path]:
    """Write into each file what came out where it differs; return the paths. All else stays as it is.

    Raises:
        UsageError: two configurations disagree on a case, or a file can't be changed without a loss;
            nothing is written.
    """
    actual: dict[tuple[Path, str], Expected] = {}
    problems: list[str] = []
    for outcome in outcomes:
        place = str(outcome.case.place)
        key = (outcome.file.path, place)
        if not is_same(actual.setdefault(key, outcome.actual), outcome.actual):
            problems.append(
                f"{place}: {outcome.label} makes something else of it than the one before"
            )
    if problems:
        raise UsageError(*problems)
    changed = {
        (outcome.file.path, str(outcome.case.place)) for outcome in outcomes if outcome.differences
    }
    texts: dict[Path, str] = {}
    for file in files:
        changes = {
            index: Change(case.expected, actual[file.path, str(case.place)])
            for index, case in enumerate(file.cases)
            if (file.path, str(case.place)) in changed
        }
        if changes and file.path not in texts:
            texts[file.path] = _checked(file, changes)
    for path, text in texts.items():
        write_text(path, text, newline="\r\n" if b"\r\n" in path.read_bytes() else "\n")
    return sorted(texts)


def _checked(file: CaseFile, changes: dict[int, Change]) -> str:
    """Return the new text of a file, read back: nothing but the changes may differ."""
    before = read_text(file.path, keep_mark=True)
    text = edited(before, str(file.path), changes)
    cases, old = parse(text, file.path).cases, parse(before, file.path).cases
    for index, (case, was) in enumerate(zip(cases, old, strict=True)):
        wanted = changes[index].new if index in changes else was.expected
        if (case.name, case.lines) != (was.name, was.lines) or not is_same(case.expected, wanted):
            raise UsageError(
                f"{was.place}: {was.name} can't be updated where it stands; write its expected by hand"
            )
    return text
