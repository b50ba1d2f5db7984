"""What is printed when a frontend answers nonsense, refuses or ends the connection; never a secret."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from node_observability import cli
from node_observability.zabbix.server.api import connect
from node_observability.zabbix.server.connection import Connection, UnreachableError
from node_observability.zabbix.server.sessions import session
from tests.support.frontend import Frontend, frontend, refusal

Run = Callable[..., tuple[int, list[str]]]
_LOGIN = {"ZABBIX_USER": "Admin", "ZABBIX_PASSWORD": "hunter2"}


@pytest.fixture
def api() -> Iterator[Frontend]:
    with frontend() as running:
        yield running


@pytest.fixture
def prune(
    api: Frontend,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    """Return what runs ``prune``; its exit code and the lines on standard error."""
    (tmp_path / "nodes").write_text("a\n")

    def run(*arguments: str, **environment: str) -> tuple[int, list[str]]:
        with monkeypatch.context() as patch:
            for name, value in ({"ZABBIX_URL": api.url} | environment).items():
                patch.setenv(name, value)
            options = ("--cluster", "c", "--nodes-file", str(tmp_path / "nodes"))
            code = cli.main(["zabbix", "prune", *options, *arguments])
        return code, capsys.readouterr().err.splitlines()

    return run


def test_a_session_ends_with_the_command(api: Frontend, prune: Run) -> None:
    code, _ = prune(**_LOGIN)
    assert code == 2
    assert api.asked[-1] == "user.logout"


def test_a_failed_logout_does_not_hide_an_earlier_problem(api: Frontend, prune: Run) -> None:
    api.answers["user.logout"] = (502, b"Bad gateway")
    code, (line,) = prune(**_LOGIN)
    assert code == 2
    assert "no host group `Kubernetes/c/Bottlerocket nodes`" in line


@pytest.mark.parametrize(
    "answer",
    [
        {},
        [],
        {"error": "busy"},
        {"error": {}},
        (200, b"<html>" + b"\n<p>sign in" * 1000),
        (200, b"null"),
        (200, b'{"result": ' * 100_000),
        (200, b'{"result": %s}' % (b"9" * 5000)),
    ],
)
@pytest.mark.parametrize("method", ["apiinfo.version", "user.login", "hostgroup.get"])
def test_an_answer_that_is_not_from_the_api_is_reported_in_one_short_line(
    method: str, answer: dict[str, object], *, api: Frontend, prune: Run
) -> None:
    api.answers[method] = answer
    code, (line,) = prune(**_LOGIN)
    assert code == 2
    assert api.url in line
    assert "give the address of the frontend" in line
    assert len(line) < 300


@pytest.mark.parametrize("result", [7, True, {}, ["a"], [[]], [{}], [{"name": "a"}], None])
def test_a_malformed_result_is_reported_in_one_short_line(
    result: object, api: Frontend, prune: Run
) -> None:
    api.answers["hostgroup.get"] = {"result": result}
    code, (line,) = prune(ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert "the answer to hostgroup.get is not from a Zabbix API" in line


def test_a_wrong_type_inside_an_answer_is_reported_with_its_place(
    api: Frontend, prune: Run
) -> None:
    api.answers["hostgroup.get"] = {"result": [{"groupid": "4"}]}
    api.answers["host.get"] = {"result": [{"hostid": "10", "host": "a", "status": None}]}
    code, (line,) = prune(ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert line == (
        f"node-observability zabbix: {api.url}: the answer to host.get is not from a Zabbix API (the "
        "result[0].status is not a number); give the address of the frontend, or check the frontend's log"
    )


def test_an_answer_without_end_is_not_read_to_its_end(api: Frontend) -> None:
    api.answers["apiinfo.version"] = (200, b"0" * 1_000_000)
    with session(max_bytes=999_999) as http, pytest.raises(requests.RequestException) as refused:
        http.post(api.url, json={"method": "apiinfo.version", "id": 1})
    assert str(refused.value) == "its answer is larger than 0 MiB"
    with session(max_bytes=1_000_000) as http:
        answer = http.post(api.url, json={"method": "apiinfo.version", "id": 1})
    assert len(answer.content) == 1_000_000


def test_the_error_of_a_server_without_its_database_is_printed(api: Frontend, prune: Run) -> None:
    api.answers["apiinfo.version"] = refusal("Error connecting to database")
    code, (line,) = prune(ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert line == f"node-observability zabbix: {api.url}: Error connecting to database"


def test_no_other_host_is_tried_after_a_call_without_an_answer(api: Frontend, prune: Run) -> None:
    api.answers["hostgroup.get"] = {"result": [{"groupid": "1"}]}
    host = {"status": "0", "maintenance_status": "0", "tags": [], "parentTemplates": []}
    numbers = [str(number) for number in range(5)]
    api.answers["host.get"] = {"result": [{**host, "hostid": n, "host": n} for n in numbers]}
    ping = {"lastclock": "1", "state": "0", "error": "", "status": "0"}
    api.answers["item.get"] = {"result": [{**ping, "hostid": n} for n in numbers]}
    api.silent.add("host.update")
    code, (line,) = prune("--all-gone", "--timeout", "1s", ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert "no answer within 1 s" in line
    assert api.asked.count("host.update") == 1


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file"),
        (b"", "contains no certificates in PEM format"),
        (b"root:x:0:0:\n", "contains no certificates in PEM format"),
    ],
)
def test_a_file_without_certificate_authorities_is_named(
    content: bytes | None, problem: str, *, prune: Run, tmp_path: Path
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    code, (line,) = prune("--ca-file", str(path), ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert f"--ca-file {path}: {problem}" in line


def test_a_pipe_of_certificate_authorities_is_not_waited_for(prune: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "ca.pem")
    code, (line,) = prune("--ca-file", str(tmp_path / "ca.pem"), ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert f"--ca-file {tmp_path}/ca.pem: is a pipe or a device, not a file; name a PEM" in line


def test_an_address_without_tls_is_reported(api: Frontend, prune: Run) -> None:
    url = api.url.replace("http:", "https:")
    code, (line,) = prune(ZABBIX_API_TOKEN="t", ZABBIX_URL=url)  # noqa: S106
    assert code == 2
    assert "TLS failed" in line
    assert "use http:// if the server does not use TLS" in line


@pytest.mark.parametrize("space", ["\n", " ", "\r\n"])
def test_spaces_around_values_in_the_environment_are_ignored(
    space: str, api: Frontend, prune: Run
) -> None:
    around = {
        "ZABBIX_URL": f"{space}{api.url}{space}",
        "ZABBIX_API_TOKEN": f"{space}t{space}",
    }
    code, (line,) = prune(**around)
    assert code == 2
    assert "no host group" in line


def test_a_silent_frontend_is_a_timeout(api: Frontend, prune: Run) -> None:
    api.silent.add("hostgroup.get")
    code, (line,) = prune("--timeout", "1s", ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert "no answer within 1 s; check the address, or raise --timeout" in line


def test_a_long_call_has_a_time_limit_of_its_own_and_reports_it(api: Frontend) -> None:
    api.answers["hostgroup.get"] = {"result": []}
    api.silent.update(("configuration.import", "host.get"))
    own = connect(Connection(url=api.url, token="t", timeout_s=0.2, long_timeout_s=0.5))  # noqa: S106
    with pytest.raises(UnreachableError, match=r"no answer within 0[.]5 s"):
        own.call_long("configuration.import")
    with pytest.raises(UnreachableError, match=r"no answer within 0[.]2 s"):
        own.call("host.get")


def test_missing_rights_are_not_reported_as_a_missing_method(api: Frontend, prune: Run) -> None:
    api.answers["hostgroup.get"] = {"result": [{"groupid": "1"}]}
    host = {"hostid": "2", "host": "gone", "status": "0", "maintenance_status": "0"}
    api.answers["host.get"] = {"result": [{**host, "tags": [], "parentTemplates": []}]}
    ping = {
        "hostid": "2",
        "key_": "agent.ping",
        "lastclock": "1",
        "state": "0",
        "error": "",
        "status": "0",
    }
    api.answers["item.get"] = {"result": [ping]}
    api.answers["host.update"] = refusal(
        "No permissions to referred object or it does not exist!", -32500
    )
    code, (line,) = prune("--all-gone", ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert line.startswith("node-observability zabbix: gone: disable: host.update: ")
    assert "give the user group the rights" in line
    assert "role" not in line


@pytest.mark.parametrize("token", ["s3cr\net", "s3cr et", "s3cr€t", "s3cr\x00et"])
def test_a_text_that_can_not_be_a_token_is_refused_and_not_shown(
    token: str, prune: Run, tmp_path: Path
) -> None:
    (tmp_path / "token").write_text(token)
    code, (line,) = prune("--token-file", str(tmp_path / "token"))
    assert code == 2
    assert "the API token contains a character that is not allowed in a token" in line
    assert "s3cr" not in line


@pytest.mark.parametrize(
    "proxy",
    [
        "http://me:s3cret@127.0.0.1:1",
        "http://me:s3cret@[::1",
        "http://me:s3cret@h:port",
        "me:s3cret@h",
    ],
)
def test_the_password_of_a_proxy_is_never_shown(proxy: str, prune: Run) -> None:
    code, (line,) = prune("--proxy", proxy, ZABBIX_API_TOKEN="t")  # noqa: S106
    assert code == 2
    assert "--proxy" in line
    assert "s3cret" not in line


def test_a_connection_shows_no_secret() -> None:
    shown = repr(
        Connection(url="u", token="s3cret-1", password="s3cret-2", proxy="http://me:s3cret-3@h")  # noqa: S106
    )
    assert "s3cret" not in shown
