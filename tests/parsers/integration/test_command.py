"""The command line and the pytest plugin: exit codes, and what they print."""

import re
from pathlib import Path

import pytest

from node_observability.parsers.bench import measure
from tests.support.parsers import CASES, CONFIGURATION, Command, Write, cri
from tests.support.paths import ROOT

pytest_plugins = ["pytester"]


def test_cases_are_run_and_counted(project: Path) -> None:
    done = Command(project, "test", "--junit", "out.xml")
    assert done.code == 0
    assert done.out.startswith("6 cases in 1 files, 1 configurations, 6 checks: all passed")
    assert (project / "out.xml").read_bytes().startswith(b"<?xml")


def test_a_failed_case_is_exit_1_until_it_is_updated(project: Path) -> None:
    path = project / "fluentbit" / "cases" / "p.yaml"
    path.write_text(CASES.replace("log: hello", "log: x"))
    done = Command(project, "test")
    assert done.code == 1
    assert done.out.startswith("FAIL fluentbit/cases/p.yaml:5 right [fluentbit (classic)]")
    assert Command(project, "test", "--update").out == "updated: fluentbit/cases/p.yaml\n"
    assert Command(project, "test").code == 0


def test_ci_does_not_update(project: Path) -> None:
    done = Command(project, "test", "--update", ci="1")
    assert done.code == 2
    assert "--update: not allowed in CI" in done.err
    assert (project / "fluentbit" / "cases" / "p.yaml").read_text() == CASES


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ("test none.yaml", "none.yaml: can't be read: No such file or directory"),
        ("test --junit no/out.xml", "no/out.xml: can't be written: No such file or directory"),
        ("test -c none.conf", "none.conf: can't be read: No such file or directory"),
        ("explain x -c -", "standard input: is not UTF-8 (byte 4)"),
        ("explain - -c -", "LINE and --config can't both be -, standard input"),
        ("explain x -p q", "fluentbit (classic): unknown parser q; defined: j, p"),
        ("bench none.log", "none.log: can't be read: No such file or directory"),
        ("bench empty.log", "empty.log: is empty; give a file of log lines"),
        ("bench empty.log --seconds nan", "--seconds: nan is not valid; use a number from 0 up"),
        ("convert empty.log", "empty.log: has nothing to convert; name a Fluent Bit configuration"),
        ("convert none.conf", "none.conf: can't be read: No such file or directory"),
    ],
)
def test_wrong_usage_and_unreadable_input_are_exit_2_and_one_line(
    arguments: str, error: str, project: Path, write: Write
) -> None:
    write("empty.log", "")
    done = Command(project, *arguments.split(), stdin=b"a: \xff\n")
    assert (done.code, done.err) == (2, f"node-observability parsers: {error}\n")


def test_findings_are_printed_and_errors_are_exit_1(project: Path, write: Write) -> None:
    done = Command(project, "lint")
    assert (done.code, done.out) == (0, "fluentbit: 0 errors, 0 warnings\n")
    write("fluentbit/b.conf", "[INPUT]\n    Name tail\n    Path x\n    Parser pp\n")
    done = Command(project, "lint")
    assert done.code == 1
    assert "fluentbit/b.conf:4: error: the parser pp is not defined: Fluent Bit logs" in done.out
    assert done.out.endswith("fluentbit: 1 errors, 2 warnings\n")


def test_warnings_are_exit_1_only_with_strict(project: Path, write: Write) -> None:
    write("fluentbit/b.conf", "[INPUT]\n    Name tail\n    Path x\n    Parser p\n")
    done = Command(project, "lint")
    assert (done.code, done.out.splitlines()[-1]) == (0, "fluentbit: 0 errors, 1 warnings")
    assert Command(project, "lint", "--strict").code == 1


def test_the_summary_names_standard_input(project: Path) -> None:
    manifest = (
        "{apiVersion: v1, kind: ConfigMap, metadata: {name: a},"
        " data: {a.yaml: 'parsers: [{name: q, format: json}]'}}"
    )
    done = Command(project, "lint", "-c", "-", stdin=manifest.encode())
    assert done.out == "standard input: 0 errors, 0 warnings\n"


def test_a_line_is_explained(project: Path) -> None:
    done = Command(project, "explain", "2016-10-06T00:17:09.5Z hello")
    assert done.code == 0
    assert "  p matches\n    time: 2016-10-06T00:17:09.500000000Z\n" in done.out
    assert Command(project, "explain", "-p", "j", "x").code == 1
    assert Command(project, "explain", "-p", "p", "-", stdin=b"x\xff y\nmore").code == 0


def test_speed_is_measured_beside_a_fluent_bit_if_there_is_one(project: Path, write: Write) -> None:
    write("x.log", "2016-10-06T00:17:09.5Z hello\nx\n")
    bench = ("bench", "x.log", "-p", "p", "--seconds", "0")
    done = Command(project, *bench)
    assert done.code == 0
    assert ", 50.0 % matched\nno fluent-bit on the PATH" in done.out
    program = write("fluent-bit", "#!/bin/sh\necho Fluent Bit v5.1.1\n")
    program.chmod(0o755)
    assert "\n  Fluent Bit v5.1.1: " in Command(project, *bench).out
    program.write_text("#!/bin/sh\necho no memory >&2\nexit 3\n")
    failed = f"node-observability parsers: {program} failed with exit code 3: no memory\n"
    done = Command(project, *bench)
    assert (done.code, done.err) == (2, failed)


