"""Settings: where they come from, what they may be, and every problem at once."""

import json
from pathlib import Path
from typing import Any

import pytest

from journal_exporter.config import (
    FIELDS,
    Settings,
    default_text,
    flag,
    load,
    shown,
    variable,
)
from journal_exporter.errors import ConfigError
from journal_exporter.setting_values import address

OTHERS = {"PATH": "/bin", "HOME": "/root", "JOURNAL_EXPORTERX": "x", "XJOURNAL_EXPORTER_OUTPUT": ""}


Raw = str | list[str] | bool


def settings(environ: dict[str, str] | None = None, /, **flags: Raw) -> Settings:
    return load(flags, OTHERS | (environ or {})).settings


def problems(environ: dict[str, str] | None = None, /, **flags: Raw) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        load(flags, environ or {})
    assert all("\n" not in problem for problem in caught.value.problems)
    return caught.value.problems


def raw(name: str, text: str) -> dict[str, Raw]:
    """Return a flag as the command line hands it over."""
    return {name: [text] if isinstance(FIELDS[name].default, tuple) else text}


def test_without_flags_and_variables_the_defaults_apply() -> None:
    loaded = load({}, OTHERS)
    assert loaded.settings == Settings()
    assert loaded.given == frozenset()


def test_the_defaults() -> None:
    found = Settings()
    assert found.output == Path("/var/log/messages")
    assert (found.start, found.format, found.max_priority) == ("boot", "rfc3339", "info")
    assert found.exclude_facility == ("mail", "cron", "authpriv")
    assert (found.max_bytes, found.keep_files, found.keep_bytes) == (50 << 20, 5, 0)
    assert (found.max_age, found.rotation_settle_s, found.rotation_interval_s) == (0, 5, 1)
    assert (found.metrics_address, found.once) == (":9465", False)
    assert (found.log_level, found.log_format) == ("info", "text")


def test_a_flag_wins_over_a_variable_and_a_variable_over_the_default() -> None:
    environ = {"JOURNAL_EXPORTER_KEEP_FILES": "3"}
    assert settings().keep_files == 5
    assert settings(environ).keep_files == 3
    assert settings(environ, keep_files="7").keep_files == 7


def test_settings_that_were_given_are_known_even_with_the_default_value() -> None:
    loaded = load({"format": "json"}, {"JOURNAL_EXPORTER_KEEP_FILES": "5"})
    assert loaded.given == {"format", "keep_files"}


def test_a_variable_that_a_flag_overrides_is_not_checked() -> None:
    assert settings({"JOURNAL_EXPORTER_KEEP_FILES": "many"}, keep_files="7").keep_files == 7


EXAMPLES: dict[str, tuple[str, Any]] = {
    "journal_root": ("/host", Path("/host")),
    "journal_directory": ("/j", Path("/j")),
    "start": ("tail", "tail"),
    "once": ("true", True),
    "max_deleted_bytes": ("100Mi", 100 << 20),
    "output": ("/o", Path("/o")),
    "state_directory": ("/s", Path("/s")),
    "format": ("json", "json"),
    "max_priority": ("3", "err"),
    "exclude_facility": ("cron, 10", ("cron", "authpriv")),
    "include_unit": ("kube*,a.service", ("kube*", "a.service")),
    "exclude_unit": ("b.service", ("b.service",)),
    "max_bytes": ("1Mi", 1 << 20),
    "max_age": ("24h", 86400.0),
    "keep_files": ("9", 9),
    "keep_bytes": ("1Gi", 1 << 30),
    "rotation_settle_s": ("250ms", 0.25),
    "rotation_interval_s": ("2", 2.0),
    "metrics_address": ("[::1]:80", "[::1]:80"),
    "live_timeout_s": ("1min", 60.0),
    "ready_max_lag_s": ("90", 90.0),
    "log_level": ("debug", "debug"),
    "log_format": ("json", "json"),
}


def test_there_is_an_example_of_every_setting() -> None:
    assert EXAMPLES.keys() == FIELDS.keys()


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_setting_is_a_variable(name: str) -> None:
    text, value = EXAMPLES[name]
    assert getattr(settings({f"JOURNAL_EXPORTER_{name.upper()}": text}), name) == value


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "once"])
def test_every_setting_is_a_flag(name: str) -> None:
    text, value = EXAMPLES[name]
    assert getattr(settings(None, **raw(name, text)), name) == value


@pytest.mark.parametrize("name", FIELDS)
def test_a_setting_has_a_help_and_a_default_that_it_takes(name: str) -> None:
    field = FIELDS[name]
    assert field.metadata["help"].endswith(".")
    text = default_text(name)
    if text and name != "once":
        assert getattr(settings({variable(name): text}), name) == field.default
    assert flag(name).startswith("--")


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("1", True), ("YES", True), ("false", False), ("0", False), ("", False)],
)
def test_a_switch_may_be_a_variable(text: str, *, value: bool) -> None:
    assert settings({"JOURNAL_EXPORTER_ONCE": text}).once is value


