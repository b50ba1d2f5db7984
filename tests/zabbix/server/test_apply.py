"""``apply`` and ``diff`` against a real server: a second run changes nothing, a refusal is one line."""

import json
import logging
from pathlib import Path

import pytest

from node_observability.zabbix.template.render import TEMPLATE
from tests.support.certificates import Authority
from tests.support.exporter import free_port
from tests.support.servers import Handler, serving
from tests.support.zabbix.commands import APPLY, MACROS, Command
from tests.support.zabbix.hosts import CLUSTER
from tests.support.zabbix.stack import PSK_IDENTITY, Stack

OTHER = ("--cluster", "staging")


def _err(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the one line on standard error."""
    (line,) = capsys.readouterr().err.splitlines()
    return line


def test_a_second_apply_changes_nothing(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert applied.url
    assert command(*APPLY) == 0
    assert capsys.readouterr().out == "nothing to change\n"
    assert command("diff", *APPLY[1:]) == 0
    assert command(*APPLY, "--check") == 0
    assert capsys.readouterr().out == ""


def test_macros_that_a_server_sorts_or_omits_are_applied_once(
    applied: Stack, command: Command
) -> None:
    """Servers sort a macro before those with a context, and exports omit empty values."""
    changed = ('--macro={$NODEOBS.LOG.PERIOD:"oom-kill"}=1m', "--macro={$NODEOBS.LOG.MATCHES}=")
    assert applied.url
    try:
        assert command(*APPLY, *changed) == 0
        assert command(*APPLY, *changed, "--check") == 0
    finally:
        assert command(*APPLY) == 0


def test_check_and_diff_print_what_differs_and_change_nothing(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = (*APPLY[1:], "--macro={$CPU.UTIL.CRIT}=50", "--global-macro={$OURS}=1")
    assert command("apply", *changed, "--check") == 3
    out = capsys.readouterr().out
    assert "macros: `{$CPU.UTIL.CRIT}`: value: `90` -> `50`" in out
    assert "create global macro `{$OURS}`" in out
    assert command("diff", *changed, "--json") == 3
    found = json.loads(capsys.readouterr().out)
    assert [(change["kind"], change["verb"]) for change in found] == [
        ("template", "update"),
        ("global macro", "create"),
    ]
    assert (
        applied.call("usermacro.get", {"globalmacro": True, "filter": {"macro": "{$OURS}"}}) == []
    )
    assert command(*APPLY, "--check") == 0


def test_an_action_that_somebody_changed_is_restored(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    (action,) = applied.call("action.get", {"search": {"name": CLUSTER}, "output": ["actionid"]})
    changed = {"status": 1, "operations": [{"operationtype": 2}, {"operationtype": 8}]}
    applied.call("action.update", {"actionid": action["actionid"], **changed})
    assert command(*APPLY) == 0
    out = capsys.readouterr().out
    assert "enabled: no -> yes" in out
    assert (
        "operations: adds the host, enables the host -> adds the host, adds to host group " in out
    )
    assert command(*APPLY, "--check") == 0


def test_additions_to_the_template_are_printed_and_removed(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    (template,) = applied.call("template.get", {"filter": {"host": TEMPLATE}})
    host_id = template["templateid"]
    group = {"name": "Templates of others"}
    groups = "hostgroup" if applied.root == Path("/") else "templategroup"
    (group_id,) = applied.call(f"{groups}.create", group)["groupids"]
    other = {"host": "Of others", "groups": [{"groupid": group_id}]}
    (other_id,) = applied.call("template.create", other)["templateids"]
    try:
        item = {
            "name": "Ours",
            "key_": "of.a.person",
            "hostid": host_id,
            "type": 2,
            "value_type": 3,
        }
        applied.call("item.create", item)
        step = {"name": "one", "no": 1, "url": "http://127.0.0.1/"}
        applied.call("httptest.create", {"name": "Web", "hostid": host_id, "steps": [step]})
        applied.call(
            "template.update", {"templateid": host_id, "templates": [{"templateid": other_id}]}
        )
        assert command(*APPLY) == 0
        out = capsys.readouterr().out
        for part in ("item `of.a.person`: removed", "httptest `Web`: removed", "'Of others'"):
            assert part in out
        assert command(*APPLY, "--check") == 0
        left = applied.call(
            "item.get", {"templateids": [host_id], "filter": {"key_": "of.a.person"}}
        )
        assert left == []
    finally:
        applied.call("template.delete", [other_id])
        applied.call(f"{groups}.delete", [group_id])


def test_a_secret_global_macro_is_refused(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {"macro": "{$OURS}", "value": "s3cret", "type": 1}
    made = applied.call("usermacro.createglobal", secret)["globalmacroids"]
    try:
        assert command(*APPLY, "--global-macro={$OURS}=1") == 2
        assert "--global-macro {$OURS}: its value is secret on the server" in _err(capsys)
    finally:
        applied.call("usermacro.deleteglobal", made)


def test_unencrypted_registration_stays_as_it_is_unless_psk_only_is_given(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert applied.call("autoregistration.get", {"output": ["tls_accept"]})["tls_accept"] == "3"
    assert command(*APPLY, "--psk-only") == 0
    assert "accepts: unencrypted and PSK -> PSK\n" in capsys.readouterr().out
    try:
        assert applied.call("autoregistration.get", {"output": ["tls_accept"]})["tls_accept"] == "2"
        assert command(*APPLY, "--check") == 0
    finally:
        psk = {"tls_psk_identity": PSK_IDENTITY, "tls_psk": applied.psk}
        applied.call("autoregistration.update", {"tls_accept": 3, **psk})


def test_another_psk_is_a_difference_although_the_server_never_shows_it(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "psk").write_text("ab" * 32)
    other = {"ZABBIX_PSK_FILE": str(tmp_path / "psk")}
    assert command(*APPLY, "--check", **other) == 3
    out = capsys.readouterr().out
    assert "update auto-registration" in out
    assert "abab" not in out
    assert applied.psk not in out


def test_changes_before_a_refusal_are_printed_and_a_second_run_completes_them(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    rules = {"api.access": 1, "api.mode": 0, "api": ["action.create"]}
    role = applied.call("role.create", {"name": "No actions", "type": 3, "rules": rules})
    token = _token_of_new_user(applied, "halfway", role["roleids"][0])
    arguments = ("apply", *OTHER, *MACROS, "--host-group", "Half")
    assert command(*arguments, ZABBIX_API_TOKEN=token, ZABBIX_API_TOKEN_FILE=None) == 2
    out, err = capsys.readouterr()
    refusal, state = err.splitlines()
    assert out == "create host group `Half`\n"
    assert 'this user may not call action.create (No permissions to call "action.create"' in refusal
    assert "partly applied: host group `Half` done" in state
    assert command(*arguments) == 0
    assert "create action" in capsys.readouterr().out
    assert command(*arguments, "--check") == 0


def _token_of_new_user(stack: Stack, name: str, role_id: str) -> str:
    (group,) = stack.call("usergroup.get", {"filter": {"name": "Zabbix administrators"}})
    user = {"username": name, "passwd": "correct horse battery", "roleid": role_id}
    stack.call("user.create", {**user, "usrgrps": [{"usrgrpid": group["usrgrpid"]}]})
    return stack.token(name)


def test_a_missing_permission_is_named(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    token = _token_of_new_user(applied, "reader", "1")
    assert command(*APPLY, ZABBIX_API_TOKEN=token, ZABBIX_API_TOKEN_FILE=None) == 2
    line = _err(capsys)
    assert "this user may not call configuration.import" in line  # 7.0 refuses even to compare
    assert "(No permissions to " in line
    assert "Users > User roles" in line


def test_a_wrong_token_or_password_is_reported_in_one_line_without_the_secret(
    applied: Stack, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert applied.url
    assert command(*APPLY, ZABBIX_API_TOKEN="f" * 64, ZABBIX_API_TOKEN_FILE=None) == 2
    line = _err(capsys)
    assert "does not accept the token" in line
    assert "ffff" not in line
    login: dict[str, str | None] = {"ZABBIX_USER": "Admin", "ZABBIX_API_TOKEN_FILE": None}
    assert command(*APPLY, ZABBIX_PASSWORD="hunter2", **login) == 2  # noqa: S106
    line = _err(capsys)
    assert "user `Admin` can't log in" in line
    assert "hunter2" not in line
    assert command(*APPLY, "--check", ZABBIX_PASSWORD="zabbix", **login) == 0  # noqa: S106


def test_no_secret_is_logged_at_any_level(
    applied: Stack, command: Command, caplog: pytest.LogCaptureFixture, credentials: dict[str, str]
) -> None:
    token = Path(credentials["ZABBIX_API_TOKEN_FILE"]).read_text().strip()
    with caplog.at_level(logging.DEBUG):
        login: dict[str, str | None] = {"ZABBIX_USER": "Admin", "ZABBIX_API_TOKEN_FILE": None}
        assert command(*APPLY, "--check", ZABBIX_PASSWORD="zabbix", **login) == 0  # noqa: S106
        assert command(*APPLY, "--check") == 0
    assert caplog.text  # of urllib3
    for secret in (token, applied.psk, '"password"', "'password'"):
        assert secret not in caplog.text


def test_a_wrong_address_is_reported_in_one_line_with_the_fix(
    command: Command, capsys: pytest.CaptureFixture[str], stack: Stack
) -> None:
    for url, problem in (
        (f"http://127.0.0.1:{free_port()}", "can't be reached"),
        (stack.url + "/nowhere", "give the address of the frontend"),
        ("zabbix.example", "is not the URL of a frontend"),
        ("https://me:secret@zabbix.example", "contains a user name or password"),
        ("", "no address"),
    ):
        assert command(*APPLY, ZABBIX_URL=url) == 2
        line = _err(capsys)
        assert problem in line
        assert "secret@" not in line


class _Old(Handler):
    """A server of 5.0, and one that redirects."""

    def respond(self) -> None:
        self.body()
        if self.path.startswith("/moved"):
            self.answer(status=302, location="https://elsewhere.example/")
        else:
            self.answer(b'{"jsonrpc":"2.0","result":"5.0.40","id":0}')


def test_a_server_that_is_too_old_or_redirects_is_refused(
    command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(_Old) as port:
        url = f"http://localhost:{port}"
        assert command(*APPLY, ZABBIX_URL=url) == 2
        assert "Zabbix 5.0.40 is too old; 6.0 or later is needed" in _err(capsys)
        assert command(*APPLY, ZABBIX_URL=f"{url}/moved") == 2
        assert "redirects to https://elsewhere.example/" in _err(capsys)


def test_an_untrusted_certificate_is_refused_until_its_authority_is_given(
    command: Command, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    authority = Authority(tmp_path / "pki")
    with serving(_Old, certificate=authority.issue("zabbix", "DNS:localhost")) as port:
        url = f"https://localhost:{port}"
        assert command(*APPLY, ZABBIX_URL=url) == 2
        line = _err(capsys)
        assert "TLS failed" in line
        assert "--ca-file" in line
        assert command(*APPLY, "--ca-file", str(authority.certificate), ZABBIX_URL=url) == 2
        assert "too old" in _err(capsys)


@pytest.mark.parametrize(
    ("arguments", "environment", "problem"),
    [
        (("--macro={$NO.SUCH}=1",), {}, "the template has no such macro"),
        (("--macro=NAME",), {}, "must be NAME=VALUE"),
        (("--global-macro={$CPU.UTIL.CRIT}=1",), {}, "its value wins; use --macro"),
        ((), {"ZABBIX_PSK_FILE": None}, "without a key; give --psk-file"),
        ((), {"ZABBIX_PSK_FILE": None, "ZABBIX_PSK": "xyz"}, "even number of hex digits"),
        ((), {"ZABBIX_API_TOKEN_FILE": "/nonexistent"}, "/nonexistent: can't be read"),
        ((), {"ZABBIX_API_TOKEN_FILE": None}, "no credentials; give ZABBIX_API_TOKEN_FILE"),
        ((), {"ZABBIX_API_TOKEN": "x"}, "are both given; keep one"),
        (("--ca-file", "/nonexistent"), {}, "--ca-file /nonexistent: can't be read: No such file"),
        (("--proxy", "http://me:secret@127.0.0.1:9"), {}, "through --proxy 127.0.0.1:9 ("),
        (("--cluster", "a b"), {}, "--cluster `a b` must be letters"),
        (("--catalogue", "/nonexistent"), {}, "/nonexistent: can't be read"),
    ],
)
def test_bad_input_is_reported_in_one_line_with_the_fix(
    arguments: tuple[str, ...],
    environment: dict[str, str | None],
    problem: str,
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command(*APPLY, *arguments, **environment) == 2
    assert problem in _err(capsys)
