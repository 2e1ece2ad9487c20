import pytest
from emulator_traffic import Traffic
from hand_clock import HandClock

from queued_gspread.emulator import Emulator


@pytest.fixture(scope="session")
def emulator():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture(scope="session")
def client(emulator):
    return emulator.gspread_client()


@pytest.fixture
def book(client, request):
    return client.create(f"Test {request.node.name}")


@pytest.fixture
def sheet(book):
    return book.sheet1


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def own(clock):
    """Return an emulator of this test alone; its quotas and latency go by `clock`."""
    with Emulator(seed=1, monotonic=clock) as running:
        yield running


@pytest.fixture
def traffic(own):
    sending = Traffic(own)
    yield sending
    own.stop()
    sending.close()
