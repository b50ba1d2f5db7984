"""A packaged chart renders the same objects, holds the files of Fluent Bit, and leaves out test cases."""

import io
import re
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.support.chart.cases import each_case
from tests.support.helm import CHART, RenderError, helm, render_text

FLUENT_BIT = CHART.parents[1] / "fluentbit"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("package")
    helm("package", str(CHART), "--destination", str(directory))
    (found,) = directory.glob("*.tgz")
    return found


def members(package: Path) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(package.read_bytes())) as archive:
        return {
            member.name.partition("/")[2]: file.read()
            for member in archive
            if (file := archive.extractfile(member)) is not None
        }


@each_case
def test_the_package_renders_the_same_as_the_folder(case: Path, package: Path) -> None:
    assert render_text(case, chart=package) == render_text(case)


def test_the_package_holds_the_files_of_fluent_bit_unchanged(package: Path) -> None:
    packaged = {
        name.removeprefix("files/fluentbit/"): text
        for name, text in members(package).items()
        if name.startswith("files/fluentbit/")
    }
    ours = {path.name: path.read_bytes() for path in FLUENT_BIT.iterdir() if path.is_file()}
    assert packaged == ours


def test_a_copy_renders_the_same_if_it_follows_the_link_and_fails_if_it_does_not(
    tmp_path: Path,
) -> None:
    if not (CHART / "files" / "fluentbit").is_symlink():
        pytest.skip("a source distribution has the files, not the link")
    case = CHART / "ci" / "minimal-values.yaml"
    shutil.copytree(CHART, tmp_path / "followed" / CHART.name)
    assert render_text(case, chart=tmp_path / "followed" / CHART.name) == render_text(case)
    shutil.copytree(CHART, tmp_path / "link" / CHART.name, symlinks=True)
    with pytest.raises(RenderError, match="error evaluating symlink"):
        render_text(case, chart=tmp_path / "link" / CHART.name)


def test_the_package_holds_no_test_case_and_is_small(package: Path) -> None:
    assert not [name for name in members(package) if re.match(r"ci/|.*/cases/", name)]
    assert package.stat().st_size < 200_000


def test_lint_finds_nothing(package: Path) -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))
    assert "1 chart(s) linted, 0 chart(s) failed" in helm("lint", "--strict", str(package))
