"""The dashboard's page, in a real browser."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

import pytest
from dashboards import TOKEN, dashboard
from headless import CHROMIUM, DRIVER, browser
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select
from waiting import PATIENCE, eventually

from queued_gspread.emulator.faults import Reset
from queued_gspread.errors import CallCancelledError, OutcomeUnknownError, QueueDrainedError
from queued_gspread.monitor import look
from queued_gspread.monitor.resources import Account, AccountQuota, Cache

pytestmark = pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="needs Chromium and its driver (chromium, chromium-driver)"
)
PAGES = ("Overview", "Lanes", "Callers", "Outcomes", "Servers")
QUICK = 0.1
# The contrast of each text that is seen with what is behind it: those below WCAG's AA.
CONTRAST = """
const parse = (text) => (text.match(/[0-9.]+/g) ?? []).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
  .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
  .reduce((sum, c, place) => sum + c * [0.2126, 0.7152, 0.0722][place], 0);
const behind = (node) => {
  for (; node; node = node.parentElement) {
    const color = parse(getComputedStyle(node).backgroundColor);
    if (color.length === 3 || color[3] > 0) return color;
  }
  return [255, 255, 255];
};
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
const poor = [];
while (walker.nextNode()) {
  const node = walker.currentNode.parentElement;
  if (!walker.currentNode.textContent.trim() || !node.checkVisibility()) continue;
  if (node.closest("button:disabled, option, .unseen")) continue;
  const style = getComputedStyle(node);
  const ink = parse(node.namespaceURI.endsWith("svg") ? style.fill : style.color);
  const [low, high] = [light(ink), light(behind(node))].sort((a, b) => a - b);
  const ratio = (high + 0.05) / (low + 0.05);
  if (ratio < 4.5) poor.push(`${walker.currentNode.textContent}: ${ratio.toFixed(2)}`);
}
return poor;
"""
# What can be clicked and is smaller than WCAG's AA has it; without a phone, boxes may be 16 pixels.
SMALL = """
const isSmall = ({ width, height }) => width < 24 || height < 24;
return [...document.querySelectorAll("button, input, select, nav a, summary")]
  .filter((n) => n.checkVisibility() && isSmall(n.getBoundingClientRect()))
  .filter((n) => n.type !== "checkbox" || innerWidth < 700)
  .map((n) => n.textContent || n.id || n.type);
