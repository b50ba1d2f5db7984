"""The permissions in docs/reference/zabbix.md are sufficient, and each method in them is necessary."""

import dataclasses
import re
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.zabbix.commands import APPLY, Command
from tests.support.zabbix.hosts import CLUSTER, GROUP, UNHEARD, create_host, template
from tests.support.zabbix.node import NODE_NAME
from tests.support.zabbix.stack import Stack

_DOCUMENT = ROOT / "docs/reference/zabbix.md"
_ROW = re.compile(
    r"^\| `(\w+)`[^|]*\| (User|Admin|Super admin) \| (`[a-z.`, ]+`) \| (.+?) \|$", re.MULTILINE
)
_TYPES = {"User": 1, "Admin": 2, "Super admin": 3}
_PERMISSIONS = {"read": 2, "read-write": 3}


@dataclasses.dataclass(frozen=True)
class Least:
    """A row of the document's table; ``rights`` are of host group and template group."""

    role: str
    methods: tuple[str, ...]
    hosts: str
    templates: str


def _documented() -> dict[str, Least]:
    found = {}
    for row in _ROW.finditer(_DOCUMENT.read_text("utf-8")):
        hosts = re.search("(read-write|read): host group", row[4])
        templates = re.search("(read-write|read): template group", row[4])
        found[row[1]] = Least(
            row[2],
            tuple(re.findall("`([a-z.]+)`", row[3])),
            hosts[1] if hosts else "",
            templates[1] if templates else "",
        )
    return found


LEAST = _documented()
User = Callable[[Least], dict[str, str | None]]


@pytest.fixture
def user(applied: Stack) -> User:
    """Return a function that creates a user with these methods only, and returns its credentials."""

    def make(least: Least) -> dict[str, str | None]:
        name = f"restricted {secrets.token_hex(4)}"
        rules: dict[str, Any] = {"ui.default_access": 0, "actions.default_access": 0}
        rules |= {"api.access": 1, "api.mode": 1, "api": list(least.methods)}
        role = {"name": name, "type": _TYPES[least.role], "rules": rules}
        (role_id,) = applied.call("role.create", role)["roleids"]
        member = {"name": name, **_rights(applied, least)}
        (group_id,) = applied.call("usergroup.create", member)["usrgrpids"]
        account = {"username": name, "passwd": secrets.token_hex(16), "roleid": role_id}
        applied.call("user.create", {**account, "usrgrps": [{"usrgrpid": group_id}]})
        return {"ZABBIX_API_TOKEN": applied.token(name), "ZABBIX_API_TOKEN_FILE": None}

    return make


def _rights(stack: Stack, least: Least) -> dict[str, list[dict[str, Any]]]:
    """Return the rights of a user group; since 6.2 they list template groups separately."""
    (reference,) = template(stack)
    templates = {"templateids": [reference["templateid"]]}
    apart = stack.root != Path("/")
    found: dict[str, list[dict[str, Any]]] = {}
    for right, method, query, key in (
        (least.hosts, "hostgroup", {"filter": {"name": [GROUP]}}, "hostgroup_rights"),
        (least.templates, "templategroup", templates, "templategroup_rights"),
    ):
        if right:
            (group,) = stack.call(f"{method if apart else 'hostgroup'}.get", query)
            rights = found.setdefault(key if apart else "rights", [])
            rights.append({"id": group["groupid"], "permission": _PERMISSIONS[right]})
    return found


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    """Return a list of nodes with the node that tests share, so that its host stays."""
    path = tmp_path / "nodes"
    path.write_text(f"{NODE_NAME}\n")
    return path


@pytest.fixture
def orphaned(applied: Stack) -> str:
    """Return the name of a host that ``prune`` disables, and later deletes."""
    name = f"orphaned-x{secrets.token_hex(4)}"
    create_host(applied, name, UNHEARD)
    return name


