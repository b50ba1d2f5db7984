"""Both programs have the same exit codes, and the page about them too."""

import re

import journal_exporter.exit_codes
import node_observability.exit_codes
from tests.support.paths import ROOT


def meanings(pattern: str, text: str) -> dict[str, str]:
    """Return the first words of each code's meaning."""
    found = re.findall(rf"^{pattern}([a-z]+(?: [a-z]+)*)", text, re.MULTILINE)
    return dict(found)


def test_the_exit_codes_of_both_programs_and_of_the_page_mean_the_same() -> None:
    ours, theirs = journal_exporter.exit_codes, node_observability.exit_codes
    assert (ours.SUCCESS, ours.ERROR) == (theirs.SUCCESS, theirs.ERROR)
    expected = {"0": "success", "1": "findings", "2": "error", "3": "a difference"}
    page = (ROOT / "docs/reference/exit-codes.md").read_text()
    assert meanings(r"  (\d)  ", ours.TABLE) == expected
    assert meanings(r"  (\d)  ", theirs.TABLE) == expected
    assert meanings(r"\| (\d) \| ", page) == expected
