"""The scheduler's rules, one by one."""

import pytest

from node_observability.coverage.placement import (
    Expression,
    Placement,
    Toleration,
    reasons_against,
    shared_expressions,
)
from node_observability.inputs.nodes import Taint

ANY = Toleration(operator="Exists")


def allowed(placement: Placement, labels: dict[str, str], *taints: Taint) -> bool:
    return not reasons_against(placement, "n1", labels, taints)


@pytest.mark.parametrize(
    ("operator", "values", "absent", "equal", "other"),
    [
        ("In", ("v",), False, True, False),
        ("NotIn", ("v",), True, False, True),
        ("Exists", (), False, True, True),
        ("DoesNotExist", (), True, False, False),
        ("Gt", ("5",), False, False, False),
        ("Lt", ("5",), False, False, False),
    ],
)
def test_an_operator_holds_for_a_label_as_the_api_defines(
    operator: str, values: tuple[str, ...], *, absent: bool, equal: bool, other: bool
) -> None:
    part = Expression("k", operator, values)
    assert (part.holds(None), part.holds("v"), part.holds("w")) == (absent, equal, other)


def test_gt_and_lt_compare_integers() -> None:
    assert Expression("k", "Gt", ("5",)).holds("10")
    assert not Expression("k", "Gt", ("5",)).holds("5")
    assert Expression("k", "Lt", ("-5",)).holds("-6")
    assert Expression("k", "Gt", ("0" * 5000 + "5",)).holds("+6")
    # Kubernetes reads 64 bits.
    assert Expression("k", "Gt", ("5",)).holds(str(2**63 - 1))
    for number in (str(2**63), str(-(2**63) - 1), "9" * 5000, "٣"):
        assert not Expression("k", "Gt", ("-9",)).holds(number)
        assert not Expression("k", "Lt", (number,)).holds("-9")
    assert Expression("k", "Lt", ("5",)).holds("-1")
    assert not Expression("k", "Lt", ("5",)).holds("4.5")


def test_terms_are_alternatives_and_the_parts_of_a_term_must_all_hold() -> None:
    both = (Expression("a", "Exists"), Expression("b", "Exists"))
    placement = Placement(terms=(both, (Expression("c", "Exists"),)))
    assert allowed(placement, {"a": "", "b": ""})
    assert allowed(placement, {"c": ""})
    assert not allowed(placement, {"a": ""})


def test_an_empty_term_or_no_term_at_all_matches_nothing() -> None:
    assert not allowed(Placement(terms=((),)), {})
    assert not allowed(Placement(terms=()), {})
    assert allowed(Placement(terms=None), {})


def test_selector_and_affinity_must_both_hold() -> None:
    placement = Placement(selector=(("os", "bottlerocket"),), terms=((Expression("a", "Exists"),),))
    assert allowed(placement, {"os": "bottlerocket", "a": ""})
    assert not allowed(placement, {"os": "bottlerocket"})
    assert not allowed(placement, {"a": ""})


def test_a_field_term_asks_for_the_nodes_name() -> None:
    here = Placement(terms=((Expression("metadata.name", "In", ("n1",), is_field=True),),))
    elsewhere = Placement(terms=((Expression("metadata.name", "In", ("n2",), is_field=True),),))
    assert allowed(here, {"metadata.name": "n2"})
    assert not allowed(elsewhere, {})


@pytest.mark.parametrize(
    ("toleration", "taint", "tolerated"),
    [
        (ANY, Taint(key="os", effect="NoSchedule", value="bottlerocket"), True),
        (ANY, Taint(key="os", effect="NoExecute"), True),
        (Toleration("os", "Exists"), Taint(key="os", effect="NoSchedule", value="x"), True),
        (
            Toleration("os", "Exists", effect="NoExecute"),
            Taint(key="os", effect="NoSchedule"),
            False,
        ),
        (Toleration("os", "Equal", "x"), Taint(key="os", effect="NoSchedule", value="x"), True),
        (Toleration("os", "Equal", "x"), Taint(key="os", effect="NoSchedule"), False),
        (Toleration("os", "Equal"), Taint(key="os", effect="NoSchedule"), True),
        (Toleration("gpu", "Exists"), Taint(key="os", effect="NoSchedule"), False),
        (Toleration(), Taint(key="os", effect="NoSchedule"), False),
    ],
)
def test_a_toleration_matches_a_taint_as_the_api_defines(
    toleration: Toleration, taint: Taint, *, tolerated: bool
) -> None:
    assert toleration.tolerates(taint) is tolerated
    assert allowed(Placement(tolerations=(toleration,)), {}, taint) is tolerated


def test_a_taint_that_is_only_a_preference_keeps_no_pod_out() -> None:
    assert allowed(Placement(), {}, Taint(key="os", effect="PreferNoSchedule"))


@pytest.mark.parametrize(
    "taint",
    [
        Taint(key="node.kubernetes.io/not-ready", effect="NoExecute"),
        Taint(key="node.kubernetes.io/unreachable", effect="NoExecute"),
        Taint(key="node.kubernetes.io/disk-pressure", effect="NoSchedule"),
        Taint(key="node.kubernetes.io/memory-pressure", effect="NoSchedule"),
        Taint(key="node.kubernetes.io/pid-pressure", effect="NoSchedule"),
        Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule"),
    ],
    ids=lambda taint: taint.key.partition("/")[2],
)
def test_the_controller_adds_tolerations_to_every_daemonset(taint: Taint) -> None:
    assert allowed(Placement(), {}, taint)


def test_only_pods_on_the_host_network_tolerate_an_unavailable_network() -> None:
    taint = Taint(key="node.kubernetes.io/network-unavailable", effect="NoSchedule")
    assert not allowed(Placement(), {}, taint)
    assert allowed(Placement(is_on_host_network=True), {}, taint)


def test_each_reason_names_the_value_of_the_node() -> None:
    placement = Placement(
        selector=(("os", "bottlerocket"),),
        terms=((Expression("kubernetes.io/os", "In", ("linux",)),),),
    )
    taint = Taint(key="dedicated", effect="NoSchedule", value="gpu")
    labels = {"kubernetes.io/os": "windows"}
    assert reasons_against(placement, "n", labels, [taint]) == [
        "os must be 'bottlerocket', is absent",
        "kubernetes.io/os In [linux], is 'windows'",
        "taint dedicated=gpu:NoSchedule is not tolerated",
    ]


def test_requirements_of_every_term_are_shared() -> None:
    linux = Expression("kubernetes.io/os", "In", ("linux",))
    own = Expression("os", "NotIn", ("bottlerocket",))
    assert shared_expressions([Placement(terms=((linux,),)), Placement(terms=((linux, own),))]) == {
        linux
    }
    assert shared_expressions([Placement(terms=((linux,),)), Placement()]) == frozenset()
    assert shared_expressions([]) == frozenset()
