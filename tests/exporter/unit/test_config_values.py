"""Every value that a setting can't take is told in one line, with its origin and the fix."""

import pytest

from journal_exporter.config import FIELDS, flag, load, variable
from journal_exporter.errors import ConfigError

Raw = str | list[str]


def problems(environ: dict[str, str], **flags: Raw) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    return caught.value.problems


BAD: list[tuple[str, str, str]] = [
    ("journal_root", "", "empty; name a path"),
    ("output", "", "empty; name a path"),
    ("start", "middle", "write one of boot, head, tail"),
    ("format", "RFC3339", "write one of rfc3339, rfc3164, json"),
    ("max_priority", "loud", "no priority; write one of emerg"),
    ("exclude_facility", "cron,none", "'none' stands alone"),
    ("exclude_facility", "cron,lunch", "no facility; write one of kern"),
    ("include_unit", "a,,b", "empty; write a unit or a glob"),
    ("include_unit", "kube[a-", "a '[' without its ']'"),
    ("exclude_unit", "[", "a '[' without its ']'"),
    ("exclude_unit", "a[]", "a '[' without its ']'"),
    ("exclude_unit", "[!]", "a '[' without its ']'"),
    ("max_bytes", "", "not a size"),
    ("max_bytes", "-1", "not a size"),
    ("max_bytes", "lots", "not a size"),
    ("max_bytes", "0", "too small; write at least 4096"),
    ("max_bytes", "4095", "too small; write at least 4096"),
    ("max_bytes", "5000.5", "not a whole number of bytes"),
    ("max_bytes", "9000000Ti", "no file can be that large"),
    ("keep_bytes", "9000000Ti", "no file can be that large"),
    ("max_age", "4000d", "longer than ten years"),
    ("max_age", "1 week", "not a duration"),
    ("max_age", "-1", "not a duration"),
    ("keep_files", "0", "write a number from 1 to 9"),
    ("keep_files", "10", "write a number from 1 to 9"),
    ("keep_files", "-1", "write a number from 1 to 9"),
    ("keep_files", "five", "write a number from 1 to 9"),
    ("keep_bytes", "1EB", "not a size"),
    ("rotation_settle_s", "soon", "not a duration"),
    ("rotation_interval_s", "", "not a duration"),
    ("metrics_address", "9465", "write HOST:PORT"),
    ("metrics_address", "localhost", "write HOST:PORT"),
    ("metrics_address", "localhost:", "write HOST:PORT"),
    ("metrics_address", "localhost:http", "write HOST:PORT"),
    ("metrics_address", ":65536", "write HOST:PORT"),
    ("metrics_address", ":-1", "write HOST:PORT"),
    ("metrics_address", "::1:9465", "in brackets"),
    ("metrics_address", "http://localhost:80", "write HOST:PORT without a scheme or a path"),
    ("live_timeout_s", "0", "write a duration above 0"),
    ("ready_max_lag_s", "0s", "write a duration above 0"),
    ("log_level", "loud", "write one of debug, info, warning, error"),
    ("log_format", "xml", "write one of text, json"),
]


@pytest.mark.parametrize(("name", "text", "fix"), BAD, ids=[f"{n}={t}" for n, t, _ in BAD])
def test_a_bad_value_is_named_with_its_origin_and_the_fix(name: str, text: str, fix: str) -> None:
    raw: Raw = [text] if isinstance(FIELDS[name].default, tuple) else text
    (by_flag,) = problems({}, **{name: raw})
    (by_variable,) = problems({variable(name): text})
    assert by_flag.startswith(f"{flag(name)}={text}: ")
    assert by_variable.startswith(f"{variable(name)}={text}: ")
    assert fix in by_flag
    assert fix in by_variable


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("keep_files", "²", "write a number from 1 to 9"),
        ("metrics_address", ":8²", "write HOST:PORT"),
        ("max_priority", "²", "write one of emerg"),
        ("exclude_facility", "²", "write one of kern"),
    ],
)
def test_a_digit_that_is_no_number_is_told_with_the_fix(name: str, text: str, fix: str) -> None:
    (problem,) = problems({variable(name): text})
    assert fix in problem


def test_a_bad_value_causes_no_second_problem() -> None:
    assert len(problems({}, max_bytes="10 MB!", keep_bytes="20Mi")) == 1


@pytest.mark.parametrize("glob", ["[[]", "[]]", "[!]]", "a[[]b[a-z]", "[]a[]", "[!a-c]*", "a]b.c"])
def test_brackets_that_close_are_a_glob(glob: str) -> None:
    assert load({"include_unit": [glob]}, {}).settings.include_unit == (glob,)
