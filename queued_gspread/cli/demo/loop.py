"""The demo's loop: an ordinary one of one process, in a pipeline."""

import sys
import time

import queued_gspread as gspread


def work(key_file: str, rows: int) -> None:
    """Append rows one after the other; print the seconds that they took."""
    sheet = gspread.service_account(key_file).open("demo").sheet1
    began = time.monotonic()
    with gspread.pipeline():
        for number in range(1, rows + 1):
            sheet.append_row(["loop", number, f"loop-{number}"])
    print(time.monotonic() - began)


if __name__ == "__main__":
    work(sys.argv[1], int(sys.argv[2]))
