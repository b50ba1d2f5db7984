"""The catalogue of log patterns: what is refused, and the line that the error names."""

from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.zabbix.template import catalogue, render
from node_observability.zabbix.template.identities import Identities

GOOD = """patterns:
  - id: disk
    name: Disk
    severity: high
    regex: "disk [0-9]+ failed"
    description: A disk failed.
    matches: ["node kernel: disk 7 failed"]
    not_matches: ["node kernel: disk seven failed"]
"""


def test_all_keys_of_a_pattern_are_read() -> None:
    (pattern,) = catalogue.parse(GOOD + "    threshold: 3\n    period: 2m\n", "c.yaml")
    assert (pattern.id, pattern.threshold, pattern.period) == ("disk", 3, "2m")
    assert pattern.matches == ("node kernel: disk 7 failed",)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "severity: high",
            "severity: hi",
            "c.yaml:4: severity `hi` must be one of information, warning",
        ),
        ("    name:", "    nmae:", "c.yaml:3: unknown key `nmae`; known are id, name"),
        ("[0-9]+", "([0-9]+", "c.yaml:5: the regex does not compile"),
        ("[0-9]+", "\\\\d+", "c.yaml:5: a regex must not contain a backslash"),
        ("[0-9]+", "{$X}", "c.yaml:5: `{$` and `{#` begin a macro"),
        ("[0-9]+", "[[]0]", "c.yaml:5: the regex does not compile (Possible nested set"),
        (
            "disk 7",
            "disk x",
            "c.yaml:7: the regex must match this line, but does not: `node kernel: disk x failed`",
        ),
        ("disk seven", "disk 8", "c.yaml:8: the regex must not match this line, but does"),
        ("id: disk", "id: Disk", "c.yaml:2: id `Disk` must be words"),
        ("id: disk", "id: disk\n    threshold: 0", "c.yaml:3: threshold `0` must be"),
        (
            "id: disk",
            "id: disk\n    period: 5s",
            "c.yaml:3: period `5s` must be a time of at least 30s",
        ),
        ("    name: Disk", "    name: ''", "c.yaml:3: `name` must be a text"),
        ("    name: Disk", "    name: Disk\n    name: Disk", "c.yaml:4: `name` is given twice"),
        ("patterns:", "pattern:", "c.yaml:1: unknown key `pattern`"),
        ("patterns:", "patterns: [", "not YAML"),
        (
            '["node kernel: disk 7 failed"]',
            '\n      - "node kernel: disk 7 failed"\n      - node kernel: disk 7 failed',
            "c.yaml:9: an entry of `matches` is not a text; put the line in quotes",
        ),
        ("    name: Disk", "    name: Disk\n    ? [a]\n    : b", "c.yaml:4: unknown key `["),
        ("id: disk", "id: disk\x01", "c.yaml:2: not YAML: the character U+0001 is not allowed"),
        (GOOD, "patterns: []", "c.yaml:1: no patterns"),
        (GOOD, "patterns: [7]", "c.yaml:1: a pattern must be a mapping"),
        (GOOD, "", "c.yaml:1: must be a mapping"),
    ],
)
def test_a_problem_is_reported_with_its_line_and_the_fix(old: str, new: str, problem: str) -> None:
    with pytest.raises(UsageError) as refused:
        catalogue.parse(GOOD.replace(old, new, 1), "c.yaml")
    assert any(problem in text for text in refused.value.problems), refused.value.problems


def test_all_problems_are_reported_at_once() -> None:
    text = GOOD.replace("high", "hi").replace("disk 7", "disk x")
    with pytest.raises(UsageError) as refused:
        catalogue.parse(text, "c.yaml")
    assert len(refused.value.problems) == 2


def test_an_id_that_is_used_twice_is_refused() -> None:
    with pytest.raises(UsageError, match=r"c.yaml:9: id `disk` is used on line 2 too"):
        catalogue.parse(GOOD + GOOD.partition("\n")[2], "c.yaml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"missing[.]yaml"):
        catalogue.load(tmp_path / "missing.yaml")


def test_rendering_a_custom_catalogue_twice_gives_the_same_bytes_and_uuids() -> None:
    patterns = catalogue.parse(GOOD, "c.yaml")
    assert render.render(patterns) == render.render(patterns)


def test_parts_that_are_not_committed_keep_their_uuids_from_release_to_release() -> None:
    # Servers identify the parts of a custom catalogue by these.
    assert Identities.derived("item:nodeobs.log.match[disk]") == "1fadd017ebce4b11bcff44bdeccf56ab"


def test_two_parts_with_the_same_identity_are_a_bug() -> None:
    identities = Identities({})
    identities("item:a")
    with pytest.raises(ValueError, match="two parts of the template have the identity item:a"):
        identities("item:a")


def test_a_pattern_may_have_its_own_threshold_and_period() -> None:
    (pattern,) = catalogue.parse(GOOD + "    threshold: 3\n    period: 2m\n", "c.yaml")
    values = {macro.name: macro.value for macro in render.macros([pattern])}
    assert values['{$NODEOBS.LOG.THRESHOLD:"disk"}'] == "3"
    assert values['{$NODEOBS.LOG.PERIOD:"disk"}'] == "2m"


def test_a_macro_gets_another_value_and_an_unknown_one_is_refused() -> None:
    known = render.macros(())
    changed = render.with_values(
        known, {"{$NODEOBS.LOG.HISTORY}": "31d", '{$NODEOBS.LOG.PERIOD:"x"}': "1h"}
    )
    values = {macro.name: macro.value for macro in changed}
    assert values["{$NODEOBS.LOG.HISTORY}"] == "31d"
    assert values['{$NODEOBS.LOG.PERIOD:"x"}'] == "1h"
    with pytest.raises(UsageError, match="the template has no such macro"):
        render.with_values(known, {"{$NODEOBS.LOG.HISTROY}": "31d"})


@pytest.mark.parametrize(
    ("name", "valid", "wrong", "problem"),
    [
        ("{$NODEOBS.LOG.HISTORY}", "0", "abc", "must be a time such as 30m or 7d"),
        ("{$NODEOBS.LOG.HISTORY}", "{$MY.HISTORY}", "", "must be a time such as 30m or 7d"),
        ("{$NODEOBS.LOG.HISTORY}", "4w", "7d ", "must be a time such as 30m or 7d"),
        ('{$NODEOBS.LOG.PERIOD:"x"}', "3600", "1 h", "must be a time such as 30m or 7d"),
        ("{$CPU.UTIL.CRIT}", "92.5", "90%", "must be a number"),
        ("{$NODEOBS.EXPORTER.PORT}", "19465", "9465.5", "must be a whole number"),
        ("{$NODEOBS.LOG.MODE}", "skip", "none", "must be all or skip"),
        ("{$NODEOBS.LOG.DIR}", "/logs", "logs", "must be an absolute path"),
    ],
)
def test_a_macros_value_is_of_its_kind(name: str, valid: str, wrong: str, problem: str) -> None:
    known = render.macros(())
    changed = render.with_values(known, {name: valid})
    assert {macro.name: macro.value for macro in changed}[name] == valid
    with pytest.raises(UsageError) as refused:
        render.with_values(known, {name: wrong})
    assert refused.value.problems == (f"--macro {name}: `{wrong}` {problem}",)


def test_every_macro_has_a_value_of_its_kind() -> None:
    known = render.macros(())
    assert render.with_values(known, {macro.name: macro.value for macro in known}) == known
    regexes = {macro.name for macro in known if macro.kind == "text"}
    assert regexes == {macro.name for macro in known if macro.name.endswith("MATCHES}")}
