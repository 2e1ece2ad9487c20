"""An ordinary gspread script: only its import is changed. The demo runs it eight times at once."""

import sys

import queued_gspread as gspread  # was: import gspread


def work(worker: str, rows: int) -> None:
    """Append some rows to the spreadsheet that all workers share."""
    client = gspread.service_account()
    sheet = client.open("demo").sheet1
    for number in range(1, rows + 1):
        sheet.append_row([f"worker {worker}", number, f"{worker}-{number}"])


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
