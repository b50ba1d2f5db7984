"""The site of the documentation builds, and needs nothing from another server."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.tools import need


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need("npm")
    target = tmp_path_factory.mktemp("site")
    command = [str(ROOT / "tools/build_docs"), str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target


def test_no_page_loads_anything_from_another_server(site: Path) -> None:
    loaded = re.compile(
        r"<(?:script|img|iframe|link (?!rel=\"canonical\"))[^>]*=\"(?:https?:)?//[^\"]+"
    )
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > len(list((ROOT / "docs").rglob("*.md")))
    assert [page.name for page in pages if loaded.search(page.read_text())] == []


def test_pages_with_diagrams_bring_the_program_that_draws_them(site: Path) -> None:
    for page in ("index.html", "docs/explanation/placement.html"):
        text = (site / page).read_text()
        script = re.search(r'<script src="([^"]*mermaid[^"]*)"', text)
        assert '<pre class="mermaid">' in text
        assert script is not None
        assert (site / page).parent.joinpath(script[1]).stat().st_size > 1_000_000
