"""Accounts for which a file is shared otherwise than for all others."""

from __future__ import annotations


class Exceptions:
    """Who may use a private file all the same, and who may not use a shared one."""

    def __init__(self) -> None:
        """Begin with none: a file is shared with all accounts, or with none."""
        self._admitted: set[tuple[str, str]] = set()
        self._excluded: set[tuple[str, str]] = set()

    def admit(self, file_id: str, email: str) -> None:
        """Let an account use a file, apart from all others."""
        self._excluded.discard((file_id, email))
        self._admitted.add((file_id, email))

    def exclude(self, file_id: str, email: str) -> None:
        """Let an account not use a file, apart from all others."""
        self._admitted.discard((file_id, email))
        self._excluded.add((file_id, email))

    def forget(self, file_id: str) -> None:
        """Let a file be shared with each account as with all others."""
        for held in (self._admitted, self._excluded):
            held -= {pair for pair in held if pair[0] == file_id}

    def hides(self, file_id: str, email: str, is_private: bool) -> bool:
        """Return whether an account may not use a file, which is private to others or not."""
        pair = (file_id, email)
        return pair in self._excluded or (is_private and pair not in self._admitted)