"""
# Hints in fields that are not in the colour of hints, which has the contrast.
HINTS = """
const muted = getComputedStyle(document.querySelector(".hint")).color;
const colorOf = (n) => getComputedStyle(n, "::placeholder").color;
return [...document.querySelectorAll("[placeholder]")].filter((n) => colorOf(n) !== muted).length;
"""
FOCUS = "const node = document.activeElement; return node.closest('main') !== null"
ANIMATIONS = "return document.getAnimations().length"


@pytest.fixture(scope="module")
def driver():
    with browser() as running:
        yield running


class Page:
    """What a person does with the page."""

    def __init__(self, driver, site):
        self.driver, self.site = driver, site

    def open(self, page="overview", detail="", query=""):
        path = "/".join(filter(None, ("#", self.site.namespace, page, detail)))
        self.driver.get("about:blank")
        self.driver.get(f"{self.site.url}/{path}{query}")
        self.until("#connection", "live")
        return self

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        script = "return [...document.querySelectorAll(arguments[0])].map(n => n.textContent)"
        return self.driver.execute_script(script, selector)

    def until(self, selector, text, what=""):
        """Wait until one of the texts that a selector finds has this in it."""
        eventually(
            lambda: any(text in one for one in self.texts(selector)),
            what or f"{selector} shows {text!r}, not {self.texts(selector)}",
        )

    def click(self, text, within=""):
        """Click what has this text, once it is there."""

        def clicked():
            for node in self.driver.find_elements(By.CSS_SELECTOR, f"{within} button, {within} a"):
                try:
                    if node.text == text and node.is_enabled():
                        node.click()
                        return True
                except StaleElementReferenceException:
                    pass
            return False

        eventually(clicked, f"there is {text!r} to click in {within or 'the page'}")

    def sign_in(self, token=TOKEN, by="ann"):
        for field, text in (("by", by), ("token", token)):
            self.find(f"#sign-in-{field}").clear()
            self.find(f"#sign-in-{field}").send_keys(text)
        self.click("Sign in", "#sign-in")

    def confirm(self, verb, reason=""):
        self.until("#action-do", verb)
        self.find("#action-reason").send_keys(reason)
        self.click(verb, "#action")

    def press(self, *keys):
        self.driver.switch_to.active_element.send_keys(*keys)

    @property
    def is_asking(self):
        return bool(self.driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))


@contextmanager
def looking(driver, site, *, faults=()):
    """Return the page of a dashboard; at the end it has met no error but the ones expected."""
    driver.get_log("browser")
    yield Page(driver, site)
    driver.execute_script("sessionStorage.clear(); localStorage.clear()")
    driver.get("about:blank")  # or it would go on asking a dashboard that is gone
    told = [line["message"] for line in driver.get_log("browser") if line["level"] == "SEVERE"]
    assert [line for line in told if not any(fault in line for fault in faults)] == []


@pytest.fixture
def page(driver, site):
    with looking(driver, site, faults=["status of 401", "status of 409"]) as seen:
        yield seen


@pytest.fixture
def media(driver):
    """Return a function that sets how the browser shows pages, until the test is over."""

    def show(scheme="light", width=0):
        features = [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        if width:
            screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": True}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)

    yield show
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_every_page_shows_the_queue(page, ws, waiting):
    """Each page shows its part of the queue, one is reached from the other, and none has errors."""
    with pytest.raises(Exception, match="Unable to parse range"):
        ws.get("Nosuch!A1")
    waiting(2)
    page.open()
    page.until(".problems li", "all calls are paused by")
    page.until(".gauge h2", "Quota of writes")
    page.until(".lines li", "works, for")
    page.until(".plot .legend", "calls")
    assert len(page.driver.find_elements(By.CSS_SELECTOR, ".plot canvas")) == 3
    for name in PAGES[1:]:
        page.click(name, "nav")
        page.until("nav [aria-current]", name)
        page.until(".page h2", name)
    page.until("tbody td", "works")
    page.click("Outcomes", "nav")
    page.until("tbody td", "APIError: Unable to parse range")
    page.click("Callers", "nav")
    eventually(lambda: page.texts("tbody tr"), "a caller is shown")
    page.click("Lanes", "nav")
    page.click("A spreadsheet", "tbody")
    page.until("tbody td", "No. 1, worksheet.append_row of")
    page.until("tbody tr:first-child td[data-label='Waits for']", "paused by")
    page.until(".page p", "2 calls, paused by")
    assert "secret" not in page.driver.page_source


@pytest.mark.parametrize(("scheme", "width"), [("light", 0), ("dark", 0), ("dark", 390)])
def test_every_page_can_be_read(page, ws, waiting, media, scheme, width):
    """Light, dark and on a phone, texts have WCAG's AA contrast, and no page is too wide."""
    waiting(1)
    media(scheme, width)
    lane = ("lane", ws.spreadsheet_id)
    for name, detail in (*((name.lower(), "") for name in PAGES), lane):
        page.open(name, detail)
        assert page.driver.execute_script(CONTRAST) == [], name
        # On a phone the window grows with what is too wide, and says so of itself.
        script = "return document.documentElement.scrollWidth - (arguments[0] || innerWidth)"
        assert page.driver.execute_script(script, width) <= 0, name
        page.driver.execute_script(
            "document.querySelectorAll('details').forEach(d => d.open = true)"
        )
        assert page.driver.execute_script(script, width) <= 0, name
        assert page.driver.execute_script(SMALL) == [], name
        assert page.driver.execute_script(HINTS) == 0, name
    assert page.driver.execute_script(ANIMATIONS) == 0
    page.open()
    page.click("Pause …", ".wrong")
    eventually(lambda: page.is_asking)
    assert page.driver.execute_script(CONTRAST) == []


