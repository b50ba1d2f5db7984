"""``node-observability debug node|pod NAME``: print the kubectl command, or run it."""

import argparse
import os
from collections.abc import Callable, Sequence
from importlib import resources
from pathlib import Path

from node_observability.debug import command
from node_observability.errors import ToolboxError, UsageError
from node_observability.exit_codes import SUCCESS

Execute = Callable[[str, Sequence[str]], object]


def _become(program: str, words: Sequence[str]) -> None:
    os.execvp(program, list(words))  # noqa: S606 - no shell is wanted


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the subcommands."""
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    listed = "; ".join(f"{name}: {one.what}" for name, one in command.NODE_PROFILES.items())
    node = kinds.add_parser("node", help="a pod on the node", allow_abbrev=False)
    node.add_argument("name", metavar="NAME")
    node.add_argument("--profile", choices=command.NODE_PROFILES, default="shell", help=listed)
    pod = kinds.add_parser("pod", help="a container beside the pod's", allow_abbrev=False)
    pod.add_argument("name", metavar="NAME")
    pod.add_argument(
        "--target", required=True, metavar="CONTAINER", help="whose processes are to be seen"
    )
    for one in (node, pod):
        one.add_argument("--image", help="the image with the tools")
        one.add_argument("--namespace", "-n", help="the namespace, instead of the context's")
        one.add_argument(
            "--print", action="store_true", help="print the command instead of running it"
        )


def run(options: argparse.Namespace, execute: Execute = _become) -> int:
    """Print the command, or become it."""
    if options.kind == "node":
        profile = command.NODE_PROFILES[options.profile]
        words, problems = command.node_command(
            options.name,
            profile,
            profile_file(profile),
            image=options.image,
            namespace=options.namespace,
        )
    else:
        words, problems = command.pod_command(
            options.name,
            options.target,
            profile_file(command.POD_PROFILE),
            image=options.image,
            namespace=options.namespace,
        )
    if problems:
        raise UsageError(*problems)
    if options.print:
        print(command.as_text(words))
        return SUCCESS
    try:
        execute(words[0], words)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise ToolboxError(f"can't run kubectl: {reason}; --print prints the command") from None
    return SUCCESS


def profile_file(profile: command.Profile) -> Path:
    """Return a profile's file; the package is installed as files, which kubectl has to read."""
    return Path(str(resources.files("node_observability.debug") / "profiles" / profile.file))