def test_a_switch_as_a_flag_wins() -> None:
    assert settings({"JOURNAL_EXPORTER_ONCE": "false"}, once=True).once
    assert settings({"JOURNAL_EXPORTER_ONCE": "true"}, once=False).once


def test_a_repeated_flag_adds_to_itself_and_replaces_the_default() -> None:
    assert settings(exclude_facility=["cron", "mail,kern"]).exclude_facility == (
        "cron", "mail", "kern",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["none", ""])
def test_a_list_may_be_emptied(text: str) -> None:
    assert settings(exclude_facility=[text]).exclude_facility == ()
    assert settings({"JOURNAL_EXPORTER_EXCLUDE_FACILITY": text}).exclude_facility == ()


def test_an_empty_address_disables_the_metrics() -> None:
    loaded = load({}, {"JOURNAL_EXPORTER_METRICS_ADDRESS": ""})
    assert loaded.settings.metrics_address == ""
    assert loaded.given == {"metrics_address"}


def test_the_limits_themselves_are_good() -> None:
    assert settings(max_bytes="4096", keep_files="1").keep_files == 1
    assert settings(max_bytes="4Ki", keep_files="9").max_bytes == 4096


@pytest.mark.parametrize(
    ("name", "text"),
    [("max_bytes", "50Mi"), ("keep_bytes", "0"), ("max_age", "0"), ("rotation_settle_s", "5"),
     ("exclude_facility", "mail,cron,authpriv"), ("include_unit", ""), ("journal_root", ""),
     ("once", "")],
)  # fmt: skip
def test_a_default_is_written_as_users_write_it(name: str, text: str) -> None:
    assert default_text(name) == text


def test_paths_are_absolute() -> None:
    assert settings(output="messages").output == Path.cwd() / "messages"


def test_every_problem_is_reported_at_once() -> None:
    found = problems(
        {"JOURNAL_EXPORTER_OUTPT": "/o", "JOURNAL_EXPORTER_FORMAT": "xml"},
        keep_files="0", journal_root="/a", journal_directory="/b",
    )  # fmt: skip
    assert len(found) == 4
    for part in (
        "OUTPT",
        "FORMAT: xml",
        "--keep-files: 0",
        "--journal-root and --journal-directory",
    ):
        assert sum(part in problem for problem in found) == 1


def test_an_unknown_variable_is_an_error_with_the_likely_name() -> None:
    (problem,) = problems({"JOURNAL_EXPORTER_KEEP_FILE": "3"})
    assert problem == (
        "JOURNAL_EXPORTER_KEEP_FILE: unknown setting; did you mean JOURNAL_EXPORTER_KEEP_FILES?"
    )


@pytest.mark.parametrize(
    "name",
    ["JOURNAL_EXPORTER_XYZZY_PLUGH_QUUX", "JOURNAL_EXPORTER_", "JOURNAL_EXPORTER_COLOUR"],
)
def test_an_unknown_variable_is_an_error(name: str) -> None:
    (problem,) = problems({name: ""})
    assert problem == f"{name}: unknown setting; unset the variable"


@pytest.mark.parametrize(
    "rest",
    ["SERVICE_HOST", "SERVICE_PORT", "SERVICE_PORT_METRICS", "PORT", "PORT_9465_TCP",
     "PORT_9465_TCP_ADDR", "PORT_9465_TCP_PROTO"],
)  # fmt: skip
def test_variables_that_kubernetes_sets_for_a_service_of_this_name_are_accepted(rest: str) -> None:
    assert settings({f"JOURNAL_EXPORTER_{rest}": "10.0.0.1"}) == Settings()


@pytest.mark.parametrize("rest", ["SERVICE", "SERVICE_HOSTS", "PORTS", "PORT_9465", "PORT_X_TCP"])
def test_similar_variables_that_kubernetes_does_not_set_are_errors(rest: str) -> None:
    assert len(problems({f"JOURNAL_EXPORTER_{rest}": "x"})) == 1


def test_one_journal_is_read_however_it_is_named() -> None:
    environ = {"JOURNAL_EXPORTER_JOURNAL_ROOT": "/a"}
    (problem,) = problems(environ, journal_directory="/b")
    assert "exclude each other; remove one" in problem


@pytest.mark.parametrize(("keep", "good"), [("0", True), ("50Mi", True), ("49Mi", False)])
def test_the_total_size_has_room_for_one_file(keep: str, *, good: bool) -> None:
    if good:
        settings(keep_bytes=keep, max_bytes="50Mi")
    else:
        (problem,) = problems(keep_bytes=keep, max_bytes="50Mi")
        assert "--keep-bytes: 49Mi is below --max-bytes (50Mi)" in problem


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", None),
        (":9465", ("", 9465)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("localhost:65535", ("localhost", 65535)),
        ("[::1]:80", ("::1", 80)),
        ("[::]:80", ("::", 80)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, expected: tuple[str, int] | None) -> None:
    assert address(text) == expected


def test_the_settings_can_be_shown_as_json() -> None:
    found = shown(settings(output="/o", include_unit=["a,b"]))
    assert found.keys() == FIELDS.keys()
    assert json.loads(json.dumps(found))["output"] == "/o"
    assert found["journal_root"] is None