KEY = "Google refuses the key: invalid_grant"
NONE = "\u2013"
ACCOUNTS = (
    Account("bot@a.example", "a", True, False, "", (AccountQuota("read", 60, 45, 0.0, 1200),)),
    Account("b@a.example", "a", False, True, KEY, (AccountQuota("write", 60, 60, 0.0, 34),)),
    Account("c@c.example", "c", False, False, "", (AccountQuota("write", 0, 7, 19.0, 5),)),
)
USED = {"accounts": ACCOUNTS, "cache": Cache(1204, 301, 3_300_000, 64 << 20, 120)}


@pytest.fixture
def showing(driver, redis_url, namespace):
    """Return what opens a page of this queue, with something else in some parts of it."""

    @contextmanager
    def show(**parts):
        def read(settings, seconds):
            return replace(look(settings, seconds), **parts)

        with (
            dashboard(redis_url, namespace, every=QUICK, read=read) as site,
            looking(driver, site) as page,
        ):
            yield page.open()

    return show


def test_accounts_and_memory_are_shown_where_they_are_used(showing):
    """Several accounts have a row each, with their slots and state; memory has its numbers."""
    with showing(**USED) as page:
        page.until(".accounts tbody td", "bot@a.example")
        rows = [[td.text for td in tr.find_elements(By.CSS_SELECTOR, "td")] for tr in rows_of(page)]
        assert rows == [
            ["bot@a.example", "a", "45 of 60", NONE, "1,200", "first"],
            ["b@a.example", "a", NONE, "60 of 60", "34", f"out: {KEY}"],
            ["c@c.example", "c", NONE, "7, no limit", "5", "lends, writes pause 19 s"],
        ]
        numbers = [text.replace("\u00a0", " ") for text in page.texts(".memory dd")]
        assert numbers == ["0", "1,204", "80 %", "120", "3.1 MiB", "64.0 MiB"]
        assert "Quota of reads, first account" in page.texts(".gauge h2")
    with showing(accounts=ACCOUNTS[:1]) as page:
        assert not page.find(".resources").is_displayed()
        assert "Quota of reads" in page.texts(".gauge h2")
    with showing(cache=Cache(0, 9, None, None, None)) as page:
        assert page.texts(".memory dd")[2:] == ["0\u00a0%", "?", "?", "?"]
        assert not page.find(".accounts").is_displayed()


def test_no_account_is_out_of_sight(showing):
    """On a screen of a usual width six accounts, and all of their columns, can be seen at once."""
    name = "sheets-writer-{}@spreadsheets-123456.iam.gserviceaccount.com"
    many = tuple(
        replace(one, account=name.format(number), project="spreadsheets-123456")
        for number, one in enumerate(ACCOUNTS * 2)
    )
    with showing(**{**USED, "accounts": many}) as page:
        page.until(".accounts tbody td", name.format(5))
        hidden = "return [box.scrollWidth - box.clientWidth, box.scrollHeight - box.clientHeight]"
        script = f"const box = document.querySelector('.accounts .scroll'); {hidden}"
        assert page.driver.execute_script(script) == [0, 0]


def rows_of(page):
    return page.driver.find_elements(By.CSS_SELECTOR, ".accounts tbody tr")


@pytest.mark.parametrize(("scheme", "width"), [("light", 0), ("dark", 0), ("dark", 390)])
def test_accounts_and_memory_can_be_read(showing, media, scheme, width):
    """Light, dark and on a phone they have WCAG's AA contrast, and no page is too wide."""
    media(scheme, width)
    with showing(**USED) as page:
        page.until(".accounts tbody td", "out: ")
        assert page.driver.execute_script(CONTRAST) == []
        script = "return document.documentElement.scrollWidth - (arguments[0] || innerWidth)"
        assert page.driver.execute_script(script, width) <= 0


def test_the_first_glance_says_what_waits_and_why(page, ws, waiting, operator):
    """The overview has the oldest spreadsheets by title, each with why, and leads to them."""
    waiting(2)
    operator.pause("write", ws.spreadsheet_id, "a move")
    page.open()
    page.until(".waits tbody td", "paused by")
    page.until(".waits tbody td", "A spreadsheet")
    page.until(".waits a", "All lanes: 1")
    page.click("A spreadsheet", ".problems")
    page.until(".page h2", "A spreadsheet")
    page.until(".problems li", "a move")
    assert "[object" not in "".join(page.texts(".page"))


