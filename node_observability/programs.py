"""Runs kubectl and helm as the operator has set them up: kubeconfigs, sign-in plugins, proxies."""

import re
import subprocess
from collections.abc import Mapping, Sequence
from typing import Final

from node_observability.errors import ToolboxError, UsageError

__all__ = ["ask"]

_TIMEOUT_S: Final = 120
# The lines of klog, which repeat the last line in other words.
_LOGGED: Final = re.compile(r"[IWEF]\d{4} ")


def ask(command: Sequence[str], instead: str, environment: Mapping[str, str] | None = None) -> str:
    """Return all that a command prints; ``instead`` is what to use if the program is missing.

    Raises:
        UsageError: the program is missing.
        ToolboxError: it failed, or did not answer within two minutes.
    """
    try:
        done = subprocess.run(  # noqa: S603 - the operator's own kubectl and helm
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_TIMEOUT_S,
            env=environment,
        )
    except FileNotFoundError:
        raise UsageError(f"{command[0]} is not on the PATH; install it, or use {instead}") from None
    except OSError as error:
        raise UsageError(f"{command[0]} can't be run: {error.strerror}; use {instead}") from None
    except subprocess.TimeoutExpired:
        raise ToolboxError(f"{command[0]} did not answer within {_TIMEOUT_S} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if not _LOGGED.match(line)]
        text = " ".join(" ".join(lines).split()) or f"exit code {done.returncode}"
        raise ToolboxError(f"{' '.join(command[:3])}: {text}")
    return done.stdout
