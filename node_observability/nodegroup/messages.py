"""Prints the problems and warnings of node groups."""

import sys

from node_observability.errors import printable


def warn(text: str) -> None:
    """Print a warning on standard error."""
    report(f"warning: {text}")


def report(text: str) -> None:
    """Print a problem on standard error, after what standard output has so far."""
    sys.stdout.flush()
    print(f"node-observability nodegroup: {printable(text)}", file=sys.stderr)
