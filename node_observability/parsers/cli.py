"""``node-observability parsers …``: test, lint, explain, bench and convert Fluent Bit parsers.

Exit codes: 0 success; 1 a case failed, a finding of the lint is an error (wrong syntax is one), or no parser
matches a line; 2 wrong usage or unreadable input.
"""

import argparse
import itertools
import math
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from node_observability.errors import MalformedError, UsageError, printable
from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.inputs.files import (
    STDIN,
    check_readable,
    file_name,
    file_path,
    label,
    read_bytes,
    read_text,
)
from node_observability.outputs import STDOUT, write_text
from node_observability.parsers import bench, fluentbit
from node_observability.parsers.cases import files as case_files
from node_observability.parsers.cases.report import failure_text, summary, write_junit
from node_observability.parsers.cases.runner import Outcome, run_all
from node_observability.parsers.cases.update import update
from node_observability.parsers.configuration.loading import find_beside, is_classic
from node_observability.parsers.configuration.sections import Configuration
from node_observability.parsers.configuration.sources import load
from node_observability.parsers.configuration.to_classic import to_classic
from node_observability.parsers.configuration.to_yaml import to_yaml
from node_observability.parsers.explanation import explain
from node_observability.parsers.lint.rules import lint
from node_observability.parsers.model.definitions import Definitions, build
from node_observability.parsers.model.parser import Parser
from node_observability.parsers.regex.syntax_tree import UnsupportedError

__all__ = ["configure", "run"]

