"""What Drive is asked is obeyed, refused in Google's words, or named as not emulated."""

import json

import pytest
from discovery import document
from gspread.exceptions import APIError

from queued_gspread.emulator.api import drive, routes
from queued_gspread.emulator.wire.description import fields_of, method

FILES = "https://www.googleapis.com/drive/v3/files"
SPREADSHEET = "application/vnd.google-apps.spreadsheet"
# Parameters that the emulator obeys, and those that would change nothing here: no mail is sent,
# nothing is indexed, and all of Google's rules about rights are its own.
OBEYED = {
    *("addParents", "alt", "corpora", "driveId", "includeItemsFromAllDrives"),
    *("includeTeamDriveItems", "mimeType", "orderBy", "pageSize", "pageToken", "q"),
    *("removeParents", "spaces", "supportsAllDrives", "supportsTeamDrives", "teamDriveId"),
    "transferOwnership",
}
WITHOUT_EFFECT = {
    *("acknowledgeAbuse", "emailMessage", "enforceExpansiveAccess", "enforceSingleParent"),
    *("ignoreDefaultVisibility", "includeDeleted", "keepRevisionForever", "moveToNewOwnersRoot"),
    *("ocrLanguage", "removeExpiration", "sendNotificationEmail", "useContentAsIndexableText"),
    "useDomainAdminAccess",
}


def asked(client, verb, path="", body=None, **params):
    return client.http_client.request(verb, FILES + path, params=params, json=body).json()


def refused(client, verb, path="", body=None, **params):
    """Return the status and the first reason of an error, with its message."""
    with pytest.raises(APIError) as caught:
        asked(client, verb, path, body, **params)
    error = caught.value.response.json()["error"]
    assert error["errors"][0]["message"] == error["message"]
    return error["code"], error["errors"][0]["reason"], error["message"]


def test_each_parameter_of_drive_is_known():
    """A parameter of a method that is served is obeyed, without effect here, or a 501."""
    for name in routes._DRIVE:
        known = method(f"drive.{name}").query.keys() - method("get").query.keys()
        assert known <= OBEYED | WITHOUT_EFFECT | drive._NOT_OBEYED, name


@pytest.mark.parametrize("name", sorted(drive._NOT_OBEYED))
def test_a_parameter_that_is_not_obeyed_is_named(client, book, name):
    """A parameter that would change an answer, and does not here, is a 501 that names it."""
    assert refused(client, "get", f"/{book.id}", **{name: "x"})[0] == 501


@pytest.mark.parametrize(
    "name", [name for name in routes._DRIVE if method(f"drive.{name}").body != "-"]
)
def test_each_field_of_a_body_is_obeyed_or_named(client, book, name):
    """A field that a body may have has an effect, or is a 501 that names it."""
    found = method(f"drive.{name}")
    book.share("a@example.com", "user", "reader", notify=False)
    comment = asked(client, "post", f"/{book.id}/comments", {"content": "c"}, fields="id")
    places = {"permissionId": "none", "commentId": comment["id"], "fileId": book.id}
    path = found.path.format(**places).removeprefix("/drive/v3/files")
    for field in {*fields_of(found.body).values()} - {fields_of(found.body)["kind"]}:
        if field.name not in routes._DRIVE[name].obeyed.split():
            code, _, said = refused(client, found.verb, path, {field.name: "x"}, fields="*")
            assert (code, f"'s {field.name}." in said) == (501, True)


def test_drive_ignores_fields_that_it_does_not_know(client, book):
    """A body's field that Drive does not have changes nothing, as at Google."""
    made = asked(client, "post", "", {"name": "n", "title": "t", "nonsense": [5]})
    assert made["name"] == "n"


@pytest.mark.parametrize(
    ("mask", "part"),
    [
        ("items(id)", "items"),
        ("files(id, title)", "title"),
        ("files/owners/you", "you"),
        ("id", "id"),
    ],
)
def test_a_mask_with_a_field_that_drive_does_not_have(client, mask, part):
    """A field that an answer of Drive cannot have is a 400 that names it."""
    wrong = 400, "invalidParameter", f"Invalid field selection {part}"
    assert refused(client, "get", fields=mask) == wrong


def test_masks_of_all_that_google_describes(client):
    """Every field of Google's description can be asked for, spaces around it or not."""
    found = document("drive.v3")["schemas"]["FileList"]["properties"]
    assert asked(client, "get", fields=" , ".join(found))
    assert asked(client, "get", fields="files(properties/any,capabilities/canEdit)")


def test_files_are_listed_in_the_order_that_is_asked_for(client):
    """`orderBy` orders by one key after the other, each rising or falling."""
    folder = "application/vnd.google-apps.folder"
    for name, kind in (("b 10", SPREADSHEET), ("B 9", SPREADSHEET), ("a", folder)):
        asked(client, "post", "", {"name": f"order {name}", "mimeType": kind})

    def names(order):
        query = "name contains 'order'"
        listed = asked(client, "get", q=query, orderBy=order, fields="files(name)")["files"]
        return [file["name"].removeprefix("order ") for file in listed]

    assert names("") == names("createdTime desc") == ["a", "B 9", "b 10"]
    assert names("name") == ["a", "b 10", "B 9"]
    assert names("name_natural") == ["a", "B 9", "b 10"]
    assert names("folder desc, name_natural desc") == ["b 10", "B 9", "a"]
    assert refused(client, "get", orderBy="size")[:2] == (400, "invalid")
    assert refused(client, "get", orderBy="viewedByMeTime")[0] == 501


