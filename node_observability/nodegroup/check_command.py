"""``node-observability nodegroup check``: user data, descriptions, and the chart's values beside them."""

import argparse
from collections.abc import Iterable

from node_observability.errors import UsageError, printable
from node_observability.inputs.files import read_bytes, read_text
from node_observability.inputs.nodes import Taint
from node_observability.nodegroup import chart_values, check_user_data, files, render
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.load import Described, read_description
from node_observability.nodegroup.rules.targets import TARGETS
from node_observability.nodegroup.schema.problem import Problem

_YAML = (".yaml", ".yml")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--target",
        action="append",
        choices=TARGETS,
        default=[],
        help="what it drops or rejects is an error (may be repeated); without, all are told about",
    )
    parser.add_argument(
        "--chart-values",
        metavar="FILE",
        help="values of the chart: compare its selection and tolerations with label and taint",
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="user data (TOML, or gzip of it; - is standard input), or a description (.yaml)",
    )


def run(options: argparse.Namespace) -> int:
    """Judge the files; every problem is one line."""
    chart = _chart(options.chart_values)
    errors: list[str] = []
    for name in options.files:
        check_file = _check_description if name.endswith(_YAML) else _check_user_data
        try:
            errors += check_file(name, options.target, chart)
        except UsageError as error:
            # One that can't be read keeps nothing back of the others.
            errors += error.problems
    if errors:
        raise UsageError(*errors)
    return 0


def _check_description(
    name: str, targets: list[str], chart: chart_values.Selection | None
) -> list[str]:
    one = read_description(name)
    for line in one.warnings():
        files.warn(line)
    found = {target: cannot(target, one) for target in targets or TARGETS}
    able = [target for target, lines in found.items() if not lines]
    lines = [line for told in found.values() for line in told]
    errors = lines if targets else []
    if not targets:
        _say(lines)
        if not able:
            errors.append(f"{name}: no target can render it; each has said above what it wants")
    errors += _compared(name, chart, dict(one.group.labels), list(one.group.taints))
    if not errors:
        _say([f"{name}: a node group that can be rendered for {', '.join(able)}"])
    return errors


def cannot(target: str, one: Described) -> list[str]:
    """Return why a target can't render a node group, each with its place and the target's name."""
    problems = [
        Problem(problem.path, f"{target}: {problem.text.removeprefix(f'{target}: ')}")
        for problem in render.losses(target, one.group, one.tree)
    ]
    return [*one.at(problems), *too_large(target, one)]


def too_large(target: str, one: Described) -> list[str]:
    """Return the one problem of user data that EC2 would not take, if it is one."""
    size = render.user_data_bytes(target, one.group, one.tree)
    if size <= LIMIT_BYTES:
        return []
    return [f"{one.name}: {target}: user data of {size} bytes, more than EC2 takes ({LIMIT_BYTES})"]


def _check_user_data(
    name: str, targets: list[str], chart: chart_values.Selection | None
) -> list[str]:
    report = check_user_data.check(read_bytes(name, check_user_data.MAX_BYTES))
    errors = [_located(name, finding) for finding in report.errors]
    for finding in report.warnings:
        files.warn(_located(name, finding))
    if errors:
        return errors

    # Nodes of one's own lack what others fill in: no news, unless they are asked for.
    asked = targets or [target for target in TARGETS if target != "user-data"]
    told: dict[bool, list[str]] = {True: [], False: []}
    for target in asked:
        for effect, line in check_user_data.target_effects(report, target):
            place = f"{name}:{line}" if line else name
            text = f"{place}: {effect.path_text}: {target}: {effect.text}"
            told[bool(targets) and effect.loses].append(text)
    _say(told[False])
    errors = told[True]
    errors += _compared(name, chart, *check_user_data.labels_and_taints(report.settings))
    if not errors:
        _say([f"{name}: valid user data, {report.size_bytes} of {LIMIT_BYTES} bytes"])
    return errors


def _say(lines: Iterable[str]) -> None:
    for line in dict.fromkeys(lines):
        print(printable(line))


def _compared(
    name: str,
    chart: chart_values.Selection | None,
    labels: dict[str, str],
    taints: list[Taint],
) -> list[str]:
    if chart is None:
        return []
    return [f"{name}: {one.text}" for one in chart_values.differences(chart, labels, taints)]


def _chart(name: str | None) -> chart_values.Selection | None:
    if name is None:
        return None
    text = read_text(name, yaml_document.MAX_BYTES)
    document = yaml_document.read(text, name, old_numbers=True)
    chosen, problems = chart_values.selection(document.data)
    if chosen is None:
        raise UsageError(
            *(f"{name}:{document.line(one.path) or 1}: {one.sentence}" for one in problems)
        )
    return chosen


def _located(name: str, finding: check_user_data.Finding) -> str:
    place = f"{name}:{finding.line}" if finding.line else name
    return f"{place}: {finding.problem.sentence}"
