"""Which hosts an action takes, and what ``apply`` makes of a server that does not do what it says."""

import re
from collections.abc import Callable, Iterator

import pytest

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.server.apply import Server, apply
from node_observability.zabbix.server.desired import Change, Cluster, Psk

CHANGE = Change(kind="host group", name="g", verb="create")


class _Server(Server):
    """It has one difference, for ``lasting`` looks."""

    def __init__(self, lasting: int) -> None:
        self.lasting = lasting

    def changes(self) -> list[Change]:
        self.lasting -= 1
        return [CHANGE] if self.lasting > 0 else []

    def steps(self) -> Iterator[tuple[Change, Callable[[], object]]]:
        for change in self.changes():
            yield change, lambda: None


def test_a_server_that_takes_a_change_and_still_differs_is_told() -> None:
    told: list[Change] = []
    assert apply(_Server(2), told.append) == told == [CHANGE]
    with pytest.raises(ToolboxError, match="still differs: host group `g`: create"):
        apply(_Server(3), told.append)


@pytest.mark.parametrize(
    ("metadata", "taken"),
    [
        ("bottlerocket cluster=a.b", True),
        ("bottlerocket cluster=a.b group=x", True),
        ("bottlerocket arch=x86_64 cluster=a.b", True),
        ("bottlerocket cluster=a.bc", False),
        ("bottlerocket cluster=axb", False),
        ("bottlerocket mycluster=a.b", False),
        ("bottlerocket2 cluster=a.b", False),
        ("windows bottlerocket cluster=a.b", False),
        ("bottlerocket", False),
    ],
)
def test_an_action_takes_the_nodes_of_its_cluster_alone(metadata: str, *, taken: bool) -> None:
    regex = Cluster(name="a.b", group="g").metadata_regex
    assert bool(re.search(regex, metadata)) is taken


@pytest.mark.parametrize("name", ["", "a b", "a=b", "-a", "a.*", "a\n"])
def test_a_cluster_that_would_be_another_regex_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="must be letters, digits"):
        Cluster(name=name, group="g")


def test_one_psk_is_told_from_another_and_not_shown() -> None:
    first, other = Psk(identity="i", key="ab" * 32), Psk(identity="i", key="ac" * 32)
    assert first.fingerprint != other.fingerprint != Psk(identity="j", key="ac" * 32).fingerprint
    assert "abab" not in repr(first)
    assert first.key[:8] not in first.fingerprint
