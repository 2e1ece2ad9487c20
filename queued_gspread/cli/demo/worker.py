"""The demo's work: an ordinary gspread script; eight of them run at once."""

import sys

import gspread


def work(key_file: str, worker: str, rows: int) -> None:
    """Append rows to the sheet that all workers share; print the result of each append."""
    sheet = gspread.service_account(key_file).open("demo").sheet1
    print("ready", flush=True)
    sys.stdin.readline()  # all of them begin at once
    for number in range(1, rows + 1):
        try:
            sheet.append_row([f"worker {worker}", number, f"{worker}-{number}"])
            print("ok", flush=True)
        except Exception as error:  # noqa: BLE001 - the demo counts errors of every kind
            print(type(error).__name__, getattr(error, "code", ""), flush=True)


if __name__ == "__main__":
    work(sys.argv[1], sys.argv[2], int(sys.argv[3]))
