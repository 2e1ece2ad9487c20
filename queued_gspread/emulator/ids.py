"""Made-up identifiers, reproducible from a seed."""

from __future__ import annotations

import random
import string

_FILE_ID_ALPHABET = string.ascii_letters + string.digits + "-_"
_LARGEST_SHEET_ID = 2**31 - 1


class Ids:
    """Identifiers in the form of Google's, from a random generator of its own."""

    def __init__(self, seed: int | None) -> None:
        """Start from a seed, or from the system's randomness with None."""
        self._random = random.Random(seed)  # noqa: S311  - ids, not secrets

    def file(self) -> str:
        """Return an id for a file: 44 characters, the first of them a 1."""
        return "1" + "".join(self._random.choices(_FILE_ID_ALPHABET, k=43))

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
