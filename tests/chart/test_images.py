"""References of images: a registry and a repository become one name, and nothing stands in it twice."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.chart.objects import component
from tests.support.helm import RenderError, objects, render_text

DIGEST = "sha256:" + "0" * 64
AGENT = "zabbix.agent.image: "


def agent_image(values: dict[str, Any], directory: Path) -> str:
    """Return the image of the Zabbix agent; ``values`` are those of its image, and ``global``."""
    path = directory / "values.json"
    every = values.pop("global", "")
    path.write_text(
        json.dumps({"global": {"imageRegistry": every}, "zabbix": {"agent": {"image": values}}})
    )
    (found,) = [
        one
        for one in objects(render_text(path))
        if one["kind"] == "DaemonSet" and component(one) == "zabbix-agent"
    ]
    (image,) = [
        one["image"]
        for one in found["spec"]["template"]["spec"]["containers"]
        if one["name"] == "zabbix-agent2"
    ]
    return str(image)


@pytest.mark.parametrize(
    ("values", "image"),
    [
        ({"registry": "", "repository": "quay.io/a/b", "tag": "1"}, "quay.io/a/b:1"),
        ({"registry": "", "repository": "localhost:5000/a/b", "tag": "1"}, "localhost:5000/a/b:1"),
        ({"registry": "localhost:5000", "repository": "a/b", "tag": "1"}, "localhost:5000/a/b:1"),
        ({"registry": "quay.io", "repository": "b", "tag": "1", "global": "r.io"}, "r.io/b:1"),
        ({"registry": "quay.io", "repository": "a/b.c", "tag": "1"}, "quay.io/a/b.c:1"),
        (
            {"registry": "quay.io", "repository": "a/b", "tag": "1", "digest": DIGEST},
            f"quay.io/a/b@{DIGEST}",
        ),
    ],
)
def test_an_image_has_its_registry_once(values: dict[str, Any], image: str, tmp_path: Path) -> None:
    assert agent_image(dict(values), tmp_path) == image


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"repository": "localhost/a/b"}, "contains the registry localhost; set registry to"),
        ({"repository": "mirror:5000/a/b"}, "contains the registry mirror:5000; set registry to"),
        (
            {"registry": "", "repository": "quay.io/a/b", "global": "r.io"},
            "contains the registry quay.io; set registry to quay.io, and repository to a/b",
        ),
        ({"repository": f"a/b@{DIGEST}"}, "contains a tag or a digest; put it into tag or digest"),
        ({"registry": "quay.io/"}, "registry is quay.io/; write only the host of the registry"),
        ({"global": "https://r.io"}, "global.imageRegistry is https://r.io; write only the host"),
    ],
)
def test_what_would_make_another_name_is_refused_with_the_fix(
    values: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    with pytest.raises(RenderError) as caught:
        agent_image(dict(values), tmp_path)
    text = " ".join(str(caught.value).split())
    assert AGENT in text or "global.imageRegistry" in text
    assert problem in text
