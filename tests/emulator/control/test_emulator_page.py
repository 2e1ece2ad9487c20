"""The page that shows an emulator, in a real browser."""

import struct
import zlib

import pytest
from emulator_traffic import Traffic
from gspread.exceptions import APIError
from headless import CHROMIUM, DRIVER, browser
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from waiting import eventually

from queued_gspread.emulator import Emulator, Quotas
from queued_gspread.emulator.control.rules import FAULTS
from queued_gspread.emulator.faults import Status

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium and its driver (chromium, chromium-driver)"
)


@pytest.fixture(scope="module")
def driver():
    with browser() as running:
        yield running


@pytest.fixture
def page(driver, own):
    """Return the page of an emulator of this test alone; at the end it has met no error."""
    driver.get(own.url)
    seen = Page(driver)
    seen.until("#connection", "live")
    driver.get_log("browser")
    yield seen
    told = [line for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert [line for line in told if "Failed to load resource" not in line["message"]] == []


class Page:
    """What a person does with the page."""

    def __init__(self, driver):
        self.driver = driver

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def text(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)"
        return self.driver.execute_script(script, selector)

    def until(self, selector, *texts):
        """Wait until some of the texts that a selector finds are these."""
        eventually(lambda: set(texts) <= set(self.text(selector)), f"{selector} shows {texts}")

    def type_into(self, selector, text):
        field = self.find(selector)
        field.clear()
        field.send_keys(text)

    def submit(self, form):
        self.find(f"{form} .actions button").click()

    def press(self, *keys):
        self.find("#sheet").send_keys(*keys)


TABLE = [["Item", "Count", "Price"], ["Apples", 3, "$1.50"], ["Pears", 10, "$0.25"]]
HOSTILE = "<script>document.title='x'</script><img src=x onerror=\"document.title='x'\">"


def filled(emulator):
    """Return a spreadsheet that has been written by gspread, with formats and a merge."""
    book = emulator.gspread_client().create("Orders")
    sheet = book.sheet1
    sheet.update([*TABLE, ["Total", "=SUM(B2:B3)"]], raw=False)
    green = {"backgroundColor": {"red": 0.8, "green": 0.9, "blue": 0.8}}
    sheet.format("A1:C1", {"textFormat": {"bold": True}, **green})
    sheet.freeze(rows=1)
    sheet.merge_cells("E1:F2")
    book.add_worksheet("Stock's list", 20, 5).update([["in stock"]])
    return book


def pixels(png):
    """Return the width and the height of a PNG, and how many different bytes its lines hold."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    place, data = 8, b""
    while place < len(png):
        (length,) = struct.unpack(">I", png[place : place + 4])
        if png[place + 4 : place + 8] == b"IDAT":
            data += png[place + 8 : place + 8 + length]
        place += length + 12
    return width, height, len(set(zlib.decompress(data)))


@pytest.mark.parametrize("look", ["light", "dark"])
def test_a_picture_of_the_page(own, tmp_path, look):
    """A screenshot shows the whole page, with a sheet in it, in light and in dark."""
    filled(own)
    dark = ["--blink-settings=preferredColorScheme=0"] if look == "dark" else []
    with browser(*dark) as driver:
        driver.get(own.url)
        Page(driver).until("#sheet td", "Apples", "$0.25")
        script = "return getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g)"
        brightness = sum(map(int, driver.execute_script(script)[:3]))
        png = driver.get_screenshot_as_png()
    (tmp_path / f"page-{look}.png").write_bytes(png)
    width, height, variety = pixels(png)
    assert width >= 1300
    assert height >= 700
    assert variety > 50
    assert (brightness > 3 * 128) == (look == "light")


def test_an_empty_emulator_says_what_to_do(page):
    """Without files the page says how to make one."""
    page.until("#no-book h2", "No spreadsheets yet")
    assert "gspread" in page.find("#no-book").text
    assert page.find("#no-requests").is_displayed()


def test_what_a_script_writes_shows_up(own, page):
    """Cells appear as they are shown, while the page is open, and changes follow."""
    sheet = filled(own).sheet1
    page.until("#sheet td", "Apples", "$1.50", "13")
    page.until("#files .name", "Orders")
    sheet.update_acell("A2", "Plums")
    page.until("#sheet td", "Plums")
    assert "Apples" not in page.text("#sheet td")


def test_sheets_are_tabs(own, page):
    """Each sheet is a tab, which the arrow keys reach; the address remembers which."""
    filled(own)
    page.until("#tabs button", "Sheet1", "Stock's list")
    page.find("#tabs [aria-selected=true]").send_keys(Keys.ARROW_RIGHT)
    page.until("#sheet td", "in stock")
    page.driver.refresh()
    page.until("#sheet td", "in stock")


def test_the_keyboard_walks_through_cells(own, page):
    """Arrow keys select cells; the bar shows a formula where there is one."""
    filled(own)
    page.until("#sheet td", "13")
    page.press(Keys.ARROW_RIGHT, *[Keys.ARROW_DOWN] * 3)
    page.until("#place", "B4")
    page.until("#content", "=SUM(B2:B3)")
    page.press(Keys.CONTROL, Keys.END)
    page.until("#place", "Z1000")
    eventually(lambda: page.find("#sheet").get_property("scrollTop") > 1000)


def test_content_is_never_html(own, page):
    """Titles, names and cells that look like HTML are shown as text and do nothing."""
    book = own.gspread_client().create(HOSTILE)
    book.sheet1.update_title(HOSTILE)
    book.sheet1.update([[HOSTILE]])
    page.until("#sheet td", HOSTILE)
    page.until("#files .name", HOSTILE)
    page.until("#tabs button", HOSTILE)
    assert page.driver.title == "Emulated spreadsheets"
    assert page.text("#sheet script, #sheet img, #files img, #tabs img") == []


def test_a_quota_is_set_by_the_form(own, page):
    """What is entered holds for the next request, and what it refuses is shown."""
    page.type_into("#quotas-writes", "1")
    page.submit("#quotas")
    page.until("#quotas .said", "Applied.")
    sheet = own.gspread_client().create("limited").sheet1
    sheet.update([["one"]])
    with pytest.raises(APIError, match="429"):
        sheet.update([["two"]])
    page.until("#ledger .status", "429")
    page.until("#count-refused", "1")


def test_a_fault_is_added_by_the_form(own, page):
    """What is entered befalls the next request, is listed with its hits, and is removed."""
    Select(page.find("#fault-kind")).select_by_value("status")
    page.type_into("#fault-status", "503")
    page.type_into("#fault-count", "1")
    page.submit("#fault")
    page.until("#rules .hint", "0 of 1 met it")
    traffic = own.gspread_client()
    with pytest.raises(APIError, match="503"):
        traffic.list_spreadsheet_files()
    page.until("#rules .hint", "1 of 1 met it")
    page.until("#ledger .fault", "503")
    page.find("#rules button").click()
    eventually(lambda: own.faults.rules == [])


@pytest.mark.parametrize(("kind", "status"), [("status", 503), ("html", 502)])
def test_what_is_left_empty_is_as_shown(own, page, kind, status):
    """A default that is shown holds where nothing is entered; examples are told as such."""
    Select(page.find("#fault-kind")).select_by_value(kind)
    assert page.find("#fault-status").get_attribute("placeholder") == str(status)
    assert page.find("#fault-path").get_attribute("placeholder") == "e.g. :append$"
    page.submit("#fault")
    eventually(lambda: [rule.fault.status for rule in own.faults.rules] == [status])
    (rule,) = own.faults.rules
    assert (rule.path, rule.rate, rule.skip, rule.count) == (None, 1.0, 0, None)


def test_a_wrong_entry_is_told_at_its_field(own, page):
    """A value that cannot be used is told beside its field, and nothing is changed."""
    page.type_into("#settings-latency", "soon")
    page.submit("#settings")
    eventually(lambda: "cannot be used" in page.find("#settings-latency-problem").text)
    assert page.find("#settings-latency").get_attribute("aria-invalid") == "true"
    assert own.latency == 0.0


def test_latency_and_races_are_set_by_the_form(own, page):
    """Seconds, a range of them and the race of appends are understood."""
    page.type_into("#settings-latency", "0.01 to 0.02")
    page.type_into("#settings-append_race", "0.5")
    page.submit("#settings")
    page.until("#settings .said", "Applied.")
    assert (own.latency, own.append_race) == ((0.01, 0.02), 0.5)


def test_the_ledger_can_be_filtered_opened_and_cleared(own, page):
    """Only odd requests are shown where asked, one is shown whole, and all are forgotten."""
    filled(own)
    own.faults.add(Status(500), count=1)
    with pytest.raises(APIError):
        own.gspread_client().list_spreadsheet_files()
    page.until("#ledger .status", "500", "200")
    page.find("#only-odd").click()
    script = "return [...document.querySelectorAll('#ledger tbody tr')].filter(r => r.offsetParent)"
    (odd,) = page.driver.execute_script(script)
    odd.find_element(By.TAG_NAME, "button").click()
    eventually(lambda: '"status": 500' in page.find("#entry pre").text)
    page.find("#entry button").click()
    page.find("#clear-ledger").click()
    eventually(lambda: own.ledger == [])
    eventually(lambda: page.find("#no-requests").is_displayed())


def test_tokens_are_revoked_by_a_button(own, page):
    """After a click, the next request of a client gets 401 and renews its token."""
    client = own.gspread_client()
    before = len(own.token_requests)
    page.find("#revoke").click()
    eventually(lambda: client.list_spreadsheet_files() == [] and len(own.token_requests) > before)


def test_a_large_sheet_is_shown_in_part(own, page):
    """Of a sheet with 100,000 rows only what is looked at is in the page."""
    book = own.gspread_client().create("Large")
    book.sheet1.resize(100_000, 50)
    book.sheet1.update([["last"]], "AX100000")
    page.until("#files .name", "Large")
    page.until("#place", "A1")
    assert len(page.text("#sheet td")) < 10_000
    page.press(Keys.CONTROL, Keys.END)
    page.until("#sheet td", "last")


def test_a_change_leaves_the_page_where_it_was_scrolled_to(own, page):
    """While cells change, the scroll position and the selected cell's content stay."""
    sheet = own.gspread_client().create("Long").sheet1
    sheet.update([[f"row {number}"] for number in range(1, 1001)])
    page.until("#sheet td", "row 1")
    page.driver.execute_script("document.getElementById('sheet').scrollTop = 500 * 25")
    page.until("#sheet td", "row 510")
    sheet.update_acell("A510", "changed")
    page.until("#sheet td", "changed")
    assert page.find("#sheet").get_property("scrollTop") == 500 * 25
    assert (page.text("#place"), page.text("#content")) == (["A1"], ["row 1"])


def test_frozen_parts_stay(own, page):
    """Frozen rows and columns are shown wherever the rest was scrolled to."""
    sheet = own.gspread_client().create("Frozen").sheet1
    sheet.update([["a corner whose text is too long for it"], ["left"]])
    sheet.update_acell("Z900", "end")
    sheet.freeze(rows=1, cols=1)
    page.until("#sheet td", "left")
    page.driver.execute_script("document.getElementById('sheet').scrollTo(9999, 899 * 25)")
    page.until("#sheet td", "end")
    corner, sheet_ = page.find("#cell-0-0").rect, page.find("#sheet").rect
    assert (corner["y"], corner["x"]) == (sheet_["y"] + 25, sheet_["x"] + 52)
    # Its text ends with it, and does not lie over what is scrolled beneath.
    assert "spilt" not in page.find("#cell-0-0").get_attribute("class")


def test_cells_look_as_they_were_formatted(own, page):
    """Formats, notes, merges and what is hidden can be seen."""
    sheet = own.gspread_client().create("Formats").sheet1
    sheet.update([["Title", "", "", "noted"]])
    green = {"red": 0.1, "green": 0.5, "blue": 0.36}
    text = {"bold": True, "italic": True}
    sheet.format("A1", {"textFormat": text, "backgroundColor": green})
    sheet.merge_cells("A1:C1")
    sheet.update_note("D1", "a note")
    sheet.hide_rows(1, 2)
    page.until("#sheet td", "Title")
    eventually(lambda: page.text("#sheet .hid") != [])
    title = page.find("#cell-0-0")
    assert title.get_attribute("colSpan") == "3"
    assert page.text("#cell-0-1, #cell-0-2") == []
    assert title.value_of_css_property("background-color") == "rgba(25, 127, 91, 1)"
    assert title.value_of_css_property("font-weight") == "700"
    assert title.value_of_css_property("font-style") == "italic"
    assert page.find("#cell-0-3").get_attribute("title") == "a note"


def test_what_is_being_entered_stays(own, page):
    """What somebody types is not overwritten by what is set elsewhere meanwhile."""
    page.type_into("#quotas-reads", "77")
    own.quotas = Quotas(writes=9)
    eventually(lambda: page.find("#quotas-writes").get_property("value") == "9")
    assert page.find("#quotas-reads").get_property("value") == "77"
    page.submit("#quotas")
    eventually(lambda: own.quotas == Quotas(reads=77, writes=9))


def test_every_kind_of_fault_has_a_form(own, page):
    """Each kind of fault can be chosen and added with what it needs."""
    needs = {"status": ("status", "500"), "latency": ("seconds", "1 to 2")}
    kinds = [option.text for option in Select(page.find("#fault-kind")).options]
    for number, kind in enumerate(FAULTS):
        Select(page.find("#fault-kind")).select_by_value(kind)
        if kind in needs:
            page.type_into(f"#fault-{needs[kind][0]}", needs[kind][1])
        page.submit("#fault")
        eventually(lambda number=number: len(own.faults.rules) == number + 1)
    assert [type(rule.fault) for rule in own.faults.rules] == [made for made, _ in FAULTS.values()]
    assert len(kinds) == len(FAULTS)
    eventually(lambda: len(page.text("#rules button")) == len(FAULTS))
    page.find("#clear-rules").click()
    eventually(lambda: own.faults.rules == [])


def test_every_field_has_a_name(page):
    """Whoever cannot see the page hears what each field of it is."""
    fields = page.driver.find_elements(By.CSS_SELECTOR, "aside input, aside select, .head input")
    assert len(fields) > 20
    assert [field.get_attribute("id") for field in fields if not field.accessible_name] == []


def test_html_cannot_be_set(page):
    """The browser itself keeps scripts of the page from making HTML of text."""
    script = "try { document.body.innerHTML = '<p>'; return '' } catch (e) { return e.name }"
    assert page.driver.execute_script(script) == "TypeError"
    told = [line["message"] for line in page.driver.get_log("browser")]
    assert [line for line in told if "TrustedHTML" not in line] == []


def test_the_page_outlives_its_emulator(driver):
    """While the emulator is away the page says so, and goes on when it is back."""
    with Emulator(seed=1) as emulator:
        filled(emulator)
        driver.get(emulator.url)
        page = Page(driver)
        page.until("#sheet td", "Apples")
        emulator.stop()
        page.until("#connection", "The emulator does not answer. Trying again …")
        assert "Apples" in page.text("#sheet td")
        assert page.text("#ledger .status") != []
        emulator.start()
        page.until("#connection", "live")
        Traffic(emulator).close()
        page.until("#files .name", "Orders", "x")
