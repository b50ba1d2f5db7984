"""``render``: writes the template, and the page that lists its parts."""

import argparse
from pathlib import Path

from node_observability.errors import UsageError
from node_observability.exit_codes import SUCCESS
from node_observability.zabbix.commands import flags
from node_observability.zabbix.template import documentation

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Write to the files that were named; print the template if there are none."""
    text = flags.template_of(options)
    if options.readme is not None:
        _write(options.readme, documentation.render(text, flags.patterns_of(options)))
    if options.output is not None:
        _write(options.output, text)
    elif options.readme is None:
        print(text, end="")
    return SUCCESS


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, "utf-8")
    except OSError as error:
        raise UsageError(f"{path}: can't be written: {error.strerror}") from error
