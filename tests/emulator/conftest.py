import gspread
import pytest
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

from queued_gspread.emulator import Emulator

SCOPES = [
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive",
]


def client_of(emulator):
    """Return a gspread client whose requests to Google's hosts go to the emulator."""

    class EmulatedHTTPClient(gspread.HTTPClient):
        def request(self, method, endpoint, *args, **kwargs):
            path = endpoint.split(".com", 1)[1]
            return super().request(method, emulator.url + path, *args, **kwargs)

    credentials = Credentials.from_service_account_info(
        emulator.service_account_info(), scopes=SCOPES
    )
    credentials.refresh(Request())
    return gspread.Client(credentials, http_client=EmulatedHTTPClient)


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