def test_failures_in_doubt_are_what_is_wrong(page, raw, ws, emulator):
    """An unknown outcome is among what is wrong, with a way to it and with what to do about it."""
    emulator.faults.add(Reset(applied=True), method="POST", count=1)
    with pytest.raises(OutcomeUnknownError):
        ws.append_row(["secret"])
    page.open()
    page.until(".problems li", "failures in doubt: 1")
    page.click("Look at them", ".problems")
    page.until("tbody td", "OutcomeUnknownError")
    page.until(".problems li", "look whether it is there")
    assert "UTC" in page.texts("tbody td[data-label=When]")[0]


def test_without_a_server_no_limit_is_made_up(driver, redis_url, namespace):
    """As long as no server has said a limit, the gauges say that it is not known."""
    with dashboard(redis_url, namespace, every=QUICK) as site, looking(driver, site) as page:
        page.open()
        page.until(".gauge .small", "limit not known")


def test_a_link_that_is_odd_leads_to_the_overview(driver, site):
    """An address that cannot be read, or that names no page, shows the overview."""
    with looking(driver, site) as page:
        for odd in ("#/%E0%A4%A", f"#/{site.namespace}/constructor", f"#/{site.namespace}/%"):
            driver.get("about:blank")
            driver.get(f"{site.url}/{odd}")
            page.until("nav [aria-current]", "Overview")
            page.until("#connection", "live")


def test_the_focus_stays_in_the_page(page, ws, waiting, operator):
    """When what had the focus goes, the page has it; a link in what changes keeps it."""
    waiting(1)
    page.open()
    page.click("Resume …", ".problems")
    page.sign_in()
    page.until("#action-where", f"queue {page.site.namespace}")
    page.confirm("Resume")
    eventually(lambda: not page.texts(".problems button"))
    assert page.driver.execute_script(FOCUS)
    page.driver.execute_script("document.querySelector('.waits > a').focus()")
    operator.pause("all", "", "news")
    page.until(".problems li", "news")
    assert page.driver.switch_to.active_element.text.startswith("All lanes")


def test_a_dialog_whose_opener_is_gone_leaves_the_focus_in_the_page(page, operator):
    """A pause that ends while its dialog is open takes the button with it, but not the focus."""
    operator.pause("all", "", "a move")
    page.open()
    page.click("Resume …", ".problems")
    page.sign_in()
    page.until("#action-title", "Resume")
    operator.resume()
    eventually(lambda: not page.texts(".problems button"))
    page.press(Keys.ESCAPE)
    eventually(lambda: not page.is_asking)
    eventually(lambda: page.driver.execute_script(FOCUS))


def test_what_was_done_is_announced(page):
    """What an action has done is told in a region that was there before, as readers need it."""
    page.open()
    assert page.find("#told").is_enabled()
    hidden = "return getComputedStyle(document.querySelector('#told')).display"
    assert page.driver.execute_script(hidden) != "none"
    page.click("Drain …", ".wrong")
    page.sign_in()
    page.confirm("Drain")
    page.until("#told", "drained")
    page.click("Resume all …", ".wrong")
    page.confirm("Resume")
    page.until("#told", "ended")


def test_pause_and_resume_with_a_wrong_token_first(page, ws, operator):
    """An action asks for the token, says if it is wrong, and goes on once it is right."""
    page.open()
    page.click("Pause …", ".wrong")
    page.sign_in("a-wrong-token-of-tests")
    page.until("#sign-in-problem", "missing or wrong")
    assert operator.pauses() == ()
    page.sign_in()
    page.until("#action-title", "Pause the queue")
    Select(page.find("#action-kind")).select_by_value("write")
    page.confirm("Pause", "a move")
    page.until("#told", "writes are paused by ann@127.0.0.1,dashboard:")
    (pause,) = operator.pauses()
    assert (pause.what, pause.why) == ("write", "a move")
    page.until(".problems li", "a move")
    page.until(".lines li", "pause writes (a move), ann@127.0.0.1")
    page.click("Resume …", ".problems")
    page.confirm("Resume")
    eventually(lambda: operator.pauses() == ())
    page.until(".problems li", "no standby")


