"""Every invalid value of a setting is reported in one line, with its origin and the fix."""

import pytest

from journal_exporter.config import FIELDS, flag, load, variable
from journal_exporter.errors import ConfigError

Raw = str | list[str]


def problems(environ: dict[str, str], **flags: Raw) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(flags, environ)
    return caught.value.problems


BAD: list[tuple[str, str, str]] = [
    ("journal_root", "", "an empty value is not a path; give a path"),
    ("output", "", "an empty value is not a path; give a path"),
    ("once", "maybe", "maybe is not a boolean; write true or false"),
    ("start", "middle", "middle is not one of the choices; write one of boot, head, tail"),
    ("format", "RFC3339", "RFC3339 is not one of the choices; write one of rfc3339, rfc3164, json"),
    ("max_priority", "loud", "loud is not a priority; write one of emerg"),
    ("exclude_facility", "cron,none", "none can't be combined"),
    ("exclude_facility", "cron,lunch", "lunch is not a facility; write one of kern"),
    ("include_unit", "a,,b", "an empty value is not a unit or a glob; write one"),
    ("include_unit", "kube[a-", "has a '[' without a ']'"),
    ("exclude_unit", "[", "has a '[' without a ']'"),
    ("exclude_unit", "a[]", "has a '[' without a ']'"),
    ("exclude_unit", "[!]", "has a '[' without a ']'"),
    ("max_bytes", "", "is not a size; write bytes or a suffix"),
    ("max_bytes", "-1", "is not a size; write bytes or a suffix"),
    ("max_bytes", "lots", "is not a size; write bytes or a suffix"),
    ("max_bytes", "0", "0 is below the minimum of 4Ki"),
    ("max_bytes", "4095", "4095 is below the minimum of 4Ki"),
    ("max_bytes", "5000.5", "5000.5 is not a whole number of bytes"),
    ("max_bytes", "9000000Ti", "9000000Ti exceeds the size of any file; write less"),
    ("keep_bytes", "9000000Ti", "9000000Ti exceeds the size of any file; write less"),
    ("max_age", "4000d", "4000d exceeds ten years; write at most"),
    ("max_age", "1 week", "is not a duration; write seconds or a suffix"),
    ("max_age", "-1", "is not a duration; write seconds or a suffix"),
    ("keep_files", "0", "is not a number from 1 to 9"),
    ("keep_files", "10", "is not a number from 1 to 9"),
    ("keep_files", "-1", "is not a number from 1 to 9"),
    ("keep_files", "five", "is not a number from 1 to 9"),
    ("keep_bytes", "1EB", "is not a size; write bytes or a suffix"),
    ("rotation_settle_s", "soon", "is not a duration; write seconds or a suffix"),
    ("rotation_interval_s", "", "is not a duration; write seconds or a suffix"),
    ("metrics_address", "9465", "is not HOST:PORT"),
    ("metrics_address", "localhost", "is not HOST:PORT"),
    ("metrics_address", "localhost:", "is not HOST:PORT"),
    ("metrics_address", "localhost:http", "is not HOST:PORT"),
    ("metrics_address", ":65536", "is not HOST:PORT"),
    ("metrics_address", ":-1", "is not HOST:PORT"),
    ("metrics_address", "::1:9465", "has an IPv6 address without brackets; write it as in"),
    ("metrics_address", "http://localhost:80", "has a scheme or a path; write HOST:PORT"),
    ("live_timeout_s", "0", "is not a positive duration"),
    ("ready_max_lag_s", "0s", "is not a positive duration"),
    (
        "log_level",
        "loud",
        "loud is not one of the choices; write one of debug, info, warning, error",
    ),
    ("log_format", "xml", "xml is not one of the choices; write one of text, json"),
]


@pytest.mark.parametrize(("name", "text", "fix"), BAD, ids=[f"{n}={t}" for n, t, _ in BAD])
def test_a_bad_value_is_named_with_its_origin_and_the_fix(name: str, text: str, fix: str) -> None:
    raw: Raw = [text] if isinstance(FIELDS[name].default, tuple) else text
    (by_flag,) = problems({}, **{name: raw})
    (by_variable,) = problems({variable(name): text})
    assert by_flag.startswith(f"{flag(name)}: ")
    assert by_variable.startswith(f"{variable(name)}: ")
    assert fix in by_flag
    assert fix in by_variable


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("keep_files", "²", "is not a number from 1 to 9"),
        ("metrics_address", ":8²", "is not HOST:PORT"),
        ("max_priority", "²", "write one of emerg"),
        ("exclude_facility", "²", "write one of kern"),
    ],
)
def test_a_digit_of_another_script_is_an_error_with_the_fix(name: str, text: str, fix: str) -> None:
    (problem,) = problems({variable(name): text})
    assert fix in problem


def test_a_bad_value_causes_no_second_problem() -> None:
    assert len(problems({}, max_bytes="10 MB!", keep_bytes="20Mi")) == 1


@pytest.mark.parametrize("glob", ["[[]", "[]]", "[!]]", "a[[]b[a-z]", "[]a[]", "[!a-c]*", "a]b.c"])
def test_brackets_that_close_are_a_glob(glob: str) -> None:
    assert load({"include_unit": [glob]}, {}).settings.include_unit == (glob,)
