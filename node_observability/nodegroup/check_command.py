"""``node-observability nodegroup check``: user data and descriptions, and the chart's values beside them."""

import argparse
from collections.abc import Iterable, Sequence

from node_observability.errors import MalformedError, UsageError, printable
from node_observability.exit_codes import FINDINGS, SUCCESS
from node_observability.inputs.files import file_name, read_bytes, read_text
from node_observability.inputs.nodes import Taint
from node_observability.nodegroup import chart_values, check_user_data, load, messages, render
from node_observability.nodegroup.formats import yaml_document
from node_observability.nodegroup.formats.envelope import LIMIT_BYTES
from node_observability.nodegroup.rules.labels_and_taints import labels_and_taints
from node_observability.nodegroup.rules.targets import TARGETS

_YAML = (".yaml", ".yml")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the flags."""
    parser.add_argument(
        "--target",
        action="append",
        choices=TARGETS,
        default=[],
        help="fail if this target drops or rejects a setting (may be repeated);"
        " default: fail only if no target can render a description",
    )
    parser.add_argument(
        "--chart-values",
        type=file_name,
        metavar="FILE",
        help="values file of the chart: compare its node selection and tolerations with the"
        " labels and taints of each node group",
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=file_name,
        metavar="FILE",
        help="a description (.yaml or .yml), or user data: TOML or gzip of it (- is standard input)",
    )


def run(options: argparse.Namespace) -> int:
    """Check the files, print a line for each problem, and return the exit code.

    Raises:
        UsageError: a file can't be read, after the others have been checked.
    """
    chart = _chart(options.chart_values)
    unreadable: list[str] = []
    problems: list[str] = []
    for file in options.files:
        try:
            if file.endswith(_YAML):
                text = read_text(file, yaml_document.MAX_BYTES)
                problems += _check_description(file, text, options.target, chart)
            else:
                data = read_bytes(file, check_user_data.MAX_BYTES)
                problems += _check_user_data(file, data, options.target, chart)
        except MalformedError as error:
            problems += error.problems
        except UsageError as error:
            unreadable += error.problems
    for line in problems:
        messages.report(line)
    if unreadable:
        raise UsageError(*unreadable)
    return FINDINGS if problems else SUCCESS


def _check_description(
    file: str, text: str, targets: Sequence[str], chart: chart_values.Selection | None
) -> list[str]:
    try:
        description = load.parse(text, file)
    except UsageError as error:
        return list(error.problems)
    for line in description.warnings():
        messages.warn(line)
    group = description.group
    losses = {
        target: description.lines(render.losses(target, group)) for target in targets or TARGETS
    }
    able = [target for target, lines in losses.items() if not lines]
    errors = [line for lines in losses.values() for line in lines]
    others = ""
    if not targets and able:
        errors = []
        unable = [target for target in losses if target not in able]
        others = f"; not for {', '.join(unable)} (--target NAME shows why)" if unable else ""
    elif not targets:
        _print(errors)
        errors = [f"{file}: no target can render it, for the reasons above"]
    errors += _compared(file, chart, group.labels, group.taints)
    if not errors:
        _print([f"{file}: valid node group, can be rendered for {', '.join(able)}{others}"])
    return errors


def _check_user_data(
    file: str, data: bytes, targets: Sequence[str], chart: chart_values.Selection | None
) -> list[str]:
    report = check_user_data.check(data)
    for problem in report.warnings:
        messages.warn(problem.in_file(file))
    if report.errors:
        return [problem.in_file(file) for problem in report.errors]
    lines: dict[bool, list[str]] = {True: [], False: []}
    for target in targets:
        for effect in check_user_data.target_effects(report, target):
            lines[effect.loses].append(effect.of_target(target).in_file(file))
    _print(lines[False])
    errors = lines[True] + _compared(file, chart, *labels_and_taints(report.settings))
    if not errors:
        _print([f"{file}: valid user data, {report.size_bytes} of {LIMIT_BYTES} bytes"])
    return errors


def _print(lines: Iterable[str]) -> None:
    for line in dict.fromkeys(lines):
        print(printable(line))


def _compared(
    file: str,
    chart: chart_values.Selection | None,
    labels: dict[str, str],
    taints: Sequence[Taint],
) -> list[str]:
    if chart is None:
        return []
    return [f"{file}: {one.text}" for one in chart_values.differences(chart, labels, taints)]


def _chart(file: str | None) -> chart_values.Selection | None:
    if file is None:
        return None
    text = read_text(file, yaml_document.MAX_BYTES)
    document = yaml_document.read(text, file, old_numbers=True)
    chosen, problems = chart_values.selection(document.data)
    if chosen is None:
        raise UsageError(*(document.located(one).in_file(file) for one in problems))
    return chosen