def test_drain_purge_and_resume_all(page, ws, waiting, operator):
    """A drain keeps new calls out, a purge says how many callers it tells, and both end."""
    (call,) = waiting(1)
    page.open()
    page.click("Drain …", ".wrong")
    page.sign_in()
    page.confirm("Drain", "new machine")
    page.until(".problems li", "drained by ann@")
    with pytest.raises(QueueDrainedError, match="new machine"):
        ws.acell("A1")
    page.click("Purge …", ".wrong")
    page.until("#action-question", "Cancel 1 call in")
    page.confirm("Cancel them", "wrong file")
    assert isinstance(call.exception(PATIENCE), CallCancelledError)
    page.until("#told", "cancelled 1 call")
    page.click("Resume all …", ".wrong")
    page.confirm("Resume")
    eventually(lambda: operator.pauses() == ())


def test_a_call_is_cancelled_and_its_spreadsheet_paused(page, ws, waiting, operator):
    """A lane's page cancels the call of a row, and pauses and resumes this spreadsheet alone."""
    first, second = waiting(2)
    page.open("lane", ws.spreadsheet_id)
    eventually(lambda: len(page.texts("tbody tr")) == 2)
    page.click("Cancel …", "tbody")
    page.sign_in()
    page.confirm("Cancel the call", "twice")
    assert "twice" in str(first.exception(PATIENCE))
    eventually(lambda: len(page.texts("tbody tr")) == 1)
    page.click("Pause …", ".page")
    page.confirm("Pause")
    eventually(lambda: [each.lane for each in operator.pauses()] == ["", ws.spreadsheet_id])
    page.click("Resume …", ".problems")
    page.confirm("Resume")
    eventually(lambda: [each.lane for each in operator.pauses()] == [""])
    page.click("Purge …", ".page")
    page.confirm("Cancel them")
    assert isinstance(second.exception(PATIENCE), CallCancelledError)
    page.until(".scroll .empty", "No calls are in this lane.")


def test_outcomes_are_dismissed(page, ws, site):
    """Those that are ticked are forgotten, the others stay."""
    for name in ("One", "Two"):
        with pytest.raises(Exception, match="Unable to parse range"):
            ws.get(f"{name}!A1")
    eventually(lambda: site.get("outcomes")[1]["in_all"] == 2)
    page.open("outcomes")
    eventually(lambda: len(page.texts("tbody tr")) == 2)
    page.find("tbody input").click()
    page.click("Dismiss 1 …", ".bar")
    page.sign_in()
    page.confirm("Dismiss", "seen to")
    eventually(lambda: len(page.texts("tbody tr")) == 1)
    assert site.get("outcomes")[1]["in_all"] == 1


def test_outcomes_that_could_not_be_read_are_read_again(driver, redis_url, namespace):
    """If the list cannot be had, the page says so, and asks again though nothing has changed."""
    faults = ["BLOCKED_BY_CLIENT"]
    with (
        dashboard(redis_url, namespace, every=QUICK) as site,
        looking(driver, site, faults=faults) as page,
    ):
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/outcomes"]})
        try:
            page.open("outcomes")
            page.until(".problem", "They cannot be shown")
        finally:
            driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
        eventually(lambda: page.texts(".page > .problem") == [""])


def test_without_a_token_there_is_nothing_to_do(driver, redis_url, namespace, ws, waiting):
    """A dashboard without a token has no buttons that act, and says that it only shows."""
    waiting(1)
    with dashboard(redis_url, namespace, token="") as site, looking(driver, site) as page:
        page.open()
        page.until("#place", "only to look at")
        assert "Pause …" not in "".join(page.texts("button"))
        page.open("lane", ws.spreadsheet_id)
        eventually(lambda: page.texts("tbody tr"))
        assert "Cancel …" not in "".join(page.texts("button"))
        assert not page.find("#sign").is_displayed()


