"""What kubectl and helm answer, as the operator has set them up: kubeconfigs, sign-in plugins, proxies."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from node_observability.errors import ToolboxError, UsageError

__all__ = ["ask"]

_TIMEOUT_S: Final = 120
_LOGGED: Final = re.compile(
    r"[IWEF]\d{4} "
)  # klog's lines, which say in their way what the last line says


def ask(command: Sequence[str], instead: str, environment: Mapping[str, str] | None = None) -> str:
    """Return what a command prints, all of it; ``instead`` is what to use where the program is missing.

    Raises:
        UsageError: the program is not there.
        ToolboxError: it failed, or has not answered in two minutes.

    """
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own kubectl and helm
            command,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
            env=environment,
        )
    except FileNotFoundError:
        raise UsageError(f"{command[0]} is not on the PATH; install it, or use {instead}") from None
    except subprocess.TimeoutExpired:
        raise ToolboxError(f"{command[0]} has not answered in {_TIMEOUT_S} s") from None
    if done.returncode:
        told = [line for line in done.stderr.splitlines() if not _LOGGED.match(line)]
        text = " ".join(" ".join(told).split()) or f"exit code {done.returncode}"
        raise ToolboxError(f"{' '.join(command[:3])}: {text}")
    return done.stdout
