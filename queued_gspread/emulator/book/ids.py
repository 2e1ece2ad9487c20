"""Made-up identifiers, reproducible from a seed."""

from __future__ import annotations

import random
import string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FILE_ID_ALPHABET = string.ascii_letters + string.digits + "-_"
_LARGEST_SHEET_ID = 2**31 - 1


class Ids:
    """Identifiers in the form of Google's, from their own random generator."""

    def __init__(self, seed: int | None) -> None:
        """Start from a seed, or from the system's randomness with None."""
        self._random = random.Random(seed)  # noqa: S311  - ids, not secrets
        self._seeded = seed is not None
        self._seed = seed

    def chance(self) -> Callable[[], float]:
        """Return a separate source of random numbers: drawing one changes no id."""
        return random.Random(self._seed).random  # noqa: S311  - chance, not secrets

    @property
    def state(self) -> tuple[Any, ...]:
        """The generator's state, for `resume()`."""
        return self._random.getstate()

    def resume(self, state: tuple[Any, ...]) -> None:
        """Continue from an earlier generator's state; raise TypeError or ValueError if invalid.

        Without a seed this does nothing: it would repeat ids that were lost with a killed process.
        """
        earlier = random.Random()  # noqa: S311  - ids, not secrets
        earlier.setstate(state)
        if self._seeded:
            self._random = earlier

    def file(self) -> str:
        """Return an id for a file: 44 characters, the first of them a 1."""
        return "1" + "".join(self._random.choices(_FILE_ID_ALPHABET, k=43))

    def drive(self) -> str:
        """Return an id for a shared drive: 19 characters, from 0A to PVA."""
        return f"0A{self.letters(14)}PVA"

    def sheet(self) -> int:
        """Return a positive 31-bit id, as sheets and protected ranges have."""
        return self._random.randint(1, _LARGEST_SHEET_ID)

    def digits(self, count: int) -> str:
        """Return a string of that many digits, as permissions have."""
        return "".join(self._random.choices(string.digits, k=count))

    def letters(self, count: int) -> str:
        """Return a string of that many letters and digits, as comments have."""
        return "".join(self._random.choices(_FILE_ID_ALPHABET, k=count))

    def order(self, count: int) -> list[int]:
        """Return the numbers below count in any order."""
        return self._random.sample(range(count), count)
