"""The state that ``apply`` brings about: a cluster's nodes register themselves and are monitored; pure.

Actions are compared by their meaning, because a server adds ids and the defaults of its version.
"""

import dataclasses
import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any, Final

from node_observability.errors import UsageError

__all__ = [
    "PSK_MACRO",
    "Change",
    "Cluster",
    "DesiredState",
    "Psk",
    "action",
    "action_meaning",
    "import_rules",
]

PSK_MACRO = "{$NODEOBS.PSK.FINGERPRINT}"
PSK_MACRO_TEXT = (
    "Of node-observability: identifies the PSK that was last applied to auto-registration."
)

_AUTOREGISTRATION = 2  # event source
_METADATA = 24  # condition on the host metadata
_MATCHES = 8
_ADD_HOST, _ADD_GROUP, _LINK_TEMPLATE = 2, 4, 6
_CLUSTER_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_MIN_PSK_DIGITS = 32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Change:
    """One difference between the server and the desired state; ``details`` are lines for people."""

    kind: str
    name: str
    verb: str
    details: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cluster:
    """A cluster's names on the server. The chart sets the metadata ``bottlerocket cluster=NAME …``."""

    name: str
    group: str
    prefix: str = "bottlerocket"

    def __post_init__(self) -> None:
        problems = [
            f"{flag} `{value}` must be letters, digits, `.`, `_` and `-`"
            for flag, value in (("--cluster", self.name), ("--metadata-prefix", self.prefix))
            if not _CLUSTER_NAME.fullmatch(value)
        ]
        if not self.group or self.group.strip("/") != self.group or "//" in self.group:
            problems.append(f"--host-group `{self.group}` must be a name without `/` at its ends")
        if problems:
            raise UsageError(*problems)

    @property
    def action_name(self) -> str:
        """The name of its auto-registration action."""
        return f"node-observability: register nodes of {self.name}"

    @property
    def metadata_regex(self) -> str:
        """The regular expression that the metadata of its nodes match, and no other cluster's."""
        prefix, name = (value.replace(".", "[.]") for value in (self.prefix, self.name))
        return f"^{prefix}( .*)? cluster={name}( |$)"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Psk:
    """The pre-shared key of auto-registration, which can't be read back from the server."""

    identity: str
    key: str = dataclasses.field(repr=False)

    def __post_init__(self) -> None:
        problems = []
        if not self.identity or len(self.identity) > 128:  # noqa: PLR2004 - the server's limit
            problems.append("the PSK identity must have 1 to 128 characters; give --psk-identity")
        if not re.fullmatch("([0-9a-fA-F]{2})+", self.key) or len(self.key) < _MIN_PSK_DIGITS:
            problems.append(
                "the PSK must be an even number of hex digits, at least 32 (such as the output of "
                "`openssl rand -hex 32`)"
            )
        if problems:
            raise UsageError(*problems)

    @property
    def fingerprint(self) -> str:
        """A text that differs from key to key and does not reveal the key, which is random and long."""
        return hmac.new(
            bytes.fromhex(self.key), b"node-observability " + self.identity.encode(), hashlib.sha256
        ).hexdigest()[:32]


@dataclasses.dataclass(frozen=True, kw_only=True)
class DesiredState:
    """All that one run of ``apply`` brings about."""

    template: str
    cluster: Cluster | None = None
    psk: Psk | None = None
    psk_only: bool = False
    global_macros: Mapping[str, str] = dataclasses.field(default_factory=dict)


# The API's numbers in the frontend's words (action object, "operation" and "filter condition").
_OPERATIONS: Final = {
    0: "sends a message",
    1: "runs a command",
    _ADD_HOST: "adds the host",
    3: "removes the host",
    _ADD_GROUP: "adds to host group",
    5: "removes from host group",
    _LINK_TEMPLATE: "links template",
    7: "unlinks template",
    8: "enables the host",
    9: "disables the host",
    10: "sets the inventory's mode",
}
_CONDITIONS: Final = {20: "proxy", 22: "host name", _METADATA: "host metadata"}
_OPERATORS: Final = {
    0: "equals",
    1: "does not equal",
    2: "contains",
    3: "does not contain",
    _MATCHES: "matches",
}


def import_rules(*, apart: bool) -> dict[str, dict[str, bool]]:
    """Return the rules for both ``configuration.importcompare`` and ``configuration.import``.

    ``apart``: whether the server has template groups, as 6.2 and later do. Parts that the template has only
    on the server are removed: ``apply`` owns the template.
    """
    owned = {"createMissing": True, "updateExisting": True, "deleteMissing": True}
    parts = ("discoveryRules", "graphs", "httptests", "items", "templateDashboards", "triggers")
    group = {"createMissing": True, "updateExisting": False}
    groups = ("host_groups", "template_groups") if apart else ("groups",)
    return {
        **dict.fromkeys((*parts, "valueMaps"), owned),
        "templateLinkage": {"createMissing": True, "deleteMissing": True},
        **dict.fromkeys(groups, group),
        "templates": {"createMissing": True, "updateExisting": True},
    }


def action(cluster: Cluster, group_id: str, template_id: str) -> dict[str, Any]:
    """Return the parameters of ``action.create`` for a cluster."""
    return {
        "name": cluster.action_name,
        "eventsource": _AUTOREGISTRATION,
        "status": 0,
        "filter": {
            "evaltype": 0,
            "conditions": [
                {
                    "conditiontype": _METADATA,
                    "operator": _MATCHES,
                    "value": cluster.metadata_regex,
                }
            ],
        },
        "operations": [
            {"operationtype": _ADD_HOST},
            {"operationtype": _ADD_GROUP, "opgroup": [{"groupid": group_id}]},
            {"operationtype": _LINK_TEMPLATE, "optemplate": [{"templateid": template_id}]},
        ],
    }


def action_meaning(compared: Mapping[str, Any]) -> dict[str, str]:
    """Return what an action does, in words; equal for the desired action and the server's if they agree."""
    operations = []
    for operation in compared["operations"]:
        kind = int(operation["operationtype"])
        groups = sorted(str(part["groupid"]) for part in operation.get("opgroup") or [])
        templates = sorted(str(part["templateid"]) for part in operation.get("optemplate") or [])
        operations.append(" ".join((_OPERATIONS.get(kind, f"type {kind}"), *groups, *templates)))
    conditions = [
        f"{_CONDITIONS.get(int(part['conditiontype']), 'type ' + str(part['conditiontype']))} "
        f"{_OPERATORS.get(int(part['operator']), 'operator ' + str(part['operator']))} `{part['value']}`"
        for part in compared["filter"]["conditions"]
    ]
    return {
        "enabled": "yes" if int(compared["status"]) == 0 else "no",
        "conditions": ", ".join(sorted(conditions)) or "none",
        "operations": ", ".join(sorted(operations)) or "none",
    }
