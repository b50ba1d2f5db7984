"""Images without a registry, as archives for ``ctr images import``, with the names that the chart uses.

The exporter's and the toolbox's are built by buildah from the Containerfile, agent2's is Debian's package in
a small Debian, and the pause image is images/pause.go. Fluent Bit's has the binary that NODEOBS_FLUENT_BIT
names, with its libraries; by default it is a stand-in that checks configuration and mounts
(images/standin.go).
"""

import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from tests.cluster.processes import ClusterError, run
from tests.support.paths import ROOT
from tools.image_rootfs import ImageError, build

__all__ = [
    "PAUSE",
    "Archive",
    "agent",
    "exporter",
    "fluent_bit",
    "fluent_bit_program",
    "pause",
    "toolbox",
]

PAUSE = "node-observability.test/pause:1"
_CACHE = ROOT / ".cache/cluster/images"
_SOURCES = Path(__file__).with_name("images")
_FLUENT_BIT = "/fluent-bit/bin/fluent-bit"
_LINKED = re.compile(r"(/\S+) \(0x")


@dataclass(frozen=True)
class Archive:
    """An image in a file; ``unpacked_bytes`` is the size of its one layer."""

    name: str
    path: Path
    unpacked_bytes: int


def exporter(name: str) -> Archive:
    """Return the sidecar's image, built at most once for the same sources."""
    return _built(name, "exporter", "")


def toolbox(name: str) -> Archive:
    """Return the image of the chart's Jobs, built at most once for the same sources."""
    return _built(name, "toolbox", "toolbox")


def _built(name: str, kind: str, stage: str) -> Archive:
    try:
        image = build(ROOT / ".cache/image", stage)
    except ImageError as error:
        raise ClusterError(
            f"{error}\nThere is no {kind} image of these sources: run `python -m tests.cluster.images` "
            "outside of tests/cluster/enter, which has no network"
        ) from error
    layer = _cached(f"{kind}-{image.rootfs.parent.name}.layer")
    if not layer.exists():
        for old in _CACHE.glob(f"{kind}-*"):
            old.unlink()
        fresh = layer.with_suffix(".new")
        run("tar", "--create", "--numeric-owner", "--file", fresh, "--directory", image.rootfs, ".")
        fresh.rename(layer)
    return _archive(name, layer, image.config)


def agent(name: str) -> Archive:
    """Return agent2 as Debian packages it for this machine's release."""
    release = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    suite = release.get("VERSION_CODENAME", "bookworm")
    layer = _cached(f"agent2-{suite}.layer")
    if not layer.exists():
        fresh = layer.with_suffix(".new.tar")
        run(
            # In its own session: when mmdebstrap fails it kills its whole process group.
            *("setsid", "--wait", "mmdebstrap", "--quiet", "--variant=minbase"),
            *("--include=zabbix-agent2", "--dpkgopt=path-exclude=/usr/share/doc/*"),
            *("--dpkgopt=path-exclude=/usr/share/locale/*", suite, fresh),
            timeout_s=1800,
        )
        fresh.rename(layer)
    return _archive(name, layer, {"Cmd": ["sh"]})


def pause() -> Archive:
    """Return the image of the containers that hold a pod's namespaces."""
    layer = _cached("pause.layer")
    _layer(layer, {"/pause": _go("pause")})
    return _archive(PAUSE, layer, {"Entrypoint": ["/pause"]})


def fluent_bit_program() -> Path | None:
    """Return the binary that NODEOBS_FLUENT_BIT names; None if it is not set.

    Raises:
        ClusterError: the file is not a program.
    """
    named = os.environ.get("NODEOBS_FLUENT_BIT", "")
    if named and not os.access(named, os.X_OK):
        raise ClusterError(
            f"NODEOBS_FLUENT_BIT={named}: is not a program; unset it to use a stand-in"
        )
    return Path(named) if named else None


def fluent_bit(name: str) -> Archive:
    """Return Fluent Bit with its libraries, or the stand-in."""
    program = fluent_bit_program()
    files = {_FLUENT_BIT: _go("standin")}
    if program is not None:
        linked = _LINKED.findall(_libraries(program))
        files = {_FLUENT_BIT: program, **{path: Path(path).resolve() for path in linked}}
    layer = _cached("fluent-bit.layer")
    _layer(layer, files)
    return _archive(name, layer, {"Entrypoint": [_FLUENT_BIT]})


def _libraries(program: Path) -> str:
    try:
        return run("ldd", program)
    except ClusterError as error:
        if "not a dynamic executable" not in str(error):
            raise
        return ""  # a static binary


def _cached(name: str) -> Path:
    _CACHE.mkdir(parents=True, exist_ok=True)
    return _CACHE / name


def _go(name: str) -> Path:
    """Return a static binary of a program in images/."""
    if shutil.which("go") is None:
        raise ClusterError("no Go, which builds the pause image; see https://go.dev/doc/install")
    program = _cached(name)
    run(
        *("env", "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GO111MODULE=off"),
        *("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, _SOURCES / f"{name}.go"),
    )
    return program


@contextmanager
def _replaced(path: Path) -> Iterator[Path]:
    """Yield a new file that then replaces the path, as another run may be reading the old one."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        yield fresh
        fresh.rename(path)
    finally:
        fresh.unlink(missing_ok=True)


def _layer(path: Path, files: Mapping[str, Path]) -> None:
    """Write a layer of files, with the directories that a read-only root file system needs for mounts."""
    with _replaced(path) as fresh, tarfile.open(fresh, "w") as tar:
        for directory in ("etc", "proc", "sys", "dev", "tmp", "var", "run"):
            entry = tarfile.TarInfo(directory)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        for target, source in files.items():
            entry = tarfile.TarInfo(target.lstrip("/"))
            entry.mode, entry.size = 0o755, source.stat().st_size
            with source.open("rb") as content:
                tar.addfile(entry, content)


def _archive(name: str, layer: Path, config: Mapping[str, Any]) -> Archive:
    """Write an image of one layer in the format of ``docker save``."""
    with layer.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    description = json.dumps(
        {
            "architecture": run("dpkg", "--print-architecture").strip(),
            "os": "linux",
            "config": dict(config),
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    ).encode()
    manifest: Sequence[Mapping[str, Any]] = [
        {"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}
    ]
    path = layer.with_suffix(".tar")
    with _replaced(path) as fresh, tarfile.open(fresh, "w") as tar:
        for member, text in (
            ("config.json", description),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(member)
            entry.size = len(text)
            tar.addfile(entry, BytesIO(text))
        tar.add(layer, "layer.tar")
    return Archive(name, path, layer.stat().st_size)


def main() -> int:
    """Build all images while there is a network: the namespaces of a cluster have none."""
    try:
        # The quick ones first, to find problems of the machine at once.
        for archive in (
            *(fluent_bit("fluent-bit"), pause(), agent("agent")),
            *(exporter("exporter"), toolbox("toolbox")),
        ):
            print(f"{archive.path.name}: {archive.unpacked_bytes / 1e6:.0f} MB", flush=True)  # noqa: T201
    except ClusterError as error:
        print(f"cluster: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
