import pytest
import recordings

TOTAL, FLOOR = 1773, 1700


@pytest.mark.skipif(not recordings.FOLDER.is_dir(), reason="needs the recorded traffic of Google's API")
def test_recorded_answers_agree(capsys):
    """Of all recorded requests, at least the floor gets the recorded status and body."""
    differing, count = [], 0
    for path in sorted(recordings.FOLDER.glob("*.json")):
        for exchange, difference in recordings.Player(recordings.load(path)).play():
            count += 1
            if difference:
                differing.append(f"{path.stem}: {exchange['method']} {exchange['uri'][:150]}: {difference}")
    with capsys.disabled():
        print(f"\nrecorded requests that agree: {count - len(differing)} of {count}")
    assert count == TOTAL
    assert count - len(differing) >= FLOOR, "\n".join(differing)