_CONFIG = "fluentbit"
_CASES = "fluentbit/cases"
_PACKAGED = Path(str(resources.files("node_observability") / "fluentbit"))
# Enough for a stable figure; with more lines, the memory would be measured.
_MAX_BENCH_LINES = 100_000
_CONFIG_HELP = (
    "the Fluent Bit configuration, classic or YAML: a file, a directory, or - for a rendered"
    f" Kubernetes manifest on standard input (default: {_CONFIG}, or the project's own parsers)"
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands and their flags."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)

    def add(
        name: str, text: str, action: Callable[[argparse.Namespace], int]
    ) -> argparse.ArgumentParser:
        description = f"{text[0].upper()}{text[1:]}."
        command = commands.add_parser(name, help=text, description=description, allow_abbrev=False)
        command.set_defaults(run_action=action)
        if name != "convert":
            command.add_argument(
                "-c", "--config", type=file_name, metavar="SOURCE", help=_CONFIG_HELP
            )
        return command

    test = add("test", "run parsers over sample lines and compare the records", _test)
    test.add_argument(
        "cases",
        nargs="*",
        type=file_path,
        metavar="CASES",
        help=f"case files, or directories of case files (default: {_CASES}, or the project's own)",
    )
    test.add_argument(
        "--update",
        action="store_true",
        help="write the actual records into the case files as the expected ones",
    )
    test.add_argument(
        "--junit",
        type=file_name,
        metavar="FILE",
        help="also write a JUnit XML report; with - it is all that goes to standard output",
    )
    check = add(
        "lint", "find mistakes in a configuration that Fluent Bit ignores or fails on", _lint
    )
    check.add_argument("--strict", action="store_true", help="exit with 1 on warnings too")
    show = add("explain", "show which parser matches a line, and where the others stop", _explain)
    show.add_argument("line", metavar="LINE", help="the line, or - to read it from standard input")
    speed = add("bench", "measure how many lines per second each parser reads", _bench)
    speed.add_argument(
        "file",
        type=file_name,
        metavar="FILE",
        help="a file of log lines: the first 100,000 are used; a fluent-bit on the PATH reads all;"
        " - is standard input, which only the kit reads",
    )
    speed.add_argument(
        "--seconds",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help="minimum duration of each parser's measurement (default: 1)",
    )
    for command in (show, speed):
        command.add_argument(
            "-p",
            "--parser",
            action="append",
            metavar="NAME",
            help="use only this parser; repeatable",
        )
    change = add("convert", "print a configuration file in the other format", _convert)
    change.add_argument(
        "file",
        type=file_name,
        metavar="FILE",
        help="a YAML file (*.yaml, *.yml), or a file in the classic format; - is standard input",
    )


def run(options: argparse.Namespace) -> int:
    """Run the action; return the exit code.

    Raises:
        UsageError: wrong usage or unreadable input.
    """
    if getattr(options, "config", "") is None:
        options.config = _default_config()
    code: int = options.run_action(options)
    return code


def _default_config() -> str:
    """Return the directory of the current one or, if there is none, that of the package."""
    return _CONFIG if Path(_CONFIG).exists() else str(_PACKAGED)


def _default_cases(config: str) -> Path:
    """Return the cases of the package for its own configuration, else those of the current directory."""
    return _PACKAGED / "cases" if config == str(_PACKAGED) else Path(_CASES)


def _definitions(source: str) -> list[tuple[Configuration, Definitions]]:
    return [(found, build(found, os.environ)) for found in load(source)]


def _test(options: argparse.Namespace) -> int:
    start = time.perf_counter()
    named = options.cases or [_default_cases(options.config)]
    if options.update and any(path.is_relative_to(_PACKAGED) for path in named):
        raise UsageError("--update: does not change the project's own cases; name your case files")
    files = [case_files.read(path) for path in case_files.find(named)]
    definitions = [found for _, found in _definitions(options.config)]
    outcomes = run_all(files, definitions)
    if options.update:
        if os.environ.get("CI"):
            raise UsageError("--update: not allowed in CI; run it locally and commit the files")
        for path in update(files, outcomes):
            print(f"updated: {printable(str(path))}")
        return SUCCESS
    return _report(outcomes, options.junit, start)


def _report(outcomes: Sequence[Outcome], junit: str | None, start: float) -> int:
    failed = [outcome for outcome in outcomes if outcome.differences]
    seconds = time.perf_counter() - start
    if junit != STDOUT:
        for outcome in failed:
            print(failure_text(outcome), end="\n\n")
        print(summary(outcomes, seconds))
    if junit:
        write_junit(junit, outcomes, seconds)
    return FINDINGS if failed else SUCCESS


def _lint(options: argparse.Namespace) -> int:
    try:
        definitions = _definitions(options.config)
    except MalformedError as error:
        # Fluent Bit does not start with it, so nothing else can be found.
        for problem in error.problems:
            print(printable(problem))
        found = f"{printable(label(options.config))}: {len(error.problems)} errors"
        print(f"{found}; Fluent Bit does not start; fix them first")
        return FINDINGS
    findings = {finding for found in definitions for finding in lint(*found)}
    for finding in sorted(findings):
        print(printable(str(finding)))
    errors = sum(finding.is_error for finding in findings)
    warnings = len(findings) - errors
    summary = f"{printable(label(options.config))}: {errors} errors, {warnings} warnings"
    if any(finding.prevents_start for finding in findings):
        summary += "; Fluent Bit does not start"
    print(summary)
    return FINDINGS if errors or (options.strict and warnings) else SUCCESS


def _select_parsers(definitions: Definitions, names: Sequence[str] | None) -> list[Parser]:
    if names:
        return [definitions.parser(name) for name in names]
    if not definitions.parsers:
        raise UsageError(f"{definitions.label}: has no parser that is supported")
    return list(definitions.parsers.values())


def _explain(options: argparse.Namespace) -> int:
    if options.line == options.config == STDIN:
        raise UsageError("LINE and --config can't both be -, standard input")
    is_input = options.line == STDIN
    line = read_bytes(STDIN).partition(b"\n")[0] if is_input else os.fsencode(options.line)
    is_matched = True
    for _, definitions in _definitions(options.config):
        is_matched_here, lines = explain(_select_parsers(definitions, options.parser), line)
        is_matched = is_matched and is_matched_here
        print("\n  ".join(map(printable, [f"{definitions.label}:", *lines])))
    return SUCCESS if is_matched else FINDINGS


def _bench(options: argparse.Namespace) -> int:
    if not 0 <= options.seconds < math.inf:
        raise UsageError(f"--seconds: {options.seconds} is not valid; use a number from 0 up")
    if options.file == options.config == STDIN:
        raise UsageError("FILE and --config can't both be -, standard input")
    lines, count = _read_lines(options.file)
    configuration, definitions = _definitions(options.config)[0]
    sections = {section.place: section for section in configuration.sections_of("parser")}
    program = None if options.file == STDIN else fluentbit.find()
    for parser in _select_parsers(definitions, options.parser):
        try:
            result = bench.measure(
                parser, lines, at_least_s=options.seconds, clock=time.process_time
            )
        except UnsupportedError as error:
            raise UsageError(f"{label(options.file)}: can't run {parser.name}: {error}") from None
        share = 100 * result.matched / result.lines
        print(
            f"{printable(result.name)}: {result.lines_per_s:,.0f} lines/s of processor time"
            f" ({result.first_lines_per_s:,.0f} in the first pass), {share:.1f} % matched"
        )
        if program:
            section = sections[definitions.places[parser.name]]
            cpu_s = fluentbit.cpu_seconds(program, section, Path(options.file))
            print(
                f"  {fluentbit.version(program)}: {count / cpu_s:,.0f} lines/s of processor time,"
                " including reading the file"
            )
    if not program and options.file != STDIN:
        print("no fluent-bit on the PATH to compare with")
    return SUCCESS


def _read_lines(name: str) -> tuple[list[bytes], int]:
    """Return the first lines of a file or of standard input, and the number of all lines."""
    if name == STDIN:
        lines = read_bytes(STDIN).splitlines(keepends=True)
        return _without_ends(lines[:_MAX_BENCH_LINES], name), len(lines)
    path = Path(name)
    check_readable(path)
    try:
        with path.open("rb") as file:
            lines = list(itertools.islice(file, _MAX_BENCH_LINES))
            count = len(lines) + sum(1 for _ in file)
    except OSError as error:
        raise UsageError(f"{path}: can't be read: {error.strerror}") from None
    return _without_ends(lines, name), count


def _without_ends(lines: Sequence[bytes], name: str) -> list[bytes]:
    if not lines:
        raise UsageError(f"{label(name)}: is empty; give a file of log lines")
    return [line.removesuffix(b"\n") for line in lines]


def _convert(options: argparse.Namespace) -> int:
    text = read_text(options.file, keep_mark=True, keep_returns=True)
    name = label(options.file)
    is_yaml = options.file.endswith((".yaml", ".yml"))
    if options.file == STDIN:
        is_yaml = not is_classic(text)
    converted = (
        to_classic(text, name) if is_yaml else to_yaml(text, name, find_beside(Path(options.file)))
    )
    if not converted.text.strip():
        raise UsageError(f"{name}: has nothing to convert; name a Fluent Bit configuration")
    write_text(STDOUT, converted.text)
    for old, new in converted.includes:
        note = f"{name}: also convert {old} to {new}, which the result includes"
        print(printable(note), file=sys.stderr)
    return SUCCESS
