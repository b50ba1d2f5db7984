"""The toolbox's pages: every command they show is one that there is."""

import re
import shlex
from pathlib import Path

import pytest

from node_observability import cli

ROOT = Path(__file__).parents[2]
PAGES = ["docs/node-groups.md", "docs/debugging.md", "docs/posts.md"]
READY = ("nodegroup", "debug")


def _commands(page: str) -> list[list[str]]:
    """Return the commands of a page's shell blocks, and those in its text that name their flags."""
    text = (ROOT / page).read_text()
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    lines += re.findall(r"`((?:node-observability )?(?:nodegroup|debug) [^`…]+)`", text)
    commands = [shlex.split(line.removeprefix("node-observability ")) for line in lines]
    return [command for command in commands if command[0] in READY]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_that_a_page_shows_is_understood(page: str) -> None:
    commands = _commands(page)
    assert commands
    for command in commands:
        # Figures stand for anything, and a fragment without its file gets one.
        words = ["8" if word == "N" else word for word in command]
        if command[1] in ("render", "check"):
            words.append("FILE")
        assert cli.parser(words[0]).parse_args(words).command == words[0]


def test_the_examples_that_the_pages_name_exist_and_are_named() -> None:
    text = (ROOT / "docs/node-groups.md").read_text()
    named = set(re.findall(r"\(examples/([a-z-]+\.yaml)\)", text))
    assert named == {path.name for path in (ROOT / "docs/examples").glob("*.yaml")}
