"""``parsers test --update``: writes the actual records into case files, as what is expected."""

from collections.abc import Sequence
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.inputs.files import read_text
from node_observability.outputs import write_text
from node_observability.parsers.cases.diff import is_same
from node_observability.parsers.cases.edit import Change, apply_changes
from node_observability.parsers.cases.files import CaseFile, parse
from node_observability.parsers.cases.runner import Outcome
from node_observability.parsers.cases.values import Expected

__all__ = ["update"]


def update(files: Sequence[CaseFile], outcomes: Sequence[Outcome]) -> list[Path]:
    """Write the records that differ into their files, and nothing else; return the paths.

    Raises:
        UsageError: two configurations disagree on a case, or an update would lose something. Nothing is
            written then.
        ToolboxError: a file can't be written.
    """
    actual: dict[tuple[Path, str], Expected] = {}
    problems: list[str] = []
    for outcome in outcomes:
        place = str(outcome.case.place)
        key = (outcome.file.path, place)
        if not is_same(actual.setdefault(key, outcome.actual), outcome.actual):
            problems.append(
                f"{place}: configurations disagree on this case; {outcome.label} gives another record"
            )
    if problems:
        raise UsageError(*problems)
    failed = {
        (outcome.file.path, str(outcome.case.place)) for outcome in outcomes if outcome.differences
    }
    texts: dict[Path, str] = {}
    for file in files:
        changes = {
            index: Change(case.expected, actual[file.path, str(case.place)])
            for index, case in enumerate(file.cases)
            if (file.path, str(case.place)) in failed
        }
        if changes and file.path not in texts:
            texts[file.path] = _updated_text(file, changes)
    for path, text in texts.items():
        write_text(path, text, newline="\r\n" if b"\r\n" in path.read_bytes() else "\n")
    return sorted(texts)


def _updated_text(file: CaseFile, changes: dict[int, Change]) -> str:
    """Return the new text of a file, after reading it back: only the changes may differ."""
    before = read_text(file.path, keep_mark=True)
    text = apply_changes(before, str(file.path), changes)
    new_cases, old_cases = parse(text, file.path).cases, parse(before, file.path).cases
    for index, (new, old) in enumerate(zip(new_cases, old_cases, strict=True)):
        wanted = changes[index].new if index in changes else old.expected
        if (new.name, new.lines) != (old.name, old.lines) or not is_same(new.expected, wanted):
            raise old.place.error(f"{old.name} can't be updated in place; write expected by hand")
    return text
