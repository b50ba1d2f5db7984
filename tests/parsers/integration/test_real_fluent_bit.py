"""A real Fluent Bit and the kit: which configurations start, and that a converted one does the same."""

import itertools
import json
import subprocess
import threading
from pathlib import Path

import pytest

from node_observability.errors import UsageError
from node_observability.parsers.configuration.to_classic import to_classic
from node_observability.parsers.configuration.to_yaml import to_yaml
from node_observability.parsers.lint.plugins import plugins
from tests.support.configurations import REFUSED, STARTS, TAIL
from tests.support.fluentbit import need_fluent_bit, starts
from tests.support.layouts import LAYOUTS
from tests.support.parsers import Write, definitions_of

# Variables and plugins that not every build has.
OF_THE_PLACE = ("${", "wasm", "exec_wasi")
MULTILINE = "[MULTILINE_PARSER]\n    Name m\n    Type regex\n"
RULES = (
    '    Rule "start_state" "/a/" "cont"\n    Rule "cont" "/b/" "cont"\n',
    '    Rule "start_state, cont" /a/ cont\n',
    '    Rule "start_state" "/a/"\n',
    '    Rule "start_state"\n',
    '    Rule "cont" "/a/" "cont"\n',
    '    Rule "start_state" "/a/" "cont"\n',
    '    Rule "start_state" "/(a/" "start_state"\n',
    '    Rule "," "/a/"\n',
)
PARSERS = (
    "[PARSER]\n    Name one\n    Format regex\n    Regex ^(?<n>\\d+) (?<word>.*)$\n    Types n:integer\n",
    f'{MULTILINE}    Rule "start_state" "/^\\d+ \\"?x/" "cont"\n    Rule "cont" "/^ +/" "cont"\n',
)
MAIN = """\
@SET WORD=it's:#"word"
[SERVICE]
    Flush 0.2
    Log_Level error
    Parsers_File one.conf
    Parsers_File two.conf
[INPUT]
    Name tail
    Path x.log
    Tag t
    Read_From_Head On
    multiline.parser m
[FILTER]
    Name parser
    Match t
    Key_Name log
    Parser one
[FILTER]
    Name modify
    Match t
    Add a 1
    Rename a b
    Add a ${WORD}
@INCLUDE more.conf
[OUTPUT]
    Name stdout
    Match new.*
    Format json_lines
    Json_Date_Key false
"""
MORE = """\
[FILTER]
    Name rewrite_tag
    Match t
    Rule $word ^(x|y) new.$1 false
[FILTER]
    Name modify
    Match new.*
    Add last yes
"""
TIMEOUT_S = 60
COUNT = 3
LINES = "1 x one\n two\n2 y three\n3 z four\n4 x five\n"


@pytest.fixture(scope="session")
def fluent_bit() -> str:
    return need_fluent_bit()


@pytest.mark.parametrize("text", [*STARTS, *(text for text, _, _ in REFUSED)])
def test_fluent_bit_starts_with_what_the_kit_accepts_and_nothing_else(
    text: str, fluent_bit: str, write: Write
) -> None:
    if any(word in text for word in OF_THE_PLACE):
        pytest.skip("depends on the environment or the build")
    path = write("a.yaml" if text[0].islower() else "a.conf", text)
    assert starts(fluent_bit, path) == (text in STARTS)


@pytest.mark.parametrize(("text", "problem"), LAYOUTS)
def test_fluent_bit_judges_the_layout_of_a_file_as_the_kit_does(
    text: str, problem: str, fluent_bit: str, write: Write
) -> None:
    path = write("a.yaml" if text[0].islower() else "a.conf", text)
    assert starts(fluent_bit, path) == (not problem)


@pytest.mark.parametrize("rules", RULES)
def test_the_kit_judges_rules_of_multiline_parsers_as_fluent_bit_does(
    rules: str, fluent_bit: str, write: Write
) -> None:
    path = write("m.conf", f"{MULTILINE}{rules}")
    main = write("main.conf", f"[SERVICE]\n    Parsers_File m.conf\n{TAIL}")
    try:
        definitions_of(path)
        is_accepted = True
    except UsageError:
        is_accepted = False
    assert starts(fluent_bit, main) == is_accepted


def records(program: str, path: Path) -> list[str]:
    """Return the records that the configuration prints of ``LINES``, and end Fluent Bit."""
    with subprocess.Popen(
        [program, "-q", "-c", path.name],
        cwd=path.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        watchdog = threading.Timer(TIMEOUT_S, process.kill)
        watchdog.start()
        assert process.stdout is not None
        found = sorted(itertools.islice(process.stdout, COUNT))
        watchdog.cancel()
        process.kill()
    return found


def test_a_converted_configuration_makes_the_same_records(
    fluent_bit: str, write: Write, tmp_path: Path
) -> None:
    write("x.log", LINES)
    for name, text in zip(("one", "two"), PARSERS, strict=True):
        write(f"{name}.conf", text)
    write("more.conf", MORE)
    main = write("main.conf", MAIN)
    expected = records(fluent_bit, main)
    assert [line.count('"last":"yes"') for line in expected] == [1] * COUNT
    write("more.yaml", to_yaml(MORE, "more.conf").text)
    yaml = to_yaml(MAIN, "main.conf").text
    assert records(fluent_bit, write("main.yaml", yaml)) == expected
    for name, text in zip(("one", "two"), PARSERS, strict=True):
        write(f"{name}.yaml", to_yaml(text, f"{name}.conf").text)
        (tmp_path / f"{name}.conf").unlink()
    yaml = yaml.replace("one.conf", "one.yaml").replace("two.conf", "two.yaml")
    assert records(fluent_bit, write("main.yaml", yaml)) == expected
    write("more.conf", to_classic((tmp_path / "more.yaml").read_text(), "more.yaml").text)
    write("main.conf", to_classic(yaml, "main.yaml").text)
    assert records(fluent_bit, main) == expected


def test_the_table_of_plugins_has_the_options_that_fluent_bit_lists(fluent_bit: str) -> None:
    done = subprocess.run([fluent_bit, "-J"], capture_output=True, text=True, check=True)
    listed = json.loads(done.stdout)
    kinds = {"inputs": "input", "filters": "filter", "outputs": "output", "processors": "processor"}
    common = {"host", "port"}
    for (kind, _), entry in plugins().items():
        common |= entry.options.keys() if kind == "common" else set()
    for group, kind in kinds.items():
        for plugin in listed[group]:
            ours = plugins()[kind, plugin["name"]]
            names = {option["name"].lower() for option in plugin["properties"].get("options", [])}
            assert names - common <= ours.options.keys()
            assert ours.options.keys() <= names
