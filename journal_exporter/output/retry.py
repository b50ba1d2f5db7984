"""Retries what the disk refuses, until it succeeds, stop is requested or a limit is reached.

Guarantees: while the disk refuses, nothing is dropped and no entry is read. The call does not return, so the
journal is the buffer. Blocked time is counted, and heartbeats continue.
"""

import dataclasses
import logging
import math
from collections.abc import Callable

from journal_exporter.clock import Clock, Stop
from journal_exporter.errors import BlockedError, OutputError
from journal_exporter.monitoring.metrics import SharedMetrics

_LOG = logging.getLogger(__name__)
RETRY_S = 1.0


class Stopped(Exception):  # noqa: N818
    """Stop was requested during a wait; what is not committed is read again by the next run."""


class GivenUpError(Exception):
    """The action became pointless between two attempts."""


@dataclasses.dataclass(kw_only=True, eq=False)
class Retry:
    """Runs actions that raise ``OutputError`` until they succeed; raises ``Stopped``.

    ``free_space`` is called when the disk is full, ``while_blocked`` between two attempts. Without an end in
    ``max_blocked_s``, an action is retried forever.
    """

    metrics: SharedMetrics
    clock: Clock
    stop: Stop
    free_space: Callable[[], None]
    while_blocked: Callable[[], object]
    max_blocked_s: float = math.inf
    _blocked: bool = dataclasses.field(default=False, init=False)

    def until_done(
        self,
        action: Callable[[], None],
        *,
        may_free_space: bool = True,
        given_up: Callable[[], bool] = lambda: False,
    ) -> None:
        """Run the action until it succeeds.

        Raises:
            GivenUpError: ``given_up`` returned true between two attempts.
            BlockedError: the action failed for ``max_blocked_s``.
        """
        begun_s = since_s = self.clock.monotonic_s()
        while True:
            try:
                action()
            except OutputError as error:
                if since_s - begun_s >= self.max_blocked_s:
                    raise BlockedError(
                        f"{error}; gave up after {since_s - begun_s:.0f} s"
                    ) from error
                self._report_blocked(error)
                if may_free_space and error.is_full:
                    self.free_space()
                stopped = self.stop.wait(RETRY_S)
                now_s = self.clock.monotonic_s()
                self.metrics.output_blocked(error.reason, now_s - since_s)
                since_s = now_s
                self.metrics.heartbeat(self.clock)
                if stopped:
                    raise Stopped from error
                self.while_blocked()
                if given_up():
                    raise GivenUpError from error
            else:
                break
        if self._blocked:
            self._blocked = False
            self.metrics.output_unblocked()
            _LOG.warning("writing again")

    def _report_blocked(self, error: OutputError) -> None:
        if not self._blocked:
            _LOG.error("%s; waiting, nothing is lost while the journal keeps the entries", error)
        self._blocked = True
        self.metrics.output_blocked(error.reason, 0.0)
