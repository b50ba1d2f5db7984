"""The CloudFormation stacks, by AWS' own linter and its schemas (offline)."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import nodegroups

CFN_LINT = Path(sys.executable).with_name("cfn-lint")
STACKS = [name for name in nodegroups.NAMES if "cloudformation" in nodegroups.targets_of(name)]
PARTS: dict[str, dict[str, object]] = {
    "smallest": {},
    "key only": {"sshKeyName": "aws-key", "sessionManager": False},
    "gpu": {"nvidia": True, "fips": True, "volumes": {"osGib": 4, "dataGib": 100}},
    "data volume alone": {"volumes": {"dataGib": 50}},
    "tags": {"tags": {"team": "platform"}},
    "arm": {"architecture": "arm64", "size": {"min": 0}},
    "taints": {
        "taints": [
            {"key": "a", "effect": effect}
            for effect in ("NoSchedule", "PreferNoSchedule", "NoExecute")
        ]
    },
    "settings": {
        "motd": 'costs "5"',
        "cluster": {"name": "d", "dnsIp": "10.0.0.10"},
    },
}


@pytest.fixture(scope="module")
def complaints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Return cfn-lint's findings for each stack, from one run, since cfn-lint takes a second to start."""
    directory = tmp_path_factory.mktemp("stacks")
    texts = {
        name: nodegroups.rendered("cloudformation", nodegroups.example(name)) for name in STACKS
    }
    for name, parts in PARTS.items():
        group = nodegroups.described(**{"subnets": ["subnet-01234567"], **parts})
        texts[name] = nodegroups.rendered("cloudformation", group)
    texts["wrong"] = texts["smallest"].replace("BOTTLEROCKET_x86_64", "BOTTLEROCKET_x86")
    for name, text in texts.items():
        (directory / f"{name}.yaml").write_text(text)
    ended = subprocess.run(
        [CFN_LINT, "--format", "json", "--include-checks", "I", "--", *directory.iterdir()],
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert ended.stderr == b""
    found: dict[str, list[str]] = {name: [] for name in texts}
    for one in json.loads(ended.stdout):
        found[Path(one["Filename"]).stem].append(f"{one['Rule']['Id']} {one['Message']}")
    return found


@pytest.mark.parametrize("name", [*STACKS, *PARTS])
def test_cfn_lint_finds_nothing_in_a_stack(name: str, complaints: dict[str, list[str]]) -> None:
    assert complaints[name] == []


def test_cfn_lint_finds_a_wrong_image_type(complaints: dict[str, list[str]]) -> None:
    assert [one.split()[0] for one in complaints["wrong"]] == ["E3030"]
