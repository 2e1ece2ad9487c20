import pytest
from emulator_client import client_of

from queued_gspread.emulator import Emulator


@pytest.fixture(scope="session")
def emulator():
    with Emulator(seed=7) as running:
        yield running


@pytest.fixture(scope="session")
def client(emulator):
    client = client_of(emulator)
    yield client
    client.http_client.session.close()


@pytest.fixture
def book(client, request):
    return client.create(f"Test {request.node.name}")


@pytest.fixture
def sheet(book):
    return book.sheet1
