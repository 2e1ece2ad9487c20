"""A standby takes over, whichever way the other server ends; how fast is printed, not asserted."""

from __future__ import annotations

import pytest

from tests.programs.chaos.takeover import shown, takeovers


@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_a_standby_answers(name, tmp_path, tell):
    """A call that is made when the server ends is answered by the one that stood by."""
    seconds = list(takeovers(name, 0.5, 2, tmp_path))
    tell(shown(name, 0.5, seconds))
    assert len(seconds) == 2
    first, second = ((tmp_path / f"{name}-{which}-0.log").read_text() for which in ("one", "two"))
    standing_by, working = second.index("standing by"), second.index("working as")
    assert standing_by < working < second.index("worksheet.acell")
    assert "worksheet.acell" not in first
