"""``node-observability debug node|pod NAME``: prints the kubectl command, or runs it."""

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
    parser.epilog = "Needs kubectl 1.31 or later; the exit code is kubectl's."
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)

    def add(kind: str, text: str, image: str) -> argparse.ArgumentParser:
        own = kinds.add_parser(
            kind,
            help=text,
            description=f"{text.capitalize()}.",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        own.add_argument("name", metavar="NAME", help=f"name of the {kind}")
        own.add_argument("--image", help=f"container image with the tools (default: {image})")
        own.add_argument(
            "-n",
            "--namespace",
            metavar="NAME",
            help="namespace (default: that of the kubeconfig context)",
        )
        own.add_argument("--context", metavar="NAME", help="kubeconfig context for kubectl")
        own.add_argument("--print", action="store_true", help="print the command, don't run it")
        return own

    node = add("node", "start a debugging pod on a node", "the profile's")
    node.add_argument(
        "--profile",
        choices=command.NODE_PROFILES,
        default="shell",
        help="what the pod may do, see below (default: shell)",
    )
    node.epilog = "profiles:\n" + "\n".join(
        f"  {name:<8} {one.purpose}" for name, one in command.NODE_PROFILES.items()
    )
    pod = add("pod", "attach a debugging container to a pod", str(command.POD_PROFILE.image))
    pod.add_argument(
        "--target",
        required=True,
        metavar="CONTAINER",
        help="container whose processes the debugging container sees",
    )


def run(options: argparse.Namespace, execute: Execute = _become) -> int:
    """Print the command, or become kubectl.

    Raises:
        UsageError: a name is not valid, or the profile needs an image.
        ToolboxError: kubectl can't be run.
    """
    is_node = options.kind == "node"
    profile = command.NODE_PROFILES[options.profile] if is_node else command.POD_PROFILE
    words, problems = command.build(
        options.name,
        profile,
        profile_file(profile),
        container=None if is_node else options.target,
        image=options.image,
        namespace=options.namespace,
        context=options.context,
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
    """Return the path of a profile. The package is installed as files, which kubectl reads."""
    return Path(str(resources.files("node_observability.debug") / "profiles" / profile.file))
