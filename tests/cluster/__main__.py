"""A cluster to try things on: a shell in which kubectl and helm use it. The cluster ends with the shell.

sudo tests/cluster/enter .venv/bin/python -m tests.cluster [COMMAND ARGUMENT...]

Both nodes have the chart's images. `logger --socket $NODEOBS_JOURNAL TEXT` writes to the journal of the
Bottlerocket node.
"""

import os
import subprocess
import sys

from tests.cluster.control_plane import ControlPlane
from tests.cluster.machines import machines
from tests.cluster.processes import ClusterError
from tests.cluster.release import VALUES, Release
from tests.support.waiting import WaitError


def main(command: list[str]) -> int:
    """Bring it up, run the command, take it down; return the command's exit code."""
    print("bringing up the control plane and two nodes, about a minute …", file=sys.stderr)  # noqa: T201
    try:
        with ControlPlane() as plane:
            release = Release(plane, "--values", str(VALUES))
            with machines(plane, release.manifest()) as running:
                socket = running.bottlerocket.root / "run/systemd/journal/dev-log"
                environment = {**plane.environment(), "NODEOBS_JOURNAL": str(socket)}
                return subprocess.run(command, env=environment, check=False).returncode
    except (ClusterError, WaitError) as error:
        print(f"cluster: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or [os.environ.get("SHELL", "/bin/sh")]))