class Need:
    """Prepares the server so that a command needs all its methods; each returns the command's arguments."""

    def __init__(self, stack: Stack, nodes: Path, orphaned: str) -> None:
        self._stack = stack
        self._watch = ("--cluster", CLUSTER, "--nodes-file", str(nodes))
        self._orphaned = orphaned
        self._nodes = nodes

    def check(self, _method: str) -> tuple[str, ...]:
        """Have one node, whose host has the template and no data."""
        self._nodes.write_text(f"{self._orphaned}\n")
        return ("check", *self._watch)

    def prune(self, method: str) -> tuple[str, ...]:
        """Have one host whose node is gone; for ``host.delete``, one that was disabled."""
        if method == "host.delete":
            (host,) = self._stack.call("host.get", {"filter": {"host": self._orphaned}})
            tags = [{"tag": "node-observability-pruned", "value": "1"}]
            self._stack.call("host.update", {"hostid": host["hostid"], "status": 1, "tags": tags})
        return ("prune", "--all-gone", *self._watch)

    def diff(self, _method: str) -> tuple[str, ...]:
        """Leave the server as it is."""
        return ("diff", *APPLY[1:])

    def apply(self, method: str) -> tuple[str, ...]:
        """Have everything to create; for a method with ``update``, everything to change."""
        unique = secrets.token_hex(4)
        macro = f"{{$LEAST.{unique.upper()}}}"
        arguments = [*APPLY, f"--macro={{$CPU.UTIL.CRIT}}=9{int(unique, 16)}"]
        arguments.append(f"--global-macro={macro}=1")
        if "update" in method:
            made = {"macro": macro, "value": "0"}
            self._stack.call("usermacro.createglobal", made)
            (action,) = self._stack.call("action.get", {"search": {"name": CLUSTER}})
            self._stack.call("action.update", {"actionid": action["actionid"], "status": 1})
            (fingerprint,) = self._stack.call(
                "usermacro.get",
                {"globalmacro": True, "filter": {"macro": "{$NODEOBS.PSK.FINGERPRINT}"}},
            )
            self._stack.call("usermacro.deleteglobal", [fingerprint["globalmacroid"]])
        else:
            arguments[arguments.index("--cluster") + 1] = f"least-{unique}"
        return tuple(arguments)


@pytest.fixture
def need(applied: Stack, nodes: Path, orphaned: str, command: Command) -> Iterator[Need]:
    """Return a ``Need``; restore the server at the end."""
    yield Need(applied, nodes, orphaned)
    assert command(*APPLY) == 0
    for kind in ("host", "action"):
        names = {"search": {"host" if kind == "host" else "name": ["orphaned-", "least-"]}}
        found = applied.call(f"{kind}.get", {**names, "searchByAny": True, "output": [f"{kind}id"]})
        if found:
            applied.call(f"{kind}.delete", [part[f"{kind}id"] for part in found])


def test_the_document_lists_permissions_for_each_command_that_uses_the_server() -> None:
    assert sorted(LEAST) == ["apply", "check", "diff", "prune"]


@pytest.mark.parametrize(
    ("name", "method", "printed"),
    [
        ("check", "", "ok ok no data no data"),
        ("prune", "", "disable: orphaned-"),
        ("prune", "host.delete", "delete: orphaned-"),
        ("diff", "", ""),
        ("apply", "", "create action"),
        ("apply", "update", "update action"),
    ],
)
def test_the_documented_permissions_are_sufficient(
    name: str,
    method: str,
    printed: str,
    *,
    need: Need,
    user: User,
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments: tuple[str, ...] = getattr(need, name)(method)
    extra = ("--delete-after", "0s") if method == "host.delete" else ()
    capsys.readouterr()
    code = command(*arguments, *extra, **user(LEAST[name]))
    out, err = capsys.readouterr()
    assert (code, err) == (1 if name == "check" else 0, "")
    assert printed in " ".join(out.split())


@pytest.mark.parametrize(
    ("name", "method"), [(name, method) for name in LEAST for method in LEAST[name].methods]
)
def test_each_method_is_necessary_and_a_missing_one_is_named(
    name: str,
    method: str,
    *,
    need: Need,
    user: User,
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments: tuple[str, ...] = getattr(need, name)(method)
    extra = ("--delete-after", "0s") if method == "host.delete" else ()
    left = tuple(other for other in LEAST[name].methods if other != method)
    capsys.readouterr()
    assert command(*arguments, *extra, **user(dataclasses.replace(LEAST[name], methods=left))) == 2
    assert f"this user may not call {method} " in capsys.readouterr().err


def test_a_refusal_for_many_hosts_is_reported_in_one_line(
    need: Need,
    applied: Stack,
    user: User,
    command: Command,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for number in range(4):
        create_host(applied, f"orphaned-{number}", UNHEARD)
    less = dataclasses.replace(LEAST["prune"], methods=("hostgroup.get", "host.get", "item.get"))
    capsys.readouterr()
    assert command(*need.prune(""), **user(less)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "orphaned-0, orphaned-1, orphaned-2 and 2 more: disable: this user may not" in line
