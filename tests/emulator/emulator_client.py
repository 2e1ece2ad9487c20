import gspread
from google.auth.transport.requests import Request
from google.oauth2.service_account import Credentials

SCOPES = [
    "https://www.googleapis.com/auth/spreadsheets",
    "https://www.googleapis.com/auth/drive",
]


def client_of(account, emulator=None):
    """Return an account's gspread client whose requests to Google's hosts go to the emulator."""
    emulator = emulator or account

    class EmulatedHTTPClient(gspread.HTTPClient):
        def request(self, method, endpoint, *args, **kwargs):
            path = endpoint.split(".com", 1)[1]
            return super().request(method, emulator.url + path, *args, **kwargs)

    credentials = Credentials.from_service_account_info(
        account.service_account_info(), scopes=SCOPES
    )
    credentials.refresh(Request())
    return gspread.Client(credentials, http_client=EmulatedHTTPClient)
