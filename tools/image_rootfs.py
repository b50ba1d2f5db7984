"""Build the Containerfile where no registry can be reached, and unpack the image to run it with runc.

sudo python -m tools.image_rootfs

buildah carries out the Containerfile itself, so the two cannot diverge. Only the base comes from
elsewhere: mmdebstrap makes what the official slim image is made of, Debian's required packages and apt
without documentation, and gives it the name that stands after FROM.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["PROGRAMS", "Image", "ImageError", "build"]

PROGRAMS = ("mmdebstrap", "buildah")
_TOP = Path(__file__).resolve().parent.parent
_BASE = re.compile(r"^ARG BASE=(\S+/debian:(\d+)-slim)$", re.MULTILINE)
_SUITES = {"12": "bookworm", "13": "trixie"}
_INPUTS = (
    *("Containerfile", ".containerignore", "pyproject.toml"),
    *("node_observability/README.md", "tools/image_rootfs.py", "tools/requirements.txt"),
)
# The directories that a stage installs from; the last stage has no name.
_SOURCES = {"": ("journal_exporter",), "toolbox": ("node_observability", "fluentbit")}
_UNREAD = ("doc", "man", "groff", "info", "lintian", "linda", "locale")
_SLIM = (
    *(f"--dpkgopt=path-exclude=/usr/share/{name}/*" for name in _UNREAD),
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
)
_OWN_CERTIFICATES = Path("/usr/local/share/ca-certificates")


class ImageError(RuntimeError):
    """The image can't be built here."""


@dataclass(frozen=True, slots=True)
class Image:
    """An unpacked image: its root file system, and the ``config`` of its OCI image configuration."""

    rootfs: Path
    config: dict[str, Any]
    size_bytes: int

    @property
    def process(self) -> list[str]:
        """The command that the image runs."""
        return [*self.config["Entrypoint"], *self.config["Cmd"]]

    @property
    def environment(self) -> list[str]:
        """The variables that the image sets."""
        return list(self.config["Env"])


def build(cache: Path, stage: str = "") -> Image:
    """Return the image of this work tree, built at most once for the same sources.

    ``stage`` is `toolbox`, or nothing for the sidecar.

    Raises:
        ImageError: it can't be built.
    """
    if os.geteuid():
        raise ImageError("building needs root: a root file system has files of several owners")
    for name in PROGRAMS:
        if shutil.which(name) is None:
            raise ImageError(f"{name} is missing; run: apt-get install {' '.join(PROGRAMS)}")
    target = cache / (stage or "sidecar") / _digest(stage)
    if not (target / "image.json").exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        _build(cache, target, stage)
    saved = json.loads((target / "image.json").read_bytes())
    return Image(target / "rootfs", saved["config"], saved["size_bytes"])


def _digest(stage: str) -> str:
    digest = hashlib.blake2b(digest_size=8)
    sources = sorted(
        path
        for name in _SOURCES[stage]
        for path in (_TOP / name).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )
    for path in (*(_TOP / name for name in _INPUTS), *sources):
        digest.update(b"%s\0%s\0" % (str(path.relative_to(_TOP)).encode(), path.read_bytes()))
    return digest.hexdigest()


def _build(cache: Path, target: Path, stage: str) -> None:
    found = _BASE.search((_TOP / "Containerfile").read_text())
    if found is None or found[2] not in _SUITES:
        known = " or ".join(f"debian:{release}-slim" for release in _SUITES)
        raise ImageError(f"Containerfile: its ARG BASE should name {known}")
    base, release = found.groups()
    archive = _base_archive(cache, _SUITES[release])
    version = tomllib.loads((_TOP / "pyproject.toml").read_text())["project"]["version"]
    tag = f"node-observability/{stage or 'journal-exporter'}:{version}"
    # What buildah keeps is gone afterwards: no image of the machine's own is touched.
    with tempfile.TemporaryDirectory(dir=cache, prefix="build-") as scratch:
        buildah = _Buildah(Path(scratch))
        with buildah.container("scratch") as container:
            buildah("add", container, str(archive), "/")
            buildah("commit", "--quiet", container, base)
        buildah(
            "build",
            *("--isolation", "chroot", "--pull-never", "--file", "Containerfile"),
            *(("--target", stage) if stage else ()),
            *("--build-arg", f"VERSION={version}", "--tag", tag, "."),
        )
        config = json.loads(buildah("inspect", "--type", "image", tag))["OCIv1"]["config"]
        fresh = Path(scratch) / "image"
        fresh.mkdir()
        with buildah.container(tag) as container:
            mounted = buildah("mount", container).strip()
            _run(["cp", "--archive", mounted, str(fresh / "rootfs")])
        size = _run(["du", "--summarize", "--block-size=1", str(fresh / "rootfs")]).split()[0]
        saved = {"config": config, "size_bytes": int(size)}
        (fresh / "image.json").write_text(json.dumps(saved, indent=1))
        for old in target.parent.glob("*/image.json"):
            shutil.rmtree(old.parent)
        fresh.rename(target)


def _base_archive(cache: Path, suite: str) -> Path:
    """Return a root file system of the suite, made once."""
    recipe = hashlib.blake2b(repr((suite, _SLIM)).encode(), digest_size=4).hexdigest()
    archive = cache / f"base-{suite}-{recipe}.tar"
    if archive.exists():
        return archive
    fresh = archive.with_suffix(f".{os.getpid()}.tar")
    # No mirror is named: mmdebstrap takes Debian's own with updates and security, as the official image has
    # them, whatever release this machine runs.
    _run(["mmdebstrap", "--quiet", "--variant=minbase", *_SLIM, suite, str(fresh)])
    with tarfile.open(fresh, "a") as tar:
        # Where this machine trusts a proxy's certificate, pip in the build has to as well.
        for path in sorted(_OWN_CERTIFICATES.glob("*.crt")):
            tar.add(path, f".{path}")
    fresh.rename(archive)
    return archive


class _Buildah:
    """buildah with a storage of its own; works without overlayfs, and without cgroups."""

    def __init__(self, storage: Path) -> None:
        places = ("--root", str(storage / "root"), "--runroot", str(storage / "run"))
        self._command = ("buildah", "--storage-driver", "vfs", *places)

    def __call__(self, *arguments: str) -> str:
        return _run([*self._command, *arguments])

    @contextmanager
    def container(self, image: str) -> Iterator[str]:
        name = self("from", "--pull-never", image).strip()
        try:
            yield name
        finally:
            self("rm", name)


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, cwd=_TOP, check=False, capture_output=True, text=True)
    if done.returncode:
        said = (done.stdout + done.stderr)[-3000:].strip()
        raise ImageError(f"{' '.join(command)} ended with {done.returncode}:\n{said}")
    return done.stdout


def main(arguments: list[str] | None = None) -> int:
    """Build the image; print where its root file system is and what it runs."""
    parser = argparse.ArgumentParser(description="build the Containerfile without a registry")
    parser.add_argument("--cache", type=Path, default=_TOP / ".cache/image", metavar="DIR")
    parser.add_argument("--stage", default="", choices=sorted(_SOURCES), help="toolbox")
    options = parser.parse_args(arguments)
    try:
        image = build(options.cache.absolute(), options.stage)
    except ImageError as error:
        print(f"image_rootfs: {error}", file=sys.stderr)
        return 1
    print(f"{image.rootfs}\n{image.size_bytes / 1e6:.0f} MB\n{' '.join(image.process)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
