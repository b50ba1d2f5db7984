"""``render``: writes the template, and the page that lists its parts."""

import argparse

from node_observability.errors import UsageError
from node_observability.exit_codes import SUCCESS
from node_observability.outputs import STDOUT, write_text
from node_observability.zabbix.commands import flags
from node_observability.zabbix.template import documentation

__all__ = ["run"]


def run(options: argparse.Namespace) -> int:
    """Write to the files that were named; print the template if there are none.

    Raises:
        UsageError: template and page would both go to standard output.
        ToolboxError: a file can't be written.
    """
    if options.output == options.readme == STDOUT:
        raise UsageError(
            "--output and --readme can't both be -, standard output; name a file for one of them"
        )
    patterns = flags.patterns_of(options)
    text = flags.template_of(options, patterns)
    if options.readme is not None:
        write_text(options.readme, documentation.render(text, patterns))
    if options.output is not None or options.readme is None:
        write_text(options.output or STDOUT, text)
    return SUCCESS
