"""The log: one line per event, as text or as JSON."""

import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from journal_exporter import log

Configure = Callable[[str, str], None]
Capture = pytest.CaptureFixture[str]


@pytest.fixture
def configure() -> Iterator[Configure]:
    """``log.configure`` without its effect on the tests after this one."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    yield log.configure
    root.handlers[:] = handlers
    root.setLevel(level)


def fail() -> None:
    raise ValueError("details")


def log_an_error() -> None:
    try:
        fail()
    except ValueError:
        logging.getLogger("test").exception("it failed")


def test_text_has_time_level_and_message(configure: Configure, capsys: Capture) -> None:
    configure("info", "text")
    logging.getLogger("test").warning("%d files", 3)
    shown = capsys.readouterr().err
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ warning: 3 files\n", shown)


def test_json_is_one_object_per_line(configure: Configure, capsys: Capture) -> None:
    configure("info", "json")
    logging.getLogger("a.b").error('two\nlines "%s"', "x")
    logging.getLogger("a.b").info("second")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first.pop("time"))
    assert first == {"level": "error", "logger": "a.b", "message": 'two\nlines "x"'}
    assert second["message"] == "second"


@pytest.mark.parametrize("form", ["text", "json"])
def test_an_exception_is_shown_whole(configure: Configure, capsys: Capture, form: str) -> None:
    configure("info", form)
    log_an_error()
    shown = capsys.readouterr().err
    assert "it failed" in shown
    assert "ValueError: details" in shown
    assert "in log_an_error" in shown


def test_an_exception_in_json_is_on_the_same_line(configure: Configure, capsys: Capture) -> None:
    configure("info", "json")
    log_an_error()
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["exception"].startswith("Traceback")


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", ["debug", "info", "warning", "error"]),
        ("info", ["info", "warning", "error"]),
        ("warning", ["warning", "error"]),
        ("error", ["error"]),
    ],
)
def test_messages_below_the_level_are_not_logged(
    configure: Configure, capsys: Capture, level: str, shown: list[str]
) -> None:
    configure(level, "text")
    for name in ("debug", "info", "warning", "error"):
        logging.getLogger("test").log(getattr(logging, name.upper()), "x")
    assert re.findall(r"Z (\w+): x", capsys.readouterr().err) == shown


def test_configuring_twice_does_not_log_twice(configure: Configure, capsys: Capture) -> None:
    configure("info", "text")
    configure("info", "text")
    logging.getLogger("test").warning("once")
    assert capsys.readouterr().err.count("once") == 1
