"""Prints the warnings of node groups."""

import sys

from node_observability.errors import printable


def warn(text: str) -> None:
    """Print a warning on standard error."""
    print(f"node-observability nodegroup: warning: {printable(text)}", file=sys.stderr)
