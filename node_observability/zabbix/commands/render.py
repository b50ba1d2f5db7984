"""``render``: writes the template, and the page that lists its parts."""

import argparse

from node_observability.exit_codes import SUCCESS
from node_observability.outputs import write_text
from node_observability.zabbix.commands import flags
from node_observability.zabbix.template import documentation

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Write to the files that were named; print the template if there are none."""
    text = flags.template_of(options)
    if options.readme is not None:
        write_text(options.readme, documentation.render(text, flags.patterns_of(options)))
    if options.output is not None:
        write_text(options.output, text)
    elif options.readme is None:
        print(text, end="")
    return SUCCESS
