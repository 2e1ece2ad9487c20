"""A gspread that is newer than this package: methods of its clients that nobody has looked at."""

from __future__ import annotations

import json

from processes import start_python
from waiting import PATIENCE

# As a release would bring them: their code lies in gspread's folder.
NEWER = """
import json, warnings
import gspread, gspread.client, gspread.http_client

def add(cls, text):
    found = {}
    exec(compile(text, gspread.client.__file__, "exec"), found)
    for name in found.keys() - {"__builtins__"}:
        setattr(cls, name, found[name])

add(gspread.Client, '''
def retitle(self, book, title):
    self.http_client.batch_update(
        book.id,
        {"requests": [{"updateSpreadsheetProperties": {
            "properties": {"title": title}, "fields": "title"}}]},
    )
    return self.title_of(spreadsheet_id=book.id)

def title_of(self, *, spreadsheet_id):
    return self.http_client.properties_of(spreadsheet_id)["title"]

def openall(self, title=None, newer=None):
    return [self.open_by_key(file["id"]) for file in self.list_spreadsheet_files(title)[1:]]
''')
add(gspread.HTTPClient, '''
def properties_of(self, which):
    url = f"https://sheets.googleapis.com/v4/spreadsheets/{which}"
    return self.request("get", url).json()["properties"]
''')

import queued_gspread
from queued_gspread.broker import Producer

lanes, call = [], Producer.call

def noted(queue, job_id, lane, body, *rest):
    lanes.append(lane)
    return call(queue, job_id, lane, body, *rest)

Producer.call = noted
client = queued_gspread.authorize()
book = client.create("Book")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    del lanes[:]
    title = client.retitle(book, "Other")
    retitled = lanes[:]
    client.openall("Other")
print(json.dumps([book.id, title, retitled, [str(warning.message) for warning in caught]]))
assert all(warning.filename == "<string>" for warning in caught), caught
"""


def test_a_method_that_nobody_has_looked_at_finds_its_spreadsheet(server, redis_url, namespace):
    """Each of its requests waits in its own spreadsheet's lane, and the caller is warned of it."""
    # It changes gspread before it imports this package.
    process = start_python(NEWER, fresh=True, REDIS_URL=redis_url, NAMESPACE=namespace)
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    book, title, lanes, warned = json.loads(out)
    assert title == "Other"
    assert lanes == [book] * 2
    methods = ["Client.retitle", "Client.title_of", "HTTPClient.properties_of", "Client.openall"]
    assert [text.split()[0] for text in warned] == methods
    assert all("is newer than this queued_gspread" in text for text in warned)
