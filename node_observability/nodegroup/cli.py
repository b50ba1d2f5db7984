"""``node-observability nodegroup render | check | kube-reserved``."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.exit_codes import SUCCESS
from node_observability.inputs.files import STDIN, file_name
from node_observability.nodegroup import check_command, credentials, messages, render
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.kube_reserved import kube_reserved
from node_observability.nodegroup.load import Description, read_description
from node_observability.nodegroup.node_group import NodeGroup
from node_observability.nodegroup.rules.settings import has_secrets
from node_observability.nodegroup.rules.targets import TARGETS
from node_observability.outputs import STDOUT, write_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _configure_render(
        commands.add_parser(
            "render",
            help="render a description as the file of a target",
            description="Render a description of a node group as the file of a target.",
            allow_abbrev=False,
        )
    )
    check_command.configure(
        commands.add_parser(
            "check",
            help="validate user data and descriptions before a node boots with them",
            description="Validate user data and descriptions before a node boots with them.",
            allow_abbrev=False,
        )
    )
    reserved = commands.add_parser(
        "kube-reserved",
        help="print what the kubelet reserves on a node of a given size",
        description="Print what the kubelet of a Bottlerocket node reserves (kube-reserved).",
        allow_abbrev=False,
    )
    for flag, text in (
        ("--cores", "CPU cores (vCPUs) of the node"),
        ("--max-pods", "maximum number of pods on the node"),
    ):
        reserved.add_argument(
            flag, type=_count(1, 65535), required=True, metavar="N", help=f"{text}, 1 to 65535"
        )
    reserved.add_argument(
        "--format",
        choices=["toml", "json"],
        default="toml",
        help="user data, or the values alone (default: %(default)s)",
    )


def _configure_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target",
        choices=TARGETS,
        required=True,
        help="how the nodes are created; decides what is rendered",
    )
    parser.add_argument(
        "--with-credentials",
        action="store_true",
        help="read the secrets and write them into the output; default: write placeholders",
    )
    parser.add_argument(
        "--output",
        default=STDOUT,
        type=file_name,
        metavar="FILE",
        help="write to this file (default: -, standard output)",
    )
    parser.add_argument(
        "files",
        nargs="+",
        type=file_name,
        metavar="FILE",
        help="a description (docs/reference/node-groups.md); for eksctl and eksctl-managed, several"
        " of one cluster",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand and return its exit code."""
    actions: dict[str, Callable[[argparse.Namespace], int]] = {
        "render": _render,
        "check": check_command.run,
        "kube-reserved": _kube_reserved,
    }
    return actions[options.action](options)


def _kube_reserved(options: argparse.Namespace) -> int:
    settings = kube_reserved(options.cores, options.max_pods).settings()
    if options.format == "json":
        print(json.dumps(settings))
    else:
        write_text(STDOUT, templates.user_data({"kubernetes": {"kube-reserved": settings}}))
    return SUCCESS


def _render(options: argparse.Namespace) -> int:
    descriptions = _read(options.files)
    if len(descriptions) > 1:
        _check_that_one_file_can_hold(descriptions, options.target)
    groups = [one.group for one in descriptions]
    _check_losses(options.target, descriptions, groups)
    if options.with_credentials:
        groups = [one.with_secrets(_secrets(one.file)) for one in descriptions]
        _check_losses(options.target, descriptions, groups)
    text = render.render(options.target, groups)
    if options.with_credentials:
        messages.warn(
            "the output contains credentials, and every pod on a node may be able to read them"
        )
    elif any(has_secrets(group.settings) for group in groups):
        placeholder = credentials.PLACEHOLDER
        messages.warn(f"{placeholder} replaces credentials; --with-credentials writes them")
    write_text(options.output, text, secret=options.with_credentials)
    return SUCCESS


def _read(names: list[str]) -> list[Description]:
    """Return every description, or raise the problems of all of them."""
    descriptions = []
    problems: list[str] = []
    for name in names:
        try:
            descriptions.append(read_description(name))
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return descriptions


def _secrets(file: str) -> credentials.Resolve:
    directory = Path() if file == STDIN else Path(file).parent
    return credentials.reader(os.environ, directory)


def _check_losses(target: str, descriptions: list[Description], groups: list[NodeGroup]) -> None:
    problems = [
        line
        for one, group in zip(descriptions, groups, strict=True)
        for line in one.lines(render.losses(target, group))
    ]
    if problems:
        raise UsageError(*problems)


def _check_that_one_file_can_hold(descriptions: list[Description], target: str) -> None:
    first, *others = descriptions
    if not render.takes_several_groups(target):
        names = " and ".join(one.file for one in others)
        raise UsageError(f"a file for {target} holds one node group; render {names} separately")
    for index, other in enumerate(others, 1):
        if other.group.cluster != first.group.cluster:
            raise UsageError(f"{other.file}: cluster: differs from that in {first.file}")
        if other.group.name in [one.group.name for one in descriptions[:index]]:
            raise UsageError(
                f"{other.file}: name: another file has the name {other.group.name} too"
            )


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least} to {most}")
        return int(text)

    return parse