def test_a_line_that_a_pattern_can_not_be_run_over_is_reported(project: Path, write: Write) -> None:
    write("u.conf", "[PARSER]\n    Name u\n    Format regex\n    Regex (?<a>[[:alpha:]]+)\n")
    write("u.log", "é\n")
    write("u.yaml", "parser: u\ncases:\n- {name: a, line: é}\n")
    where = "this part depends on Unicode properties; it is supported for ASCII lines only"
    where += " (at character 6 of the pattern)"
    done = Command(project, "test", "-c", "u.conf", "u.yaml")
    assert done.err.endswith(f"parsers: u.yaml:3: a: can't run u: {where}\n")
    done = Command(project, "bench", "-c", "u.conf", "u.log")
    assert done.err.endswith(f"u.log: can't run u: {where}\n")
    done = Command(project, "explain", "-c", "u.conf", "é")
    assert (done.code, done.err) == (1, "")
    assert f"u can't be run over this line: {where}" in done.out


def test_the_fastest_pass_counts() -> None:
    ticks = iter([0.0, 0.0, 3.0, 3.0, 4.0])
    result = measure(cri(), [b"x", b"y"], at_least_s=4.0, clock=lambda: next(ticks))
    assert (result.lines, result.matched, result.best_s, result.lines_per_s) == (2, 0, 1.0, 2.0)
    assert (result.first_s, result.first_lines_per_s) == (3.0, 2 / 3)


def test_a_file_is_converted(project: Path) -> None:
    assert Command(project, "convert", "fluentbit/a.conf").out.startswith("parsers:\n  - name: p\n")


def test_conversion_names_the_files_that_must_be_converted_too(project: Path, write: Write) -> None:
    write("main.conf", "@INCLUDE more.conf\n[SERVICE]\n    Flush 1\n")
    write("more.conf", "[INPUT]\n    Name dummy\n")
    done = Command(project, "convert", "main.conf")
    assert (done.code, done.out) == (0, "includes:\n  - more.yaml\nservice:\n  flush: 1\n")
    assert done.err == "main.conf: also convert more.conf to more.yaml, which the result includes\n"
    write("more.conf", "[SERVICE]\n    Grace 1\n")
    done = Command(project, "convert", "main.conf")
    assert (done.code, done.out) == (2, "")
    assert "more.conf:1: a second [SERVICE] beside main.conf:2" in done.err


def test_lint_says_whether_fluent_bit_starts(project: Path, write: Write) -> None:
    write("fluentbit/b.conf", "[INPUT]\n    Name tail\n    Path x\n    Parser p\n    Pth y\n")
    done = Command(project, "lint")
    assert done.code == 1
    assert done.out.endswith("fluentbit: 1 errors, 1 warnings; Fluent Bit does not start\n")


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    made = tmp_path / "empty"
    made.mkdir()
    return made


def test_without_a_configuration_the_projects_own_parsers_and_cases_are_used(empty: Path) -> None:
    done = Command(empty, "test")
    assert done.code == 0
    cases = len([*(ROOT / "fluentbit/cases").rglob("*.yaml")])
    assert re.match(
        rf"\d+ cases in {cases} files, 2 configurations, \d+ checks: all passed", done.out
    )
    done = Command(empty, "explain", "-p", "nodeobs_cri", "2016-10-06T00:17:09.5Z stdout F hello")
    assert (done.code, "nodeobs_cri matches" in done.out) == (0, True)
    done = Command(empty, "lint")
    assert (done.code, " 0 errors, " in done.out) == (0, True)


def test_cases_of_another_configuration_have_no_default_in_the_package(
    empty: Path, write: Write
) -> None:
    configuration = write("a.conf", CONFIGURATION)
    done = Command(empty, "test", "-c", str(configuration))
    assert done.code == 2
    assert "fluentbit/cases: can't be read: No such file or directory" in done.err


def test_the_projects_own_cases_are_not_updated(empty: Path) -> None:
    done = Command(empty, "test", "--update")
    assert done.code == 2
    assert "--update: does not change the project's own cases; name your case files" in done.err


@pytest.fixture
def cases_here(pytester: pytest.Pytester) -> Path:
    cases = pytester.path / "fluentbit" / "cases"
    cases.mkdir(parents=True)
    (pytester.path / "fluentbit" / "a.conf").write_text(CONFIGURATION)
    return cases


PLUGIN = ("-p", "node_observability.parsers.pytest_plugin", "-p", "no:cacheprovider")


@pytest.mark.parametrize(
    ("cases", "passed", "failed"), [(CASES, 6, 0), (CASES.replace("log: hello", "log: x"), 4, 2)]
)
def test_the_plugin_collects_cases(
    cases: str, passed: int, failed: int, pytester: pytest.Pytester, cases_here: Path
) -> None:
    (cases_here / "p.yaml").write_text(cases)
    pytester.makepyfile("def test_it(fluentbit_parsers): assert fluentbit_parsers[0].parser('p')")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(passed=passed + 1, failed=failed)
    if failed:
        result.stdout.fnmatch_lines(["*- fields.log: 'x'"])


def test_the_plugin_reports_a_wrong_case_file(pytester: pytest.Pytester, cases_here: Path) -> None:
    (cases_here / "p.yaml").write_text("parser: p\ncasez: []\n")
    result = pytester.runpytest_inprocess(*PLUGIN)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["*p.yaml:2: unknown key casez of a case file; did you mean cases?"]
    )


@pytest.mark.parametrize("option", ["--fluentbit-cases", "--fluentbit-config"])
def test_the_plugin_refuses_a_path_that_does_not_exist(
    option: str, pytester: pytest.Pytester, cases_here: Path
) -> None:
    (cases_here / "p.yaml").write_text(CASES)
    result = pytester.runpytest_inprocess(*PLUGIN, option, "nope")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: {option}: nope: No such file or directory"])
