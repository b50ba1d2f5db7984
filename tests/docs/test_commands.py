"""Every command on every page runs as written, in the order in which a reader meets it."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.pages import blocks, pages, run
from tests.support.paths import ROOT

_TEXTS = {page: (ROOT / page).read_text() for page in pages()}
_PAGES = {page: blocks(text) for page, text in _TEXTS.items()}
_SESSIONS = [page for page, found in _PAGES.items() if any(one.language == "sh" for one in found)]


@pytest.mark.parametrize("page", _SESSIONS)
def test_the_commands_of_a_page_run_one_after_the_other(page: str, tmp_path: Path) -> None:
    assert run(page, _TEXTS[page], tmp_path) == []


def test_what_is_not_run_says_why_and_is_listed(golden: Callable[[str, str], None]) -> None:
    lines = [
        f"{page}: {block.text.splitlines()[0]}: {block.reason}\n"
        for page, found in _PAGES.items()
        for block in found
        if block.reason
    ]
    golden("docs/not-run.txt", "".join(lines))


@pytest.mark.parametrize("page", sorted(_PAGES))
def test_examples_are_well_formed(page: str) -> None:
    for block in _PAGES[page]:
        if block.language == "yaml":
            assert [*yaml.compose_all(block.text)], f"{page}:{block.line}"
        if block.language == "json":
            json.loads(block.text)
        if block.language == "toml":
            tomllib.loads(block.text)


def test_shell_blocks_are_all_called_sh() -> None:
    languages = {block.language for found in _PAGES.values() for block in found}
    assert languages <= {"", "sh", "text", "yaml", "json", "toml", "mermaid", "ini"}