LANES = """
for lane = 1, 1000 do
  local name = string.format('lane-%04d', lane)
  redis.call('SADD', KEYS[1], name)
  for job = 1, 1 + lane % 7 do
    redis.call('XADD', KEYS[2] .. name, '*', 'id', name .. job, 'job', '{}')
  end
end
"""


@pytest.fixture
def lanes(raw, keys):
    """Put a thousand lanes into the queue, which no server looks at."""
    raw.eval(LANES, 2, keys.active, keys.lane(""))


def test_a_lane_beyond_the_first_thousand(driver, redis_url, namespace, lanes, raw, keys):
    """A lane of which the snapshot has nothing shows its calls: it is not said to be empty."""
    raw.sadd(keys.active, "zzz")
    raw.xadd(keys.lane("zzz"), {"id": "J", "job": "{}"})

    def read(settings, seconds):
        seen = look(settings, seconds)
        return replace(seen, lanes=tuple(each for each in seen.lanes if each.lane != "zzz"))

    with (
        dashboard(redis_url, namespace, every=QUICK, read=read) as site,
        looking(driver, site) as page,
    ):
        page.open("lane", "zzz")
        page.until(".page p", "zzz: 1 call; how long one more waits is not known")


ROWS = "return [...document.querySelectorAll('tbody tr')].map(tr => tr.dataset.key)"


def test_a_thousand_lanes(page, lanes, raw, keys):
    """They are sorted and filtered, by keys too; rows stay the same, and the address has it all."""
    page.open("lanes")
    eventually(lambda: len(page.texts("tbody tr")) == 1000, "all lanes are shown")
    page.press("/")
    page.press("lane-000")
    eventually(lambda: len(page.texts("tbody tr")) == 9)
    page.press(Keys.ESCAPE)
    page.click("Calls", "thead")
    eventually(lambda: page.driver.execute_script(ROWS)[0] == "lane-0006")
    page.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN)
    selected = "tr[aria-current]"
    assert page.driver.execute_script(ROWS).index("lane-0005") == 1
    assert page.find(selected).get_attribute("data-key") == "lane-0005"
    page.driver.execute_script("document.querySelector(arguments[0]).mine = true", selected)
    raw.xadd(keys.lane("lane-0001"), {"id": "x", "job": "{}"})
    for _ in range(9):
        raw.xadd(keys.lane("lane-0009"), {"id": "x", "job": "{}"})
    eventually(lambda: page.driver.execute_script(ROWS)[0] == "lane-0009")
    assert page.driver.execute_script("return document.querySelector(arguments[0]).mine", selected)
    assert page.find(selected).get_attribute("data-key") == "lane-0005"
    assert page.driver.switch_to.active_element.get_attribute("data-key") == "lane-0005"
    assert page.driver.current_url.endswith("/lanes?filter=lane-000&sort=-calls")
    page.driver.refresh()
    eventually(lambda: len(page.texts("tbody tr")) == 9)
    assert page.find("th[aria-sort=descending]").text.startswith("Calls")
    page.press(Keys.ARROW_DOWN, Keys.ENTER)
    page.until(".page h2", "lane-0009")


def test_what_is_asked_stays_over_updates(page, ws, operator):
    """A dialog and what is typed into it stay while the page behind it changes."""
    page.open()
    page.click("Pause …", ".wrong")
    page.sign_in()
    page.find("#action-reason").send_keys("half a rea")
    operator.drain("something else")
    page.until(".problems li", "something else")
    assert page.is_asking
    assert page.find("#action-reason").get_attribute("value") == "half a rea"
    page.press("son p / ")
    assert page.find("#action-reason").get_attribute("value") == "half a reason p / "
    page.press(Keys.ESCAPE)
    eventually(lambda: not page.is_asking)
    operator.resume()


def test_the_view_is_paused_and_stops_while_hidden(page, site, operator):
    """By `p` nothing changes until it is pressed again; hidden, the page asks for nothing."""
    (sampler,) = site.samplers
    page.open()
    page.press("p")
    page.until("#connection", "view paused")
    eventually(lambda: not sampler.is_looking, "nobody looks")
    operator.pause("all", "", "unseen")
    page.press("p")
    page.until(".problems li", "unseen")
    assert sampler.is_looking
    hide = """
    Object.defineProperty(document, "hidden", { value: arguments[0], configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
    """
    page.driver.execute_script(hide, True)
    eventually(lambda: not sampler.is_looking, "nobody looks")
    operator.resume()
    page.driver.execute_script(hide, False)
    page.until(".problems li", "no server")


