"""Which nodes an action accepts, and what ``apply`` does if a server does not keep a change."""

import re
from collections.abc import Callable, Iterator

import pytest

from node_observability.errors import ToolboxError, UsageError
from node_observability.zabbix.server.apply import Server, apply
from node_observability.zabbix.server.desired import Change, Cluster, Psk

CHANGE = Change(kind="host group", name="g", verb="create")


class _Server(Server):
    """A server with one difference, which lasts for a number of comparisons."""

    def __init__(self, lasting: int) -> None:
        self.lasting = lasting

    def changes(self) -> list[Change]:
        self.lasting -= 1
        return [CHANGE] if self.lasting > 0 else []

    def steps(self) -> Iterator[tuple[Change, Callable[[], object]]]:
        for change in self.changes():
            yield change, lambda: None


def test_a_server_that_accepts_a_change_and_still_differs_is_an_error() -> None:
    reported: list[Change] = []
    assert apply(_Server(2), reported.append) == reported == [CHANGE]
    with pytest.raises(ToolboxError, match="still differs: host group `g`: create"):
        apply(_Server(3), reported.append)


@pytest.mark.parametrize(
    ("metadata", "accepted"),
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
def test_an_action_accepts_only_nodes_of_its_cluster(metadata: str, *, accepted: bool) -> None:
    regex = Cluster(name="a.b", group="g").metadata_regex
    assert bool(re.search(regex, metadata)) is accepted


@pytest.mark.parametrize("name", ["", "a b", "a=b", "-a", "a.*", "a\n"])
def test_a_cluster_name_that_would_change_the_regex_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="must be letters, digits"):
        Cluster(name=name, group="g")


def test_psks_have_different_fingerprints_and_are_not_shown() -> None:
    first, other = Psk(identity="i", key="ab" * 32), Psk(identity="i", key="ac" * 32)
    assert first.fingerprint != other.fingerprint != Psk(identity="j", key="ac" * 32).fingerprint
    assert "abab" not in repr(first)
    assert first.key[:8] not in first.fingerprint
