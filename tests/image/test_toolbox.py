"""The toolbox's image: its user, a read-only root, no network, and everything that the commands need."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.tools import need
from tools.image_rootfs import Image


@pytest.fixture
def run(toolbox_image: Image, tmp_path: Path) -> "Run":
    return Run(toolbox_image, tmp_path)


class Run:
    """Runs the image's program as the chart's Jobs do, in a network of its own with nobody in it."""

    def __init__(self, image: Image, base: Path) -> None:
        self._image, self._base = image, base

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        image = self._image
        user, group = map(int, image.config["User"].split(":"))
        process = {
            "user": {"uid": user, "gid": group},
            "args": [*image.config["Entrypoint"], *(arguments or image.config["Cmd"])],
            "env": [*image.environment, "ZABBIX_URL=http://127.0.0.1:1", "ZABBIX_API_TOKEN=t"],
            "cwd": image.config["WorkingDir"],
            "capabilities": {},
            "noNewPrivileges": True,
        }
        scratch = {"type": "tmpfs", "source": "tmpfs", "options": ["mode=1777", "size=1m"]}
        specification = {
            "ociVersion": "1.0.2",
            "root": {"path": str(image.rootfs), "readonly": True},
            "process": process,
            "mounts": [
                {"destination": "/proc", "type": "proc", "source": "proc", "options": []},
                {"destination": "/tmp", **scratch},  # noqa: S108 - the container's
            ],
            "linux": {
                "namespaces": [{"type": name} for name in ("pid", "ipc", "uts", "mount", "network")]
            },
        }
        (self._base / "config.json").write_text(json.dumps(specification))
        runtime = (need("runc"), "--root", str(self._base / "runc"))
        name = f"toolbox-test-{os.getpid()}"
        return subprocess.run(
            [*runtime, "run", "--no-new-keyring", "--bundle", str(self._base), name],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def test_it_makes_the_template_that_this_work_tree_makes(run: Run) -> None:
    done = run("zabbix", "render")
    assert done.returncode == 0, done.stderr
    assert (
        done.stdout
        == (ROOT / "zabbix" / "bottlerocket-node-by-zabbix-agent-active.yaml").read_text()
    )


def test_it_holds_the_projects_parsers_and_their_cases(run: Run) -> None:
    done = run("parsers", "test")
    assert done.returncode == 0, done.stderr
    assert "all passed" in done.stdout


@pytest.mark.parametrize("command", ["coverage", "debug", "nodegroup", "parsers", "zabbix"])
def test_every_command_has_what_it_imports(run: Run, command: str) -> None:
    done = run(command, "--help")
    assert done.returncode == 0, done.stderr
    assert f"usage: node-observability {command}" in done.stdout


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["apply", "--cluster", "c"], "127.0.0.1:1"),
        (["prune", "--cluster", "c", "--in-cluster"], "127.0.0.1:1"),
    ],
)
def test_a_frontend_that_is_not_there_is_one_line_and_an_exit_code(
    run: Run, command: list[str], message: str
) -> None:
    done = run("zabbix", *command)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_it_holds_the_pins_of_this_work_tree_and_nothing_for_building(
    toolbox_image: Image,
) -> None:
    pins = dict(
        line.lower().replace("-", "_").split("==")
        for line in (ROOT / "tools" / "requirements.txt").read_text().splitlines()
        if "==" in line
    )
    (site,) = toolbox_image.rootfs.glob("opt/node-observability/lib/python3*/site-packages")
    found = dict(
        path.name.removesuffix(".dist-info").lower().rsplit("-", 1)
        for path in site.glob("*.dist-info")
    )
    assert found.pop("node_observability")
    assert {"jinja2", "pyyaml", "packaging", "pyzabbix", "requests", "certifi"} <= found.keys()
    assert found == {name: pins[name] for name in found}
    packages = (toolbox_image.rootfs / "var/lib/dpkg/status").read_text()
    installed = set(re.findall(r"^Package: (\S+)$", packages, re.MULTILINE))
    assert not {name for name in installed if re.match(r"gcc(-\d+)?$|.*-dev$|.*-pip$", name)}
    assert toolbox_image.config["User"] == "65532:65532"
