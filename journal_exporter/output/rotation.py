"""Pure: decides when the live file is rotated, and how long the writer pauses before."""

import dataclasses


@dataclasses.dataclass(frozen=True, slots=True)
class RotationPolicy:
    """The limits of the live file; a ``max_age_s`` of 0 means that age does not matter.

    ``settle_s`` lets readers of the file catch up before it is renamed.
    """

    max_bytes: int
    max_age_s: float = 0.0
    settle_s: float = 0.0
    min_interval_s: float = 1.0

    def room_bytes(self, live_bytes: int) -> int:
        """Return how much still fits into a live file of this size."""
        return self.max_bytes - live_bytes

    def is_due_for_size(self, live_bytes: int, next_bytes: int) -> bool:
        """Whether to rotate before appending; an empty file takes a line of any length."""
        return live_bytes > 0 and next_bytes > self.room_bytes(live_bytes)

    def is_due_for_age(self, live_bytes: int, age_s: float) -> bool:
        """Whether to rotate a file of this age; an empty file stays."""
        return live_bytes > 0 and 0 < self.max_age_s < age_s

    def pause_s(self, since_rotation_s: float) -> float:
        """Return how long to pause before a rotation, by the time since the one before."""
        return max(self.settle_s, self.min_interval_s - since_rotation_s)
