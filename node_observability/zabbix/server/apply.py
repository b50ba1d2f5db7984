"""Brings a server to the desired state: compare, change, report, compare again.

Guarantees: a second run changes nothing; a run that was interrupted is completed by the next; an error lists
the changes that were made before it. Each step compares when its turn comes, so steps after a failed one are
left for the next run.
"""

from collections.abc import Callable, Iterator
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
    DesiredState,
    Psk,
    action,
    action_meaning,
    import_rules,
)
from node_observability.zabbix.template.render import TEMPLATE

__all__ = ["Server", "apply"]

_GROUPS_APART = Version("6.2")
_TLS_PLAIN, _TLS_PSK = 1, 2


# A difference, and how to remove it.
_Step = tuple[Change, Callable[[], object]]


class Server:
    """Compares a server with the desired state. ``steps`` asks the server each time it is iterated."""

    def __init__(self, api: Api, desired: DesiredState) -> None:
        self._api = api
        self._desired = desired

    def changes(self) -> list[Change]:
        """Return the differences, change nothing."""
        return [change for change, _ in self.steps()]

    def steps(self) -> Iterator[_Step]:
        """Yield each difference in turn: later ones may need what earlier ones created."""
        yield from self._template()
        if self._desired.cluster is not None:
            yield from self._group(self._desired.cluster)
        if self._desired.psk is not None:
            yield from self._psk(self._desired.psk)
        for name, value in self._desired.global_macros.items():
            yield from self._global_macro(name, value, "")
        if self._desired.cluster is not None:
            yield from self._action(self._desired.cluster)

    def _template(self) -> Iterator[_Step]:
        parameters = {
            "format": "yaml",
            "source": self._desired.template,
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
        desired = _TLS_PSK if self._desired.psk_only else accepted | _TLS_PSK
        macro = self._macro(PSK_MACRO)
        if macro is not None and "value" not in macro:
            raise UsageError(
                f"global macro {PSK_MACRO}: its value is secret on the server, so it can't be compared; set "
                "its type to Text"
            )
        details = []
        if accepted != desired:
            details.append(f"accepts: {_connections(accepted)} -> {_connections(desired)}")
        if macro is None or macro.get("value") != psk.fingerprint:
            details.append(f"PSK: not the one that was applied last -> identity `{psk.identity}`")
        if not details:
            return

        def change() -> None:
            self._api.call(
                "autoregistration.update",
                tls_accept=desired,
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
                f"--global-macro {name}: its value is secret on the server, so it can't be compared; set it "
                "there"
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
        desired = action(cluster, self._group_id(cluster), self._template_id())
        found = self._api.call(
            "action.get",
            filter={"name": cluster.action_name, "eventsource": desired["eventsource"]},
            output="extend",
            selectFilter="extend",
            selectOperations="extend",
        )
        if not found:
            text = f"hosts whose metadata match `{cluster.metadata_regex}`"
            yield (
                Change(kind="action", name=cluster.action_name, verb="create", details=(text,)),
                lambda: self._api.call("action.create", **desired),
            )
            return
        old, new = action_meaning(found[0]), action_meaning(desired)
        details = tuple(f"{key}: {old[key]} -> {new[key]}" for key in new if old[key] != new[key])
        if details:
            changed = {key: value for key, value in desired.items() if key != "eventsource"}
            yield (
                Change(kind="action", name=cluster.action_name, verb="update", details=details),
                lambda: self._api.call("action.update", actionid=found[0]["actionid"], **changed),
            )


def apply(server: Server, report: Callable[[Change], None]) -> list[Change]:
    """Make every change and return them; ``report`` is called after each.

    Raises:
        ToolboxError: the server refused a change, or it accepted all and still differs.
    """
    done: list[Change] = []
    try:
        for change, make in server.steps():
            make()
            done.append(change)
            report(change)
        left = server.changes()
    except ToolboxError as error:
        if done:
            names = ", ".join(f"{change.kind} `{change.name}`" for change in done)
            error.problems = (
                *error.problems,
                f"partly applied: {names} done; fix the problem above and run apply again",
            )
        raise
    if left:
        text = "; ".join(f"{c.kind} `{c.name}`: {', '.join(c.details) or c.verb}" for c in left)
        raise ToolboxError(f"the server accepted the changes and still differs: {text}")
    return done


def _connections(mask: int) -> str:
    names = [name for bit, name in ((_TLS_PLAIN, "unencrypted"), (_TLS_PSK, "PSK")) if mask & bit]
    return " and ".join(names) or "none"
