"""The wheel and the source distribution: what they contain, and that both work without a checkout."""

import email
import email.message
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.helm import BUILT
from tests.support.pages import blocks, run_installed
from tests.support.paths import ROOT

README = "node_observability/README.md"
NOT_IN_THE_SDIST = {".gitignore"}
"""Files of the repository that only git reads."""
BUILD = (
    "import sys; from setuptools import build_meta; getattr(build_meta, sys.argv[1])(sys.argv[2])"
)


def listed() -> list[str]:
    """Return the files of the repository, and its symbolic links."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is not a clone")
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return sorted(name for name in done.stdout.split("\0") if name and os.path.lexists(ROOT / name))


def tracked() -> list[str]:
    """Return the files of the repository."""
    return [name for name in listed() if (ROOT / name).is_file()]


def unpack(sdist: Path, directory: Path) -> Path:
    with tarfile.open(sdist) as archive:
        archive.extractall(directory, filter="tar")
    (found,) = directory.iterdir()
    return found


def built(kind: str, source: Path, directory: Path) -> Path:
    directory.mkdir()
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BUILD, f"build_{kind}", directory],
        cwd=source,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    (found,) = directory.iterdir()
    return found


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a source distribution, built from a copy of the repository."""
    directory = tmp_path_factory.mktemp("sdist")
    for name in listed():
        copied = directory / "copy" / name
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copied, follow_symlinks=False)
    return built("sdist", directory / "copy", directory / "dist")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return unpack(sdist, tmp_path_factory.mktemp("unpacked"))


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a wheel, built from the source distribution."""
    directory = tmp_path_factory.mktemp("wheel")
    return built("wheel", unpack(sdist, directory / "source"), directory / "dist")


@pytest.fixture(scope="module")
def programs(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the directory of programs of an environment with nothing but the toolbox."""
    environment = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    install = (environment / "bin/python", "-m", "pip", "install", "--quiet")
    pins = ("--disable-pip-version-check", "--constraint", ROOT / "tools/requirements.txt")
    subprocess.run([*install, *pins, f"{wheel}[toolbox]"], check=True)
    return environment / "bin"


def metadata(wheel: Path) -> email.message.Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return email.message_from_string(archive.read(name).decode())


def test_the_source_distribution_has_every_file_of_the_repository(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2]: member for member in archive if (name := member.name)}
    assert {*tracked()} - NOT_IN_THE_SDIST - found.keys() == set()
    assert [name for name in found if name.endswith(".pyc") or "/.cache/" in name] == []
    for name in tracked():
        if name in found:
            is_program = bool((ROOT / name).stat().st_mode & 0o100)
            assert bool(found[name].mode & 0o100) == is_program, name


def test_links_to_the_parsers_are_files_in_the_source_distribution(unpacked: Path) -> None:
    ours = {
        path.relative_to(unpacked / "fluentbit") for path in (unpacked / "fluentbit").rglob("*")
    }
    assert Path("cases/nodeobs_cri/messages.yaml") in ours
    for name in ("node_observability/fluentbit", "charts/node-observability/files/fluentbit"):
        linked = unpacked / name
        assert {path.relative_to(linked) for path in linked.rglob("*")} == ours


@pytest.mark.parametrize(
    "arguments",
    [
        ("tests", "--collect-only"),
        ("tests/docs", "-k", "well_formed or shell_blocks"),
        (
            *("tests/fluentbit/unit", "tests/chart/test_package.py", "tests/harness/test_pages.py"),
            *("tests/contract/test_chart.py", "tests/contract/test_docs.py"),
            *("tests/contract/test_zabbix_template.py", "tests/nodegroup/unit/test_examples.py"),
        ),
    ],
    ids=["all are collected", "pages", "those that read files"],
)
def test_tests_of_the_source_distribution_run_in_it(
    arguments: tuple[str, ...], unpacked: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", f"--basetemp={tmp_path / 'nested'}", *arguments],
        cwd=unpacked,
        env={**os.environ, "PATH": f"{BUILT.parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr


def test_the_wheel_has_the_files_that_its_programs_read(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {*archive.namelist()}
    packages = ("journal_exporter/", "node_observability/")
    ours = {name for name in tracked() if name.startswith(packages)}
    ours |= {f"node_observability/{name}" for name in tracked() if name.startswith("fluentbit/")}
    assert {name for name in found if ".dist-info/" not in name} == ours


def test_a_wheel_built_without_the_manifest_has_the_same_files(
    wheel: Path, unpacked: Path, tmp_path: Path
) -> None:
    """The image is built so: setuptools takes a package's files from MANIFEST.in where there is one."""
    source = tmp_path / "source"
    packages = ("journal_exporter", "node_observability")
    for name in (*packages, "pyproject.toml", "LICENSE"):
        copy = shutil.copytree if (unpacked / name).is_dir() else shutil.copy
        source.mkdir(exist_ok=True)
        copy(unpacked / name, source / name)
    bare = built("wheel", source, tmp_path / "dist")
    with zipfile.ZipFile(wheel) as whole, zipfile.ZipFile(bare) as found:
        assert found.namelist() == whole.namelist()


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    found = metadata(wheel)
    assert found["Author"] == "The node-observability maintainers"
    assert "fluent-bit" in found["Keywords"].split(",")
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Summary"].startswith("Host log, metrics and container logs")
    assert found["Description-Content-Type"] == "text/markdown"
    assert found.get_payload() == (ROOT / README).read_text()


def test_the_readme_of_the_package_links_to_nothing_outside_of_it() -> None:
    text = (ROOT / README).read_text()
    targets = [part.partition(")")[0] for part in text.split("](")[1:]]
    assert targets
    assert [target for target in targets if not target.startswith("https://")] == []


def test_every_example_of_the_readme_runs_in_an_empty_directory(
    programs: Path, tmp_path: Path
) -> None:
    text = (ROOT / README).read_text()
    assert run_installed(README, text, tmp_path, programs) == []


@pytest.mark.parametrize("command", ["coverage", "debug", "nodegroup", "parsers", "zabbix"])
def test_every_command_has_an_example_in_the_readme(command: str) -> None:
    examples = [
        block.text for block in blocks((ROOT / README).read_text()) if block.language == "sh"
    ]
    assert any(f"node-observability {command} " in text for text in examples)


def test_both_programs_are_installed_with_their_version(programs: Path, wheel: Path) -> None:
    version = metadata(wheel)["Version"]
    for name in ("node-observability", "journal-exporter"):
        done = subprocess.run(
            [programs / name, "--version"], capture_output=True, text=True, check=True, cwd="/"
        )
        assert version in done.stdout
