"""A command for the toolbox's command line that ends as ``--how`` demands."""

import argparse
import importlib

from node_observability.errors import ToolboxError, UsageError


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--how", choices=["well", "wrong", "failed", "stopped", "bare"], default="well"
    )


def run(options: argparse.Namespace) -> int:
    if options.how == "wrong":
        raise UsageError("a.yaml:3: `siz`: no such key", "no b.yaml")
    if options.how == "failed":
        raise ToolboxError("the server is gone")
    if options.how == "stopped":
        raise KeyboardInterrupt
    if options.how == "bare":
        importlib.import_module("a_library_of_the_toolbox")
    print("done")  # noqa: T201 - that is what it is for
    return 0
