"""The chart's pages can be read from its package, and each value is explained by itself."""

import re
from collections import Counter

import pytest

from tests.support.helm import CHART
from tests.support.paths import ROOT
from tools.chart_values import flat, read

PAGES = ("README.md", "UPGRADING.md")
VALUES = [value for value in flat(read(CHART / "values.yaml")) if value.text]


def links(text: str) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", text)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_of_the_chart_links_only_to_addresses_and_to_pages_of_the_package(page: str) -> None:
    outside = [
        target
        for target in links((CHART / page).read_text())
        if not target.startswith(("https://", "#")) and target.partition("#")[0] not in PAGES
    ]
    assert outside == []


@pytest.mark.parametrize(
    ("page", "target"),
    [
        ("charts/node-observability/README.md", "UPGRADING.md"),
        ("README.md", "charts/node-observability/UPGRADING.md"),
        ("CHANGELOG.md", "charts/node-observability/UPGRADING.md"),
    ],
)
def test_upgrading_is_linked_from_where_people_look(page: str, target: str) -> None:
    assert target in {link.partition("#")[0] for link in links((ROOT / page).read_text())}


def test_no_value_has_the_description_of_another() -> None:
    """A description without its subject, such as `Tag.`, fits several values."""
    assert len(VALUES) > 200
    counts = Counter(value.text for value in VALUES)
    assert [text for text, count in counts.items() if count > 1] == []


def test_every_description_begins_with_a_sentence_that_names_its_subject() -> None:
    short = [
        value.name for value in VALUES if len(re.split(r"[.:](?:\s|$)", value.text)[0].split()) < 4
    ]
    assert short == []
