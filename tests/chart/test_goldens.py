"""Every valid case renders its golden, and every invalid case fails with the message that it names."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.chart.cases import ALL, INVALID, each_case, name_of
from tests.support.helm import RenderError, render_text

_VOLATILE = re.compile(
    r"(?m)(helm\.sh/chart: node-observability|app\.kubernetes\.io/version:|checksum/config:"
    r"|journal-exporter:)"
    r"[-: ]?\S+"
)


def _stable(text: str) -> str:
    """Return the text without versions, checksums and the contents of Fluent Bit's files."""
    text = _VOLATILE.sub(lambda found: f"{found[1]} …", text)
    # tests/fluentbit checks the contents of these files.
    return re.sub(
        r"(?m)^  ((?:service|parsers|input-|filter-|output-)[\w-]*\.yaml): \|\n(?:    .*\n| *\n)+",
        r"  \1: …\n",
        text,
    )


@each_case
def test_a_valid_case_renders_its_golden(case: Path, golden: Callable[[str, str], None]) -> None:
    golden(f"chart/{name_of(case)}.yaml", _stable(render_text(case)))


def test_there_are_a_dozen_valid_cases_and_fifteen_invalid_ones() -> None:
    assert len(ALL) >= 12
    assert len(INVALID) >= 15


@pytest.mark.parametrize("case", INVALID, ids=lambda path: path.stem)
def test_an_invalid_case_fails_with_the_message_that_it_names(case: Path) -> None:
    first = case.read_text().splitlines()[0]
    assert first.startswith("# fails: ")
    with pytest.raises(RenderError) as caught:
        render_text(case)
    # helm breaks and indents the messages of the schema.
    assert first.removeprefix("# fails: ") in " ".join(str(caught.value).split())
