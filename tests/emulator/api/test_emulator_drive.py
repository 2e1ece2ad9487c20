import json
from functools import partial

import pytest
from gspread.exceptions import APIError
from gspread.utils import ExportFormat

DRIVE = "https://www.googleapis.com/drive/v3/"
SPREADSHEET = "application/vnd.google-apps.spreadsheet"


def drive(client, method, path, **params):
    return client.http_client.request(method, DRIVE + path, params=params).json()


def new_folder(client):
    body = {"name": "folder", "mimeType": "application/vnd.google-apps.folder"}
    return client.http_client.request("post", f"{DRIVE}files", json=body).json()["id"]


def test_create_open_and_delete(client):
    """A created spreadsheet is found by title and by key until it is deleted."""
    made = client.create("a title of its own")
    assert client.open("a title of its own").id == made.id
    assert [file["id"] for file in client.list_spreadsheet_files("a title of its own")] == [made.id]
    client.del_spreadsheet(made.id)
    assert client.list_spreadsheet_files("a title of its own") == []


def test_folders(client):
    """Files are listed by the folder that they were created in."""
    folder = new_folder(client)
    made = client.create("in a folder", folder_id=folder)
    assert [f["id"] for f in client.list_spreadsheet_files(folder_id=folder)] == [made.id]
    assert client.open("in a folder", folder_id=folder).id == made.id


def test_folders_that_are_none(client, book):
    """What is made, copied or moved into a folder that is not there, or none, stays out."""
    for make in (
        lambda where: client.create("x", folder_id=where),
        lambda where: client.copy(book.id, folder_id=where),
        lambda where: drive(client, "patch", f"files/{book.id}", addParents=where),
    ):
        with pytest.raises(APIError, match="File not found: no-such-folder"):
            make("no-such-folder")
        with pytest.raises(APIError, match="parent is not a folder") as caught:
            make(book.id)
        assert caught.value.code == 403
    assert drive(client, "get", f"files/{book.id}", fields="parents")["parents"] != [book.id]


def test_the_root_folder_is_left(client, book):
    """A file is moved out of the root folder under that folder's alias."""
    folder = new_folder(client)
    moved = {"addParents": folder, "removeParents": "root", "fields": "parents"}
    assert drive(client, "patch", f"files/{book.id}", **moved) == {"parents": [folder]}


@pytest.mark.parametrize(
    ("query", "is_found"),
    [
        ("'me' in owners", True),
        ("'me' in writers and trashed = false", True),
        ("'other@example.com' in owners", False),
        ("'root' in parents", True),
        ("parents in 'root'", True),
        ("createdTime > '2020-01-01T00:00:00'", True),
        ("modifiedTime < '2020-01-01T00:00:00Z'", False),
        ("createdTime < '9999-01-01T00:00:00-08:00' and not starred = true", True),
    ],
)
def test_queries(client, book, query, is_found):
    """A file is found by whose it is, where it is and when it was made, in Drive's words."""
    found = drive(client, "get", "files", q=query, pageSize=1000)["files"]
    assert (book.id in [file["id"] for file in found]) is is_found


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        ("Hello", True),
        ("hellow", True),
        ("new_ye hello", True),
        ("World", False),
        ("hello other", False),
        ("", True),
    ],
)
def test_a_name_is_searched_for_by_how_its_words_begin(client, wanted, is_found):
    """`name contains` finds what a word of a name begins with, not what is inside a word."""
    made = client.create("HelloWorld of the (new)_year")
    found = drive(client, "get", "files", q=f"name contains '{wanted}'", pageSize=1000)["files"]
    assert (made.id in [file["id"] for file in found]) is is_found


@pytest.mark.parametrize(
    "query",
    [
        "parents = 'root'",
        "name in 'x'",
        "'x' in name",
        "name contains true",
        "mimeType > 'a'",
        "trashed = 'true'",
        "trashed contains false",
        "modifiedTime contains '2012'",
        "owners contains 'me'",
    ],
)
def test_queries_that_drive_has_not(client, query):
    """An operator or a value that a field has not is an error, not a search that finds nothing."""
    with pytest.raises(APIError, match="Invalid Value") as caught:
        drive(client, "get", "files", q=query)
    assert caught.value.code == 400


@pytest.mark.parametrize(
    "query",
    ["fullText contains 'x'", "visibility = 'limited'", "properties has { key='k' and value='v' }"],
)
def test_queries_for_what_is_not_kept(client, query):
    """What Drive can search for and the emulator does not keep is answered with 501."""
    with pytest.raises(APIError, match=query.split()[0]) as caught:
        drive(client, "get", "files", q=query)
    assert caught.value.code == 501


