"""The sessions that run a page's commands notice what is wrong on a page."""

from pathlib import Path

import pytest

from tests.support.pages import blocks, run


def page(*commands: str) -> str:
    return "\n".join(f"```sh\n{command}\n```" for command in commands)


def test_commands_that_work_are_all_right(tmp_path: Path) -> None:
    text = page("export NAME=a", 'echo "$NAME" >file', "test -s file")
    assert run("page.md", text, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (page("true", "cat missing.yaml"), "page.md:5 failed"),
        (page("node-observability nodegroup check --no-such-flag x"), "--no-such-flag"),
        (page("helm test node-observability"), "no --namespace"),
        (page("helm install node-observability charts/node-observability -n other"), "is in"),
        (page("kubectl get pods"), "no --namespace"),
        (page("kubectl --namespace shop get pods --no-such-flag"), "unknown flag"),
        (page("kubectl -n node-observability logs ds/node-observability-x"), "renders no ds/"),
        (page("make no-such-target"), "no-such-target"),
        (
            page("export ZABBIX_PSK_FILE=psk; node-observability zabbix apply --cluster a"),
            "no file psk",
        ),
        (page("echo one") + "\n\n```text\ntwo\n```\n", "prints:\none"),
        (
            "<!-- not run in tests: why -->\n" + page("sudo true; kubectl get pods"),
            "no --namespace",
        ),
    ],
)
def test_what_is_wrong_on_a_page_is_reported(text: str, complaint: str, tmp_path: Path) -> None:
    assert complaint in "".join(run("page.md", text, tmp_path))


def test_a_marked_block_runs_no_other_program(tmp_path: Path) -> None:
    text = "<!-- not run in tests: why -->\n" + page("touch made; /bin/touch made; docker run x")
    assert run("page.md", text, tmp_path) == []
    assert not (tmp_path / "work" / "made").exists()


def test_a_titled_block_is_a_file_of_the_reader(tmp_path: Path) -> None:
    text = '```yaml title="a.yaml"\na: 1\n```\n' + page("cat a.yaml") + "\n```text\na: …\n```\n"
    assert run("page.md", text, tmp_path) == []
    assert [block.title for block in blocks(text)] == ["a.yaml", None]
