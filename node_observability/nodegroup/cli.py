"""``node-observability nodegroup render | check | kube-reserved``."""

import argparse
import json
import os
from collections.abc import Callable
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.inputs.files import STDIN
from node_observability.nodegroup import assembly, check_command, credentials, files, render
from node_observability.nodegroup.formats import templates
from node_observability.nodegroup.kube_reserved import kube_reserved
from node_observability.nodegroup.load import Described, read_description
from node_observability.nodegroup.rules.targets import TARGETS
from node_observability.outputs import write_text


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    commands = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    _configure_render(
        commands.add_parser("render", help="make a target's file", allow_abbrev=False)
    )
    check_command.configure(
        commands.add_parser(
            "check",
            help="judge user data, or a description, before a node has to",
            allow_abbrev=False,
        )
    )
    reserved = commands.add_parser(
        "kube-reserved", help="print what a node of that size reserves", allow_abbrev=False
    )
    reserved.add_argument("--cores", type=_count(1, 65535), required=True, metavar="N")
    reserved.add_argument("--max-pods", type=_count(1, 65535), required=True, metavar="N")
    reserved.add_argument("--format", choices=["toml", "json"], default="toml")


def _configure_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", choices=TARGETS, required=True)
    parser.add_argument(
        "--with-credentials",
        action="store_true",
        help="read the secrets and write them out; without it, placeholders stand for them",
    )
    parser.add_argument("--output", metavar="FILE", help="write there instead of standard output")
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="a description (docs/reference/node-groups.md); for eksctl several, of one cluster",
    )


def run(options: argparse.Namespace) -> int:
    """Run the subcommand."""
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
        print(templates.user_data({"kubernetes": {"kube-reserved": settings}}), end="")
    return 0


def _render(options: argparse.Namespace) -> int:
    described = _read(options.files)
    if len(described) > 1:
        _can_be_joined(options.target, described)
    problems = [
        line
        for one in described
        for line in [
            *one.at(render.losses(options.target, one.group, one.tree)),
            *check_command.too_large(options.target, one),
        ]
    ]
    if problems:
        raise UsageError(*problems)
    secrets = options.with_credentials
    groups = [
        (one.group, _with_secrets(options.target, one) if secrets else one.tree)
        for one in described
    ]
    text = render.render(options.target, groups)
    if secrets:
        files.warn(
            "the output has credentials in it; so has the user data that every node can read"
        )
    elif any(one.has_secrets for one in described):
        files.warn(
            f"{credentials.PLACEHOLDER} stands for credentials; --with-credentials writes them"
        )
    if options.output is None:
        print(text, end="")
    else:
        write_text(options.output, text, secret=secrets)
    return 0


def _read(names: list[str]) -> list[Described]:
    """Return every description, or the problems of all of them."""
    described = []
    problems: list[str] = []
    for name in names:
        try:
            described.append(read_description(name))
        except UsageError as error:
            problems += error.problems
    if problems:
        raise UsageError(*problems)
    return described


def _with_secrets(target: str, one: Described) -> assembly.Settings:
    directory = Path() if one.name == STDIN else Path(one.name).parent
    try:
        tree = assembly.settings(one.group, credentials.reader(os.environ, directory))
    except credentials.SecretError as error:
        raise UsageError(*one.at([error.problem])) from None
    problems = render.losses_by_secrets(target, one.group, tree)
    if problems:
        raise UsageError(*one.at(problems))
    return tree


def _can_be_joined(target: str, described: list[Described]) -> None:
    if not render.joins(target):
        names = " and ".join(one.name for one in described[1:])
        raise UsageError(f"a file for {target} holds one node group; render {names} apart")
    first = described[0]
    for other in described[1:]:
        if other.group.cluster != first.group.cluster:
            raise UsageError(f"{other.name}: cluster: differs from that of {first.name}")
        if other.group.name in [one.group.name for one in described if one is not other]:
            raise UsageError(f"{other.name}: name: {other.group.name} is another file's name too")


def _count(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}: {text!r}")
        return int(text)

    return parse
