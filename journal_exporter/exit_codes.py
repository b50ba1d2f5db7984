"""The exit codes, the same as those of ``node-observability``: neither program imports the other."""

SUCCESS = 0
ERROR = 2

TABLE = """\
exit codes:
  0  success
  1  findings: a check found problems (not used by journal-exporter)
  2  error: wrong usage or settings, unreadable input, unwritable output, a worker that fails
  3  a difference (not used by journal-exporter)
"""
