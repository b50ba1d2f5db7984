"""Both programs have the same exit codes."""

import re

import journal_exporter.exit_codes
import node_observability.exit_codes


def test_the_exit_codes_of_both_programs_mean_the_same() -> None:
    ours, theirs = journal_exporter.exit_codes, node_observability.exit_codes
    assert (ours.SUCCESS, ours.ERROR) == (theirs.SUCCESS, theirs.ERROR)
    meanings = [
        re.findall(r"^  (\d)  ([a-z ]+)", each.TABLE, re.MULTILINE) for each in (ours, theirs)
    ]
    assert [(code, text.strip()) for code, text in meanings[0]] == [
        (code, text.strip()) for code, text in meanings[1]
    ]
