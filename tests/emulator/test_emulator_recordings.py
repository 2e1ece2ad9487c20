import json

import emulator_recordings as recordings
import pytest

TOTAL, FLOOR = 1773, 1773


@pytest.mark.skipif(
    not recordings.FOLDER.is_dir(), reason="needs the recorded traffic of Google's API"
)
def test_recorded_answers_agree(tell):
    """Of all recorded requests, at least the floor gets the recorded status and body."""
    differing, count = [], 0
    for path in sorted(recordings.FOLDER.glob("*.json")):
        for exchange, difference in recordings.Player(recordings.load(path)).play():
            count += 1
            if difference:
                differing.append(
                    f"{path.stem}: {exchange['method']} {exchange['uri'][:150]}: {difference}"
                )
    tell(f"recorded requests that agree: {count - len(differing)} of {count}")
    assert count == TOTAL
    assert count - len(differing) >= FLOOR, "\n".join(differing)


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
