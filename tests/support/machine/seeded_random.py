"""A random generator with a seed. All random choices of a sequence come from one."""

import random
from collections.abc import Sequence
from typing import TypeVar

__all__ = ["SeededRandom"]

T = TypeVar("T")
_SIZES = ((10, 60), (60, 400), (400, 4_000), (4_000, 100_000))


class SeededRandom(random.Random):
    """A random generator with the choices that sequences need."""

    def happens(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.random() < probability

    def weighted(self, choices: Sequence[tuple[float, T]]) -> T:
        """Return one of the choices, by weight."""
        return self.choices([choice for _, choice in choices], [weight for weight, _ in choices])[0]

    def id(self) -> bytes:
        """Return 16 random bytes: an id of a boot, a machine or a file."""
        return self.randbytes(16)

    def message(self, number: int, weights: Sequence[float] = (84, 15, 0.9, 0.1)) -> bytes:
        """Return a message of 10 bytes to 100 kB that contains the number."""
        low, high = self.choices(_SIZES, weights)[0]
        head = b"number %d " % number
        return head.ljust(self.randrange(low, high), b"0123456789abcdef"[number % 16 :][:1])
