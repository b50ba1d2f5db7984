"""The case files: what is wrong with descriptions and user data, where, and what targets do to them."""

from node_observability.nodegroup import check_user_data, render
from tests.support.nodegroups import (
    Case,
    cases,
    described,
    description_errors,
    description_warnings,
    user_data_errors,
    user_data_warnings,
)


@cases("descriptions")
def test_a_description_has_the_errors_and_warnings_of_its_case(case: Case) -> None:
    assert description_errors(case["text"]) == case.get("errors", "").splitlines()
    if "errors" not in case:
        assert description_warnings(case["text"]) == case.get("warnings", "").splitlines()


@cases("user-data")
def test_user_data_has_the_errors_and_warnings_of_its_case(case: Case) -> None:
    assert user_data_errors(case["text"]) == case.get("errors", "").splitlines()
    if "errors" not in case:
        assert user_data_warnings(case["text"]) == case.get("warnings", "").splitlines()


@cases("losses")
def test_a_target_that_would_lose_a_part_of_a_description_says_so(case: Case) -> None:
    problems = render.losses(case["target"], described(**case["description"]))
    assert [problem.sentence for problem in problems] == case["losses"].splitlines()


@cases("effects")
def test_the_effects_of_a_target_on_user_data_are_known(case: Case) -> None:
    report = check_user_data.check(case["text"].encode())
    assert report.errors == ()
    found = [
        f"{one.line} {'.'.join(map(str, one.path))}{'' if one.loses else ' (kept)'}: {one.text}"
        for one in check_user_data.target_effects(report, case["target"])
    ]
    assert found == case.get("effects", "").splitlines()
