"""What is generated or written twice agrees."""

import re
import tomllib
from collections.abc import Callable

from journal_exporter.monitoring.prometheus import version
from tests.support.paths import ROOT
from tools.configuration_docs import render

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _pins(lines: list[str]) -> dict[str, str]:
    pins = (line.split("==") for line in lines if "==" in line)
    return {name.strip().lower().replace("_", "-"): pin.strip() for name, pin in pins}


def test_the_configuration_page_is_what_the_settings_table_says(
    golden: Callable[[str, str], None],
) -> None:
    golden("../../docs/reference/configuration.md", render())


def test_every_direct_dependency_is_pinned_to_one_version_everywhere() -> None:
    wanted = _pins(
        [
            *PROJECT["project"]["optional-dependencies"]["exporter"],
            *PROJECT["project"]["optional-dependencies"]["toolbox"],
            *PROJECT["dependency-groups"]["dev"],
            *PROJECT["dependency-groups"]["docs"],
            *PROJECT["build-system"]["requires"],
        ]
    )
    pinned = _pins((ROOT / "tools" / "requirements.txt").read_text().splitlines())
    assert wanted.items() <= pinned.items()


def test_the_installed_version_is_that_of_the_project() -> None:
    assert version() == PROJECT["project"]["version"]


def test_every_make_target_that_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)\b", (ROOT / "README.md").read_text()))
    assert named
    assert named <= targets


def test_every_link_to_a_file_in_the_documents_leads_somewhere() -> None:
    pages = [path for name in ("docs", "charts") for path in sorted((ROOT / name).rglob("*.md"))]
    for page in [ROOT / "README.md", *pages]:
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page}: {target}"
