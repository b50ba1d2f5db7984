"""``parsers test --update``: what came out becomes what is expected."""

from collections.abc import Sequence
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.parsers.casefiles import CaseFile, Expected
from node_observability.parsers.casewriter import write
from node_observability.parsers.verification import Outcome

__all__ = ["update"]


def update(files: Sequence[CaseFile], outcomes: Sequence[Outcome]) -> list[Path]:
    """Write each file whose expectations differ; return their paths.

    Raises:
        UsageError: two configurations disagree on a case; nothing is written.
    """
    actual: dict[str, Expected] = {}
    problems = []
    for outcome in outcomes:
        place = str(outcome.case.place)
        if actual.setdefault(place, outcome.actual) != outcome.actual:
            problems.append(
                f"{place}: {outcome.label} makes something else of it than the one before"
            )
    if problems:
        raise UsageError(*problems)
    changed = {outcome.file.path for outcome in outcomes if outcome.differences}
    for file in files:
        if file.path in changed:
            for case in file.cases:
                case.expected = actual[str(case.place)]
            write(file)
    return sorted(changed)
