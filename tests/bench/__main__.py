"""Run the measurements: python -m tests.bench [catchup|idle|memory|latency|shipping|agent ...]."""

import argparse
import sys
from collections.abc import Callable

from tests.bench import agent, catchup, idle, journals, latency, memory, shipping
from tests.bench.report import say


def main() -> int:
    """Run the sections that are asked for, by default all; return 0 whatever they measure."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", help="any of catchup, idle, memory, latency, shipping, agent"
    )
    parser.add_argument("--rounds", type=int, default=3, help="rounds of the catch-up")
    parser.add_argument("--entries", type=int, default=journals.ENTRIES, help="of the catch-up")
    options = parser.parse_args()
    sections: dict[str, Callable[[], None]] = {
        "catchup": lambda: catchup.run(rounds=options.rounds, entries=options.entries),
        "idle": idle.run,
        "memory": memory.run,
        "latency": latency.run,
        "shipping": shipping.run,
        "agent": agent.run,
    }
    unknown = set(options.sections) - sections.keys()
    if unknown:
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    for name in options.sections or sections:
        say(f"\n### {name}\n")
        sections[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