def test_a_server_that_is_killed_while_it_is_looked_at(page, start_process):
    """The page says that no server works, and shows the next one, by itself."""
    first = start_process()
    page.open()
    page.until(".lines li", "works, for")
    first.kill()
    page.until(".problems li", "no server has worked for")
    start_process()
    page.until(".lines li", "works, for")
    page.click("Servers", "nav")
    page.until("tbody td", "works")


def test_a_dashboard_that_stops_and_comes_back(driver, redis_url, namespace):
    """The page says that nothing answers, keeps what it has shown, and goes on by itself."""
    faults = ["ERR_CONNECTION", "ERR_EMPTY_RESPONSE", "ERR_INCOMPLETE", "ERR_NETWORK"]
    with dashboard(redis_url, namespace, every=QUICK) as site:
        page = Page(driver, site).open()
        page.until(".problems li", "no server")
    page.until("#trouble", "does not answer")
    page.until("#trouble", "The page shows 20")
    assert page.texts(".problems li")
    port = int(site.url.rpartition(":")[2])
    with (
        dashboard(redis_url, namespace, every=QUICK, port=port) as site,
        looking(driver, site, faults=faults) as page,
    ):
        page.until("#connection", "live")
        assert page.texts("#trouble") == [""]


def test_without_a_stream_it_asks(driver, redis_url, namespace, operator):
    """Where no stream of events comes through, the page asks once a second instead."""
    with (
        dashboard(redis_url, namespace, every=QUICK) as site,
        looking(driver, site, faults=["BLOCKED_BY_CLIENT"]) as page,
    ):
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": ["*/events*"]})
        try:
            page.open()
            page.until("#connection", "live, by asking")
            operator.pause("all", "", "by asking")
            page.until(".problems li", "by asking")
        finally:
            driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": []})
            operator.resume()


def test_nothing_of_a_queue_is_taken_for_code(page, raw, keys):
    """A lane's name and a reason that hold HTML are shown as they are."""
    hostile = "<img src=x onerror=\"document.title='x'\">"
    raw.sadd(keys.active, hostile)
    raw.xadd(keys.lane(hostile), {"id": "x", "job": "{}"})
    page.open("lanes")
    page.until("tbody td", "<img src=x onerror=")
    assert page.driver.title != "x"


def test_at_most_is_never_rounded_down(page):
    """An expected wait is shown in whole units that are not less than it is."""
    page.open()
    shown = page.driver.execute_async_script(
        "const [done] = [...arguments].slice(-1);"
        "import('/page/format.js').then(({atMost}) => done([9.01, 139, 5401].map(atMost)));"
    )
    assert [text.replace("\u00a0", " ") for text in shown] == [
        *("at most 9.1 s", "at most 3 min", "at most 2 h")
    ]


def test_a_longer_wait_in_a_spreadsheet_in_use_is_said(page):
    """The overview says how long a call to a spreadsheet in use waits, if that is longer."""
    page.open()
    said = page.driver.execute_async_script(
        "const [done] = [...arguments].slice(-1);"
        "import('/page/overview.js').then(({whereInUse}) =>"
        " done([60, 14, null].map(most => whereInUse(14, {at_most: most}))));"
    )
    assert [text.replace("\u00a0", " ") for text in said] == [
        *("; to a spreadsheet in use, at most 60 s", "", "")
    ]


def test_another_queue_is_chosen(driver, redis_url, namespace):
    """With several queues, the page shows the one that is chosen, and the address has it."""
    other = f"{namespace}-2"
    with (
        dashboard(redis_url, namespace, other, every=QUICK) as site,
        looking(driver, site) as page,
    ):
        page.open("servers")
        Select(page.find("#queue")).select_by_value(other)
        page.until("#place", f"'{other}'")
        assert page.driver.current_url.endswith(f"#/{other}/servers")