@pytest.mark.parametrize("name", ["description", "properties", "starred"])
def test_what_is_not_kept_of_a_file(client, book, name):
    """What Drive would keep of a file and the emulator would drop is answered with 501."""
    for method, path in (("post", "files"), ("patch", f"files/{book.id}")):
        with pytest.raises(APIError, match=name) as caught:
            client.http_client.request(method, DRIVE + path, json={name: "x"})
        assert caught.value.code == 501


def test_shared_with_no_address(book):
    """A user who has no e-mail address cannot be given a permission."""
    for address in ("nobody", "a b@example.com"):
        with pytest.raises(APIError, match="emailAddress is invalid"):
            book.share(address, perm_type="user", role="reader")


def test_the_root_folder(client):
    """Where files are made has a name of its own, and is found by its alias and by its id."""
    files = "https://www.googleapis.com/drive/v3/files"
    root = client.http_client.request("get", f"{files}/root").json()
    assert root["name"] == "My Drive"
    assert client.http_client.request("get", f"{files}/{root['id']}").json() == root
    made = client.http_client.request("post", files, json={"name": "x"}, params={"fields": "id"})
    found = client.http_client.request("get", f"{files}/{made.json()['id']}?fields=parents")
    assert found.json()["parents"] == [root["id"]]


def test_pages(client, emulator):
    """A list that is longer than a page goes on at its nextPageToken."""
    for _ in range(3):
        client.create("one of many")
    params = {"q": "name = 'one of many'", "pageSize": 2, "fields": "nextPageToken,files(id)"}
    url = "https://www.googleapis.com/drive/v3/files"
    first = client.http_client.request("get", url, params=params).json()
    params["pageToken"] = first["nextPageToken"]
    second = client.http_client.request("get", url, params=params).json()
    assert len({file["id"] for file in first["files"] + second["files"]}) == 3
    assert "nextPageToken" not in second


def test_copy_with_permissions_and_comments(client, book):
    """A copy has the content and, where asked for, the permissions and comments."""
    book.sheet1.update([["x"]], "A1")
    book.share("writer@example.com", "user", "writer")
    url = f"https://www.googleapis.com/drive/v3/files/{book.id}/comments"
    client.http_client.request("post", url, json={"content": "hello"}, params={"fields": "id"})
    copied = client.copy(book.id, copy_permissions=True, copy_comments=True)
    assert copied.title == f"Copy of {book.title}"
    assert copied.sheet1.acell("A1").value == "x"
    addresses = [p["emailAddress"] for p in copied.list_permissions()]
    assert "writer@example.com" in addresses
    url = f"https://www.googleapis.com/drive/v3/files/{copied.id}/comments"
    found = client.http_client.request("get", url, params={"fields": "comments/content"})
    assert found.json() == {"comments": [{"content": "hello"}]}


def test_permissions(book):
    """Permissions are granted, listed, handed over and removed."""
    book.share("a@example.com", "user", "reader")
    book.share(None, "anyone", "reader", with_link=True)
    book.share("example.org", "domain", "reader")
    found = {p["type"]: p for p in book.list_permissions() if p["role"] == "reader"}
    assert found["user"]["emailAddress"] == "a@example.com"
    assert found["anyone"]["id"] == "anyoneWithLink"
    assert found["domain"]["domain"] == "example.org"
    book.remove_permissions("a@example.com")
    assert "a@example.com" not in {p.get("emailAddress") for p in book.list_permissions()}


def test_transfer_of_ownership(book, emulator):
    """An accepted transfer makes the new owner the owner and the old one a writer."""
    book.share("heir@example.com", "user", "writer")
    heir = next(p for p in book.list_permissions() if p.get("emailAddress") == "heir@example.com")
    book.transfer_ownership(heir["id"])
    assert next(p for p in book.list_permissions() if p["id"] == heir["id"])["pendingOwner"]
    book.accept_ownership(heir["id"])
    roles = {p["emailAddress"]: p["role"] for p in book.list_permissions()}
    email = emulator.service_account_info()["client_email"]
    assert roles == {"heir@example.com": "owner", email: "writer"}


def test_exports(client, book):
    """CSV and TSV hold the first sheet's shown values."""
    book.sheet1.update([["a,b", "c"], ["", "50%"]], "A1", raw=False)
    assert book.export(ExportFormat.CSV) == b'"a,b",c\r\n,50%'
    assert book.export(ExportFormat.TSV) == b"a,b\tc\r\n\t50%"


def test_import_csv(client, book):
    """An imported CSV file replaces all sheets by one that is named like the file."""
    book.add_worksheet("other", 1, 1)
    answer = client.import_csv(book.id, 'a,1\n"b, c",50%\n')
    assert answer["id"] == book.id
    assert [sheet.title for sheet in book.worksheets()] == [book.title]
    assert book.sheet1.get_all_values() == [["a", "1"], ["b, c", "50%"]]


