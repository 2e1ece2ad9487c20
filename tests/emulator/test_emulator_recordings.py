import json

import emulator_recordings as recordings
import pytest

TOTAL, FLOOR, MORE = 1773, 1773, 816
# Where the emulator differs from what was recorded, with the reason.
EXCEPTIONS: dict[str, str] = {}


def compared(folder):
    """Return how many requests a folder's recordings hold, and what differs, by its place."""
    count, differing = 0, {}
    for path in sorted(folder.glob("*.json")):
        played = recordings.Player(*recordings.load(path)).play()
        for place, (exchange, difference) in enumerate(played):
            count += 1
            if difference:
                said = f"{exchange['method']} {exchange['uri'][:150]}: {difference}"
                differing[f"{path.stem} {place}"] = said
    return count, differing


@pytest.mark.skipif(
    not recordings.FOLDER.is_dir(), reason="needs the recorded traffic of Google's API"
)
def test_recorded_answers_agree(tell):
    """Of all recorded requests, at least the floor gets the recorded status and body."""
    count, differing = compared(recordings.FOLDER)
    tell(f"recorded requests that agree: {count - len(differing)} of {count}")
    assert count == TOTAL
    assert count - len(differing) >= FLOOR, "\n".join(differing.values())


@pytest.mark.skipif(
    not recordings.MORE.is_dir(), reason="needs more recorded traffic of Google's API"
)
def test_answers_to_other_clients_and_in_other_years_agree(tell):
    """Every further recorded request gets its status and body, but for those that are named."""
    count, differing = compared(recordings.MORE)
    tell(f"further recorded requests that agree: {count - len(differing)} of {count}")
    assert count == MORE
    assert differing.keys() == EXCEPTIONS.keys(), "\n".join(map(str, differing.items()))


def test_player_sees_differences():
    """A recorded answer that was tampered with is reported as different."""
    made = {"name": "x", "mimeType": "application/vnd.google-apps.spreadsheet"}
    url = "https://www.googleapis.com/drive/v3/files"
    recorded = {
        "method": "POST",
        "uri": url,
        "request_body": json.dumps(made),
        "status": 200,
        "content_type": "application/json; charset=UTF-8",
        "response_body": json.dumps({"kind": "drive#file", "id": "a" * 44, **made}),
    }
    other = recorded | {"response_body": recorded["response_body"].replace('"x"', '"y"')}
    assert [found for _, found in recordings.Player([recorded]).play()] == [None]
    assert [found for _, found in recordings.Player([other]).play()] == [".name: 'x' for 'y'"]
