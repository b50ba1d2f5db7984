"""A new format after a kill: the torn line is finished in the old one, the rest comes in the new one."""

import re
from pathlib import Path

from tests.support.chaos.oracle import Oracle, lines
from tests.support.chaos.runs import CHANGING, Case, calls, kill_all, side_by_side
from tests.support.chaos.torn import ended, places, torn

_NUMBER = re.compile(rb"\bm(\d{6})\b")


def begun(oracle: Oracle, base: Path) -> Case:
    """Return an output whose last line is torn, to be continued as JSON."""
    case = Case(oracle.journal, base, ("--once", "--max-bytes", "1Mi"))
    ended(case, torn(case, places(oracle)[3]))
    case.arguments = (*case.arguments, "--format", "json", "--log-level", "error")
    return case


def test_a_kill_at_any_system_call_while_the_format_changes_loses_and_repeats_nothing(
    wide: Oracle, tmp_path: Path, *, long: bool
) -> None:
    undisturbed = begun(wide, tmp_path / "undisturbed")
    assert undisturbed.traced("-e", f"trace={CHANGING}") == 0
    counted = calls(undisturbed.trace)
    calls_to_hit = counted if long else ("rename", "pwrite64", "write")

    def check(point: tuple[str, int]) -> None:
        case = begun(wide, tmp_path / "{}-{}".format(*point))
        assert kill_all(case, *point), case.log()
        case.heal()
        numbers = [int(found[1]) for line in lines(case.output) if (found := _NUMBER.search(line))]
        assert numbers == list(range(len(wide.lines))), case.log()

    side_by_side(check, [(call, n) for call in calls_to_hit for n in range(1, counted[call] + 1)])
