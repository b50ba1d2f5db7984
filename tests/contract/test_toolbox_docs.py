"""The toolbox's pages: every command in their text exists."""

import re
import shlex

import pytest
import yaml

from node_observability import cli
from tests.support.paths import ROOT

PAGES = [
    "docs/reference/node-groups.md",
    "docs/reference/exit-codes.md",
    "docs/explanation/posts.md",
]
COMMANDS = "|".join(name for name, _, _ in cli.COMMANDS)
# What they do not parse without, where a text names the subcommand alone.
WANTED: dict[tuple[str, ...], list[str]] = {
    ("nodegroup", "render"): ["FILE"],
    ("nodegroup", "check"): ["FILE"],
    ("parsers", "explain"): ["LINE"],
    ("zabbix", "apply"): ["--cluster", "NAME"],
    ("zabbix", "diff"): ["--cluster", "NAME"],
    ("zabbix", "check"): ["--cluster", "NAME", "--in-cluster"],
}


@pytest.mark.parametrize("page", PAGES)
def test_every_command_in_the_text_of_a_page_is_understood(page: str) -> None:
    text = (ROOT / page).read_text()
    lines = re.findall(rf"`((?:node-observability )?(?:{COMMANDS}) [^`…]+)`", text)
    commands = [shlex.split(line.removeprefix("node-observability ")) for line in lines]
    assert commands
    for command in commands:
        # Figures stand for anything, and a fragment without its file gets one.
        words = ["8" if word == "N" else word for word in command]
        words += WANTED.get(tuple(words[:2]), [])
        assert cli.parser(words[0]).parse_args(words).command == words[0]


def test_the_examples_that_the_pages_name_exist_and_are_named() -> None:
    text = (ROOT / "docs/how-to/create-node-groups.md").read_text()
    named = set(re.findall(r"\(\.\./examples/([a-z-]+\.yaml)\)", text))
    assert named == {path.name for path in (ROOT / "docs/examples").glob("*.yaml")}


def test_every_value_of_the_chart_that_the_posts_page_names_is_one_that_there_is() -> None:
    values = yaml.safe_load((ROOT / "charts/node-observability/values.yaml").read_text())
    text = (ROOT / "docs/explanation/posts.md").read_text()
    found = re.findall(r"`((?:nodeSelection|zabbix|fluentBit)\.[A-Za-z.]+)`", text)
    assert len(found) > 5
    for path in found:
        at = values
        for key in path.split("."):
            assert key in at, path
            at = at[key]


def test_every_parser_that_the_posts_page_names_is_one_that_there_is() -> None:
    parsers = (ROOT / "fluentbit/parsers.conf").read_text()
    found = set(
        re.findall(r"`(nodeobs_[a-z_]+)`", (ROOT / "docs/explanation/posts.md").read_text())
    )
    assert found
    assert found <= set(re.findall(r"^\s*Name\s+(\S+)$", parsers, re.MULTILINE))
