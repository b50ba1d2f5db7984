"""Programs for the sessions of ``tests.support.pages``, which have no cluster and no Zabbix.

``helm`` renders what it is asked to install. ``kubectl`` lets the real one judge its arguments, and compares
the names of objects and containers with what was rendered. Both insist on the release's namespace. ``make``
checks that the target exists. ``node-observability`` is the real one; commands that ask a frontend are only
parsed.

usage: python -m tests.support.page_programs PROGRAM ARGUMENT...
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

import yaml

from journal_exporter.cli import parser as exporter_parser
from node_observability import cli
from tests.support.helm import CHART, RenderError, helm

_RELEASE = _NAMESPACE = "node-observability"
_STATE = Path(os.environ["PAGE_STATE"])
_VALUES, _MANIFEST = _STATE / "values.json", _STATE / "manifest.yaml"
_WITHOUT_NAMESPACE = {"apply", "config", "cordon", "debug", "drain", "uncordon", "version"}
_CLUSTER_SCOPED = {"namespace", "node", "nodes"}
_KINDS = {"cronjob": "CronJob", "daemonset": "DaemonSet", "ds": "DaemonSet", "job": "Job"}
# They change how helm waits or whose values it takes, not what it renders.
_NOT_RENDERED = {"--reset-then-reuse-values", "--install", "--wait", "--atomic", "--dry-run"}


def _fail(text: str) -> NoReturn:
    if "PAGE_MARKED" in os.environ:
        with (_STATE / "complaints").open("a") as file:
            file.write(f"{text}\n")
    raise SystemExit(f"page: {text}")


def _write(text: str) -> None:
    sys.stdout.write(text)


def _flag(arguments: list[str], *names: str) -> str | None:
    """Return the value of a flag, given as two words or with `=`."""
    for at, word in enumerate(arguments):
        name, equals, rest = word.partition("=")
        if name in names:
            return rest if equals else next(iter(arguments[at + 1 :]), None)
    return None


def _need_namespace(arguments: list[str]) -> str:
    """Return the namespace that a command names; the release's objects are in no other."""
    namespace = _flag(arguments, "--namespace", "-n")
    if namespace is None:
        _fail(f"no --namespace: {arguments}")
    if namespace != _NAMESPACE and any(_RELEASE in word for word in arguments):
        _fail(f"the release is in {_NAMESPACE}: {arguments}")
    return namespace


def _without_namespace(arguments: list[str]) -> list[str]:
    flags = [at for at, word in enumerate(arguments) if word in ("--namespace", "-n")]
    return [word for at, word in enumerate(arguments) if at not in flags and at - 1 not in flags]


def _render(arguments: list[str]) -> None:
    try:
        text = helm("template", _RELEASE, *arguments, "--namespace", _NAMESPACE)
    except RenderError as error:
        _fail(str(error))
    _VALUES.write_text(json.dumps(arguments))
    _MANIFEST.write_text(text)


def _manifest() -> list[dict[str, Any]]:
    """Return the objects of the release; a page that installs none has one with the chart's defaults."""
    if not _MANIFEST.exists():
        _render([str(CHART)])
    return [found for found in yaml.safe_load_all(_MANIFEST.read_text()) if found]


def _helm(arguments: list[str]) -> None:
    action = arguments[0]
    if action in ("template", "lint", "package", "version", "show"):
        _write(helm(*arguments))
    if action in ("template", "lint", "package", "version", "show", "push"):
        return
    _need_namespace(arguments)
    words = _without_namespace(arguments)
    if _RELEASE not in words:
        _fail(f"there is no such release: {arguments}")
    if action in ("install", "upgrade"):
        words.remove(_RELEASE)
        rest = [word for word in words[1:] if word not in _NOT_RENDERED]
        if "--reset-then-reuse-values" in arguments:
            _manifest()
            rest += json.loads(_VALUES.read_text())[1:]
        _render(rest)
    if arguments[:2] == ["get", "manifest"]:
        _write(_MANIFEST.read_text() if _manifest() else "")


def _check_objects(words: list[str], container: str | None) -> None:
    """Compare what a command names with what is rendered."""
    for word in words:
        kind, slash, name = word.partition("/")
        if not slash or kind not in _KINDS or _RELEASE not in name:
            continue
        found = [
            one
            for one in _manifest()
            if (one["kind"], one["metadata"]["name"]) == (_KINDS[kind], name)
        ]
        if not found:
            _fail(f"the chart renders no {word}")
        containers = {one["name"] for one in found[0]["spec"]["template"]["spec"]["containers"]}
        if container is not None and container not in containers:
            _fail(f"{word} has no container {container}")


