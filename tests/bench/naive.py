"""The loop that everybody writes first, as a yardstick: python -m tests.bench.naive DIR FILE."""

import sys
from pathlib import Path

from systemd import journal  # type: ignore[attr-defined]  # no stub: only here


def main() -> int:
    """Write a line for every entry of a journal directory."""
    directory, output = sys.argv[1:]
    with Path(output).open("w", encoding="utf-8", errors="backslashreplace") as file:
        for entry in journal.Reader(path=directory):
            time = entry["__REALTIME_TIMESTAMP"].isoformat()
            host = entry.get("_HOSTNAME", "localhost")
            tag = entry.get("SYSLOG_IDENTIFIER", "journal")
            if "_PID" in entry:
                tag = f"{tag}[{entry['_PID']}]"
            message = str(entry.get("MESSAGE", "")).replace("\n", "#012")
            file.write(f"{time} {host} {tag}: {message}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
