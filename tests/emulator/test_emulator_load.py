import sys

import emulator_load
import pytest


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is read from /proc")
def test_the_measurement_runs(capfd):
    """The programme that measures the emulator tells of every kind of request and of memory."""
    emulator_load.main(count=8, cells=10_000)
    told = capfd.readouterr().out
    for name in emulator_load.kinds("book"):
        assert f"{name}: " in told
    assert "10,000 cells: " in told
