"""``node-observability parsers …``: test, lint, explain, bench and convert Fluent Bit parsers.

Exit codes: 0 done and nothing found, 1 a case failed or a finding is an error, 2 wrong use.
"""

import argparse
import itertools
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from node_observability.errors import UsageError, printable
from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.inputs.files import STDIN, check_readable, read_bytes, read_text
from node_observability.parsers import bench, fluentbit
from node_observability.parsers.cases import files as case_files
from node_observability.parsers.cases.report import failure_text, summary, write_junit
from node_observability.parsers.cases.runner import Outcome, run_all
from node_observability.parsers.cases.update import update
from node_observability.parsers.configuration.conversion import to_classic, to_yaml
from node_observability.parsers.configuration.sections import Configuration, Section
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.explanation import explain
from node_observability.parsers.lint.rules import Finding, lint
from node_observability.parsers.model.definitions import Definitions, build
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.regex.syntax_tree import UnmodelledError

__all__ = ["configure", "run"]

_CONFIG = "fluentbit"
_CASES = "fluentbit/cases"
# Enough to count; more would measure the memory.
_BENCH_LINES = 100_000
_SOURCE_HELP = (
    f"a configuration: a file, a directory, or - for a rendered manifest (default: {_CONFIG})"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their flags."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def command(
        name: str, text: str, act: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        own = commands.add_parser(name, help=text, description=f"{text}.", allow_abbrev=False)
        own.set_defaults(act=act)
        if name != "convert":
            own.add_argument("-c", "--config", default=_CONFIG, metavar="SOURCE", help=_SOURCE_HELP)
        return own

    test = command("test", "run parsers over cases: lines in, fields and times out", _test)
    test.add_argument(
        "cases", nargs="*", type=Path, metavar="CASES", help=f"files or directories ({_CASES})"
    )
    test.add_argument(
        "--update", action="store_true", help="write what came out as what is expected"
    )
    test.add_argument(
        "--junit", type=Path, metavar="FILE", help="write the outcomes as JUnit XML too"
    )
    check = command("lint", "find undefined, duplicate, unreachable and mistyped parsers", _lint)
    check.add_argument("--strict", action="store_true", help="let warnings fail too")
    show = command("explain", "say which parser takes a line, and where the others stop", _explain)
    show.add_argument("line", metavar="LINE", help="the line, or - to read it from standard input")
    speed = command("bench", "measure lines a second for each parser", _bench)
    speed.add_argument(
        "file",
        type=Path,
        metavar="FILE",
        help="a file of log lines; the first 100,000 are used, Fluent Bit reads all",
    )
    speed.add_argument(
        "--seconds", type=float, default=1.0, help="at least this long a parser (default: 1)"
    )
    for own in (show, speed):
        own.add_argument(
            "-p", "--parser", action="append", metavar="NAME", help="only this one; repeatable"
        )
    change = command("convert", "write a configuration file in the other form", _convert)
    change.add_argument("file", type=Path, metavar="FILE", help="a classic or a YAML file")


def run(options: argparse.Namespace) -> int:
    """Run the action.

    Raises:
        UsageError: what was given can't be used.
    """
    code: int = options.act(options)
    return code


def _definitions(source: str) -> list[tuple[Configuration, Definitions]]:
    return [(found, build(found, os.environ)) for found in load(source)]


def _test(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    files = [case_files.read(path) for path in case_files.find(options.cases or [Path(_CASES)])]
    definitions = [found for _, found in _definitions(options.config)]
    outcomes = run_all(files, definitions)
    if options.update:
        if os.environ.get("CI"):
            raise UsageError(
                "--update writes what is expected, and CI only compares; run it by hand"
            )
        for path in update(files, outcomes):
            print(f"written: {printable(str(path))}")
        return SUCCESS
    return _reported(outcomes, options.junit, start)


def _reported(outcomes: Sequence[Outcome], junit: Path | None, start: float) -> int:
    failed = [outcome for outcome in outcomes if outcome.differences]
    for outcome in failed:
        print(failure_text(outcome), end="\n\n")
    seconds = time.perf_counter() - start
    print(summary(outcomes, seconds))
    if junit:
        write_junit(junit, outcomes, seconds)
    return FINDINGS if failed else SUCCESS


def _lint(options: argparse.Namespace) -> int:
    findings: list[Finding] = []
    for configuration, definitions in _definitions(options.config):
        findings += lint(configuration, definitions)
    for finding in sorted(set(findings)):
        print(printable(str(finding)))
    errors = sum(finding.is_error for finding in set(findings))
    warnings = len(set(findings)) - errors
    print(f"{options.config}: {errors} errors, {warnings} warnings")
    return FINDINGS if errors or (options.strict and warnings) else SUCCESS


def _chosen(definitions: Definitions, names: Sequence[str] | None) -> list[Parser]:
    if names:
        return [definitions.parser(name) for name in names]
    if not definitions.parsers:
        raise UsageError(f"{definitions.label}: no parser in it that can be run here")
    return list(definitions.parsers.values())


def _explain(options: argparse.Namespace) -> int:
    if options.line == options.config == STDIN:
        raise UsageError("the line and the configuration can't both come from standard input")
    is_input = options.line == STDIN
    line = read_bytes(STDIN).partition(b"\n")[0] if is_input else os.fsencode(options.line)
    taken = True
    for _, definitions in _definitions(options.config):
        print(f"{printable(definitions.label)}:")
        took, lines = explain(_chosen(definitions, options.parser), line)
        taken = taken and took
        print("\n".join(f"  {printable(text)}" for text in lines))
    return SUCCESS if taken else FINDINGS


def _bench(options: argparse.Namespace) -> int:
    lines, count = _lines_of(options.file)
    configuration, definitions = _definitions(options.config)[0]
    sections = {section.name: section for section in configuration.of("parser")}
    for parser in _chosen(definitions, options.parser):
        try:
            result = bench.measure(
                parser,
                lines,
                at_least_s=options.seconds,
                clock=bench.default_clock,
            )
        except UnmodelledError as error:
            raise UsageError(f"{options.file}: {parser.name} over its lines: {error}") from None
        share = 100 * result.taken / result.lines
        print(
            f"{printable(result.name)}: {result.lines_per_s:,.0f} lines/s of processor time"
            f" ({result.first_lines_per_s:,.0f} in the first pass), {share:.1f} % taken"
        )
        _real(sections[parser.name], options.file, count)
    if fluentbit.binary() is None:
        print("no fluent-bit on the PATH to measure beside it")
    return SUCCESS


def _lines_of(path: Path) -> tuple[list[bytes], int]:
    """Return the first lines of a file, and the number of all."""
    check_readable(path)
    try:
        with path.open("rb") as file:
            lines = list(itertools.islice(file, _BENCH_LINES))
            count = len(lines) + sum(1 for _ in file)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from None
    if not lines:
        raise UsageError(f"{path}: no line in it")
    return [line.removesuffix(b"\n") for line in lines], count


def _real(section: Section, file: Path, lines: int) -> None:
    program = fluentbit.binary()
    if program is None:
        return
    with_parser = fluentbit.measure(program, section, file)
    name = fluentbit.version(program)
    print(
        f"  {name}: {lines / with_parser.cpu_s:,.0f} lines/s of processor time, reading the file included"
    )


def _convert(options: argparse.Namespace) -> int:
    text = read_text(options.file, keep_mark=True)
    is_yaml = options.file.suffix in (".yaml", ".yml")
    print((to_classic if is_yaml else to_yaml)(text, str(options.file)), end="")
    return SUCCESS
