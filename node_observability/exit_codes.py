"""The exit codes of every command, and the table of them that ``--help`` prints.

``journal-exporter`` has the same codes in a module of its own: neither program imports the other.
"""

from typing import Final

__all__ = ["DIFFERENCE", "ERROR", "FINDINGS", "INTERRUPTED", "SUCCESS", "TABLE"]

SUCCESS: Final = 0
FINDINGS: Final = 1
ERROR: Final = 2
DIFFERENCE: Final = 3
INTERRUPTED: Final = 130
"""As shells report SIGINT."""

TABLE: Final = """\
exit codes:
  0  success
  1  findings: a check found problems
  2  error: wrong usage, unreadable input, a server that does not answer, unwritable output
  3  a difference (zabbix diff, zabbix apply --check)
"""