def test_files_of_one_shared_drive(client, emulator):
    """`driveId` with `corpora=drive` lists the files of a shared drive alone."""
    drive_id = emulator.add_shared_drive("One")
    body = {"name": "there", "parents": [drive_id]}
    made = asked(client, "post", "", body, supportsAllDrives=True)
    one = {"corpora": "drive", "driveId": drive_id, "includeItemsFromAllDrives": True}
    assert [file["id"] for file in asked(client, "get", **one)["files"]] == [made["id"]]
    assert refused(client, "get", driveId=drive_id)[:2] == (400, "invalid")
    assert refused(client, "get", spaces="photos")[0] == 501


def test_a_spreadsheet_cannot_be_downloaded(client, book):
    """What is edited at Google has no content to download; other files have an empty one here."""
    assert refused(client, "get", f"/{book.id}", alt="media")[:2] == (403, "fileNotDownloadable")
    made = asked(client, "post", "", {"name": "n", "mimeType": "text/plain"})
    found = client.http_client.request("get", f"{FILES}/{made['id']}", params={"alt": "media"})
    assert (found.content, found.headers["Content-Type"]) == (b"", "text/plain")


def test_parents_are_no_part_of_an_update(client, book):
    """A file is moved by parameters: parents in the body are refused in Google's words."""
    path, parents = f"/{book.id}", {"parents": ["root"]}
    assert refused(client, "patch", path, parents)[:2] == (403, "fieldNotWritable")
    assert refused(client, "patch", path, {"mimeType": "text/csv"})[0] == 501
    assert refused(client, "post", f"{path}/copy", {"mimeType": "text/csv"})[0] == 501


def test_a_link_that_can_be_found(client, book):
    """`allowFileDiscovery` says whether a link or a domain's right can be searched for."""
    path, anyone = f"/{book.id}/permissions", {"type": "anyone", "role": "reader"}
    found = asked(client, "post", path, {**anyone, "allowFileDiscovery": True}, fields="*")
    assert (found["id"], found["allowFileDiscovery"]) == ("anyone", True)
    found = asked(client, "post", path, {**anyone, "withLink": False}, fields="*")
    assert (found["id"], found["allowFileDiscovery"]) == ("anyoneWithLink", False)


def test_a_new_owner_replaces_the_old_one(client, book):
    """A file has one owner: another one is made only by a transfer."""
    path = f"/{book.id}/permissions"
    heir = {"type": "user", "role": "owner", "emailAddress": "heir@example.com"}
    assert refused(client, "post", path, heir)[:2] == (403, "forbidden")
    asked(client, "post", path, heir, transferOwnership=True)
    roles = [right["role"] for right in asked(client, "get", path)["permissions"]]
    assert sorted(roles) == ["owner", "writer"]


@pytest.mark.parametrize("what", ["permissions", "comments"])
def test_pages_of_what_a_file_has(client, book, what):
    """Permissions and comments come in pages of the size that is asked for."""
    for name in ("a", "b"):
        book.share(f"{name}@example.com", "user", "reader", notify=False)
        asked(client, "post", f"/{book.id}/comments", {"content": name}, fields="id")
    path = f"/{book.id}/{what}"
    first = asked(client, "get", path, pageSize=1, fields="*")
    token = first["nextPageToken"]
    second = asked(client, "get", path, pageSize=100, pageToken=token, fields="*")
    assert first[what][0] not in second[what]
    assert second[what]
    assert "nextPageToken" not in second
    for wrong in ({"pageSize": "x"}, {"pageSize": 0}, {"pageToken": "x"}, {"pageToken": "-1"}):
        assert refused(client, "get", path, fields="*", **wrong)[:2] == (400, "invalid")


def test_a_comment_keeps_what_it_quotes(client, book):
    """The text that a comment is about is kept with it."""
    quoted = {"mimeType": "text/plain", "value": "q"}
    body = {"content": "c", "quotedFileContent": quoted}
    made = asked(client, "post", f"/{book.id}/comments", body, fields="quotedFileContent")
    assert made == {"quotedFileContent": quoted}


def test_a_broken_body_gets_an_error_of_drive(client):
    """A body that is no JSON is refused with the list of errors that Drive's clients read."""
    with pytest.raises(APIError) as caught:
        client.http_client.request("post", FILES, data=b"{")
    error = json.loads(caught.value.response.content)["error"]
    assert (error["code"], error["errors"][0]["reason"]) == (400, "badRequest")


def test_a_body_of_the_second_version_is_not_cut(client):
    """A field of Drive v2 that the emulator does not keep is a 501 that names it."""
    url = FILES.replace("v3", "v2")
    with pytest.raises(APIError, match="description") as caught:
        client.http_client.request("post", url, json={"title": "t", "description": "d"})
    assert caught.value.code == 501
