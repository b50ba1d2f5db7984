"""Bring a server to what is wanted: compare, print, change, compare again.

Guarantees: a second run changes nothing; one that is broken off is completed by the next; what was changed
before a failure is told. Each step compares by itself, so a step that fails leaves the ones after it for
later.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from packaging.version import Version

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.server import differences
from node_observability.zabbix.server.api import Api
from node_observability.zabbix.server.desired import (
    PSK_MACRO,
    PSK_MACRO_TEXT,
    Change,
    Cluster,
    Psk,
    action,
    action_meaning,
    import_rules,
)
from node_observability.zabbix.template.render import TEMPLATE

__all__ = ["Server", "Wanted", "apply"]

_GROUPS_APART = Version("6.2")
_TLS_PLAIN, _TLS_PSK = 1, 2


class Wanted:
    """All that a run of ``apply`` brings about."""

    def __init__(
        self,
        *,
        template: str,
        cluster: Cluster | None = None,
        psk: Psk | None = None,
        psk_only: bool = False,
        global_macros: Mapping[str, str] | None = None,
    ) -> None:
        self.template = template
        self.cluster = cluster
        self.psk = psk
        self.psk_only = psk_only
        self.global_macros = dict(global_macros or {})


# A step: what differs now, and how to change it.
_Step = tuple[Change, Callable[[], object]]


class Server:
    """Compare a server with what is wanted. ``steps`` asks the server each time it is iterated."""

    def __init__(self, api: Api, wanted: Wanted) -> None:
        self._api = api
        self._wanted = wanted

    def changes(self) -> list[Change]:
        """Return what differs, and change nothing."""
        return [change for change, _ in self.steps()]

    def steps(self) -> Iterator[_Step]:
        """Yield each difference when it is its turn: later ones may need what earlier ones made."""
        yield from self._template()
        if self._wanted.cluster is not None:
            yield from self._group(self._wanted.cluster)
        if self._wanted.psk is not None:
            yield from self._psk(self._wanted.psk)
        for name, value in self._wanted.global_macros.items():
            yield from self._global_macro(name, value, "")
        if self._wanted.cluster is not None:
            yield from self._action(self._wanted.cluster)

    def _template(self) -> Iterator[_Step]:
        parameters = {
            "format": "yaml",
            "source": self._wanted.template,
            "rules": import_rules(apart=self._api.version >= _GROUPS_APART),
        }
        found = differences.lines(self._api.call_long("configuration.importcompare", **parameters))
        if found:
            verb = "create" if not self._template_id() else "update"
            yield (
                Change(kind="template", name=TEMPLATE, verb=verb, details=tuple(found)),
                lambda: self._api.call_long("configuration.import", **parameters),
            )

    def _template_id(self) -> str:
        found = self._api.call("template.get", filter={"host": TEMPLATE}, output=["templateid"])
        return str(found[0]["templateid"]) if found else ""

    def _group_id(self, cluster: Cluster) -> str:
        found = self._api.call("hostgroup.get", filter={"name": cluster.group}, output=["groupid"])
        return str(found[0]["groupid"]) if found else ""

    def _group(self, cluster: Cluster) -> Iterator[_Step]:
        if not self._group_id(cluster):
            yield (
                Change(kind="host group", name=cluster.group, verb="create"),
                lambda: self._api.call("hostgroup.create", name=cluster.group),
            )

    def _psk(self, psk: Psk) -> Iterator[_Step]:
        accepted = int(self._api.call("autoregistration.get", output=["tls_accept"])["tls_accept"])
        wanted = _TLS_PSK if self._wanted.psk_only else accepted | _TLS_PSK
        macro = self._macro(PSK_MACRO)
        if macro is not None and "value" not in macro:
            raise UsageError(
                f"global macro {PSK_MACRO} is a secret on the server, which does not tell it; make it "
                "text there"
            )
        details = []
        if accepted != wanted:
            details.append(f"accepts: {_connections(accepted)} -> {_connections(wanted)}")
        if macro is None or macro.get("value") != psk.fingerprint:
            details.append(f"PSK: another one than was last applied -> identity `{psk.identity}`")
        if not details:
            return

        def change() -> None:
            self._api.call(
                "autoregistration.update",
                tls_accept=wanted,
                tls_psk_identity=psk.identity,
                tls_psk=psk.key,
            )
            self._set_macro(PSK_MACRO, psk.fingerprint, PSK_MACRO_TEXT)

        yield (
            Change(
                kind="auto-registration", name=psk.identity, verb="update", details=tuple(details)
            ),
            change,
        )

    def _macro(self, name: str) -> Any:  # noqa: ANN401 - JSON
        found = self._api.call(
            "usermacro.get", globalmacro=True, filter={"macro": name}, output="extend"
        )
        return found[0] if found else None

    def _set_macro(self, name: str, value: str, text: str) -> None:
        found = self._macro(name)
        if found is None:
            self._api.call("usermacro.createglobal", macro=name, value=value, description=text)
        else:
            self._api.call(
                "usermacro.updateglobal", globalmacroid=found["globalmacroid"], value=value
            )

    def _global_macro(self, name: str, value: str, text: str) -> Iterator[_Step]:
        found = self._macro(name)
        if found is not None and found.get("value") == value:
            return
        if found is not None and "value" not in found:
            raise UsageError(
                f"--global-macro {name}: is a secret on the server, which does not tell it; set it there"
            )
        old = "not set" if found is None else f"`{found['value']}`"
        yield (
            Change(
                kind="global macro",
                name=name,
                verb="create" if found is None else "update",
                details=(f"value: {old} -> `{value}`",),
            ),
            lambda: self._set_macro(name, value, text),
        )

    def _action(self, cluster: Cluster) -> Iterator[_Step]:
        wanted = action(cluster, self._group_id(cluster), self._template_id())
        found = self._api.call(
            "action.get",
            filter={"name": cluster.action_name, "eventsource": wanted["eventsource"]},
            output="extend",
            selectFilter="extend",
            selectOperations="extend",
        )
        if not found:
            text = f"hosts whose metadata match `{cluster.metadata_regex}`"
            yield (
                Change(kind="action", name=cluster.action_name, verb="create", details=(text,)),
                lambda: self._api.call("action.create", **wanted),
            )
            return
        old, new = action_meaning(found[0]), action_meaning(wanted)
        details = tuple(f"{key}: {old[key]} -> {new[key]}" for key in new if old[key] != new[key])
        if details:
            changed = {key: value for key, value in wanted.items() if key != "eventsource"}
            yield (
                Change(kind="action", name=cluster.action_name, verb="update", details=details),
                lambda: self._api.call("action.update", actionid=found[0]["actionid"], **changed),
            )


def apply(server: Server, tell: Callable[[Change], None]) -> list[Change]:
    """Make every change and return them; ``tell`` hears of each once it is made.

    Raises:
        ToolboxError: the server refused one (a UsageError names what to mend), or did not do what it
        confirmed.

    """
    done: list[Change] = []
    try:
        for change, make in server.steps():
            make()
            done.append(change)
            tell(change)
        left = server.changes()
    except ToolboxError as error:
        if done:
            names = ", ".join(f"{change.kind} `{change.name}`" for change in done)
            error.problems = (
                *error.problems,
                f"half applied: {names} done; mend the above and run it again",
            )
        raise
    if left:
        text = "; ".join(f"{c.kind} `{c.name}`: {', '.join(c.details) or c.verb}" for c in left)
        raise ToolboxError(f"the server took the changes and still differs: {text}")
    return done


def _connections(mask: int) -> str:
    names = [name for bit, name in ((_TLS_PLAIN, "unencrypted"), (_TLS_PSK, "PSK")) if mask & bit]
    return " and ".join(names) or "none"