def test_times(book):
    """A change moves the time of the last change and leaves the time of creation."""
    created = book.creationTime
    before = book.get_lastUpdateTime()
    book.sheet1.update([["x"]], "A1")
    book.update_drive_metadata()
    assert book.creationTime == created
    assert book.get_lastUpdateTime() >= before


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("get", "/drive/v3/files/nope", "File not found: nope."),
        ("delete", "/drive/v3/files/nope", "File not found: nope."),
        ("post", "/drive/v3/files/nope/copy", "File not found: nope."),
        ("get", "/drive/v3/files/nope/permissions", "File not found: nope."),
    ],
)
def test_unknown_file(client, method, path, message):
    """An unknown file gets Drive's 404."""
    with pytest.raises(APIError) as caught:
        client.http_client.request(method, "https://www.googleapis.com" + path)
    error = caught.value.response.json()["error"]
    assert error == {
        "errors": [
            {
                "domain": "global",
                "reason": "notFound",
                "message": message,
                "locationType": "parameter",
                "location": "fileId",
            }
        ],
        "code": 404,
        "message": message,
    }


@pytest.mark.parametrize(
    "query", ["name =", "nonsense", "name ~ 'x'", "name = 'x' and", "createdTime > 'soon'"]
)
def test_bad_query(client, query):
    """A query that Drive does not understand gets its 400."""
    url = "https://www.googleapis.com/drive/v3/files"
    with pytest.raises(APIError) as caught:
        client.http_client.request("get", url, params={"q": query})
    error = caught.value.response.json()["error"]
    assert (error["code"], error["errors"][0]["location"]) == (400, "q")


def test_comments_need_fields(client, book):
    """Comments cannot be listed without saying which fields."""
    url = f"https://www.googleapis.com/drive/v3/files/{book.id}/comments"
    with pytest.raises(APIError, match="'fields' parameter is required"):
        client.http_client.request("get", url)


def test_one_comment(client, book):
    """A comment is read by its id, with its author's photo, and gets another content."""
    url = f"https://www.googleapis.com/drive/v3/files/{book.id}/comments"
    ask = partial(client.http_client.request, params={"fields": "*"})
    made = ask("post", url, json={"content": "hello"}).json()
    assert made["author"]["photoLink"].startswith("//lh3.googleusercontent.com/")
    assert ask("get", f"{url}/{made['id']}").json() == made
    changed = ask("patch", f"{url}/{made['id']}/", json={"content": "bye"}).json()
    assert (changed["content"], changed["htmlContent"]) == ("bye", "bye")
    assert changed["modifiedTime"] >= made["modifiedTime"]
    assert ask("get", url).json()["comments"] == [changed]
    for method in ("get", "patch"):
        with pytest.raises(APIError, match=r"Comment not found: 12\."):
            ask(method, f"{url}/12", json={})
        with pytest.raises(APIError, match="'fields' parameter is required"):
            client.http_client.request(method, f"{url}/{made['id']}", json={})


def test_files_by_drive_v2(client, book):
    """The second version of Drive makes and copies files that have titles."""
    url = "https://www.googleapis.com/drive/v2/files"
    folder = {"title": "folder", "mimeType": "application/vnd.google-apps.folder"}
    place = client.http_client.request("post", url, json=folder).json()
    assert (place["title"], place["parents"][0]["isRoot"]) == ("folder", True)
    asked = {"title": "made", "mimeType": SPREADSHEET, "parents": [{"id": place["id"]}]}
    made = client.http_client.request("post", url, json=asked).json()
    assert (made["kind"], made["title"], made["mimeType"]) == ("drive#file", "made", SPREADSHEET)
    assert [(p["id"], p["isRoot"]) for p in made["parents"]] == [(place["id"], False)]
    assert client.open_by_key(made["id"]).title == "made"
    book.sheet1.update([["x"]], "A1")
    copied = client.http_client.request("post", f"{url}/{book.id}/copy", json={}).json()
    assert copied["title"] == f"Copy of {book.title}"
    assert client.open_by_key(copied["id"]).sheet1.acell("A1").value == "x"
    for wrong in ({"title": 5}, {"parents": "root"}, {"parents": [{"id": 5}]}, {"parents": [5]}):
        with pytest.raises(APIError, match=r"\[400\]"):
            client.http_client.request("post", url, json=wrong)


def test_unknown_permission(client, book):
    """An unknown permission gets Drive's 404."""
    with pytest.raises(APIError, match=r"Permission not found: 12\."):
        client.remove_permission(book.id, "12")


def test_answers_are_json(client, book):
    """Drive's answers are typed as Google types them."""
    url = f"https://www.googleapis.com/drive/v3/files/{book.id}"
    response = client.http_client.request("get", url)
    assert response.headers["Content-Type"] == "application/json; charset=UTF-8"
    assert set(json.loads(response.content)) == {"kind", "id", "name", "mimeType"}