def _apply(source: str | None) -> None:
    """Validate a manifest; of an operator's kinds Kubernetes has no schema."""
    text = sys.stdin.read() if source == "-" else Path(source or "").read_text()
    for number, manifest in enumerate(yaml.safe_load_all(text)):
        if not all(manifest.get(key) for key in ("apiVersion", "kind", "metadata")):
            _fail(f"not an object of Kubernetes: {manifest}")
        group = manifest["apiVersion"].partition("/")[0]
        if "." not in group or group.endswith("k8s.io"):
            path = _STATE / f"{number}.json"
            path.write_text(json.dumps(manifest))
            subprocess.run(["kubernetes-validate", "--strict", path], check=True)


def _nodes() -> list[dict[str, Any]]:
    """Return a cluster: two Bottlerocket nodes and one of Amazon Linux."""
    made = []
    for name, system, labels in (
        ("ip-10-0-1-23.ec2.internal", "Bottlerocket OS 1.66.0 (aws-k8s-1.34)", True),
        ("ip-10-0-1-24.ec2.internal", "Bottlerocket OS 1.66.0 (aws-k8s-1.34)", True),
        ("ip-10-0-2-11.ec2.internal", "Amazon Linux 2023.9.20261109", False),
    ):
        label = {"kubernetes.io/os": "linux", **({"os": "bottlerocket"} if labels else {})}
        info = {"osImage": system, "containerRuntimeVersion": "containerd://2.1.5"}
        metadata = {"name": name, "labels": label}
        made.append({"kind": "Node", "metadata": metadata, "status": {"nodeInfo": info}})
    return made


def _kubectl(arguments: list[str]) -> None:
    own = arguments[: arguments.index("--")] if "--" in arguments else arguments
    words = [word for word in _without_namespace(own) if not word.startswith("-")]
    if words[0] not in _WITHOUT_NAMESPACE and not (_CLUSTER_SCOPED & set(words[1:3])):
        _need_namespace(own)
    if own[:2] == ["get", "nodes"] and _flag(own, "--output", "-o") == "json":
        _write(json.dumps({"kind": "List", "items": _nodes()}))
        return
    if words[0] == "apply":
        _apply(_flag(own, "--filename", "-f"))
        return
    _check_objects([*words, _flag(own, "--from") or ""], _flag(own, "--container", "-c"))
    inside = arguments[len(own) + 1 :]
    if inside[:1] == ["journal-exporter"]:
        exporter_parser().parse_args(inside[1:])
    offline = words[0] == "create" and _flag(own, "--from") is None
    more = ["--dry-run=client", "--output=name"] if offline else ["--server=http://127.0.0.1:1"]
    program = shutil.which("kubectl", path=os.environ["REAL_PATH"]) or ""
    done = subprocess.run(
        [program, *own, *more, *arguments[len(own) :]],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode and "127.0.0.1:1 was refused" not in done.stderr:
        _fail(f"kubectl: {done.stderr}")


def _make(arguments: list[str]) -> None:
    done = subprocess.run(
        ["/usr/bin/make", "--dry-run", *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        _fail(done.stderr)


def _node_observability(arguments: list[str]) -> None:
    if arguments[0] == "zabbix" and arguments[1] in ("apply", "check", "diff", "prune"):
        options = vars(cli.parser("zabbix").parse_args(arguments))
        named = [path for key, path in options.items() if key.endswith("_file")]
        named += [path for key, path in os.environ.items() if re.fullmatch("ZABBIX_.*_FILE", key)]
        for path in [path for path in named if path and path != "-"]:
            if not Path(path).expanduser().exists():
                _fail(f"no file {path}")
        return
    raise SystemExit(cli.main(arguments))


_PROGRAMS: dict[str, Callable[[list[str]], None]] = {
    "helm": _helm,
    "kubectl": _kubectl,
    "make": _make,
    "node-observability": _node_observability,
}

if __name__ == "__main__":
    if sys.argv[1] != "node-observability":
        # What these start is real; the toolbox's commands start these.
        os.environ["PATH"] = os.environ["REAL_PATH"]
    _PROGRAMS[sys.argv[1]](sys.argv[2:])
