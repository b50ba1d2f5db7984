"""The profiles are valid parts of a container, in the oldest and the newest Kubernetes."""

from typing import Any

import pytest
import yaml

from node_observability.debug import cli as debug_cli
from node_observability.debug import command
from tests.support.chart.schemas import NEWEST, OLDEST, problems

PROFILES = [*command.NODE_PROFILES.values(), command.POD_PROFILE]


def pod(profile: dict[str, Any]) -> dict[str, Any]:
    """Return a Pod whose one container is what kubectl makes of a profile."""
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "debugger"},
        "spec": {"containers": [{"name": "debugger", "image": "shell:1", **profile}]},
    }


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("profile", PROFILES, ids=lambda one: one.file)
def test_a_profile_is_a_valid_part_of_a_container(profile: command.Profile, version: str) -> None:
    content = yaml.safe_load(debug_cli.profile_file(profile).read_text())
    assert problems(pod(content), version) == []


def test_a_key_that_no_container_has_is_found() -> None:
    assert any("mountPat" in text for text in problems(
        pod({"volumeMounts": [{"name": "host-root", "mountPat": "/"}]}), NEWEST
    ))  # fmt: skip
