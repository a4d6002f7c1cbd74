"""What a visitor does with the page, in a real browser: one application, one worker and one browser for all of it."""

import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from playwright.sync_api import Browser, Page, Route, expect

from tests.notebook.browser import NARROW, WIDE, chromium, cut_off, distinct_pictures
from tests.serve.service import PATIENCE, Service, serving, wanted
from text2art_nb.serve.config import Config, Limits, Notices

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="the extra [ui] is not installed"),
]

WAIT = PATIENCE * 1000
HOSTILE = "<img src=x onerror=\"document.title='broken'\"> {{value}} ${document.title='broken'} <b>bold</b>"
SMALL = "size=48x48\nnum_cuts=2"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service with its page, that hangs pictures and sends mail to nowhere."""
    folder = tmp_path_factory.mktemp("browser")
    room = Limits(per_minute=1000, reads_per_minute=100_000, at_once=50)
    mail = Notices(mail="mailto://127.0.0.1:9?from=art@example.org&mode=insecure")
    config = Config(data=folder / "data", heartbeat=0.5, limits=room, notices=mail)
    with serving(config, folder, page=True) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, service: Service) -> Iterator[Page]:
    """The page, open. It can reach nothing but the service, and has no errors of its own at the end."""
    tab = browser.new_context(viewport=WIDE, accept_downloads=True).new_page()
    tab.set_default_timeout(WAIT)
    expect.set_options(timeout=WAIT)
    errors: list[str] = []
    elsewhere: list[str] = []

    def let_through(route: Route) -> None:
        if route.request.url.startswith(service.url):
            route.continue_()
        else:
            elsewhere.append(route.request.url)
            route.abort()

    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.route(re.compile("^https?://"), let_through)
    tab.goto(f"{service.url}/ui/")
    tab.locator(".t2a-gallery").wait_for()
    yield tab
    expect.set_options(timeout=None)
    assert errors == []
    assert elsewhere == []


def ask(page: Page, prompt: str, iterations: int, public: bool = False, others: str = SMALL) -> None:
    """Fill the form, and press Draw."""
    page.locator("#t2a-prompt textarea").fill(prompt)
    page.get_by_text("Pixel art", exact=True).click()
    if not page.locator("#t2a-others textarea").is_visible():
        page.locator("#t2a-more button").first.click()
    page.get_by_label("Iterations").fill(str(iterations))
    page.locator("#t2a-others textarea").fill(others)
    page.get_by_label("Show it in the gallery").set_checked(public)
    page.get_by_role("button", name="Draw", exact=True).click()


def test_a_visitor_watches_a_picture_grow_and_takes_it_home(page: Page, tmp_path: Path) -> None:
    ask(page, HOSTILE, iterations=150, public=True)
    stage = page.locator(".t2a-stage")
    expect(stage.locator(".t2a-status")).to_contain_text(
        re.compile(r"Iteration \d+ of 150 · about \d+ (s|min|h \d+ min) left")
    )
    assert distinct_pictures(stage, "img", seconds=PATIENCE, enough=3) == 3, "the picture grows while it is watched"
    expect(stage.locator(".t2a-status")).to_have_text("Done.")
    with page.expect_download() as saved:
        stage.get_by_role("link", name="PNG").click()
    saved.value.save_as(tmp_path / "city.png")
    assert (tmp_path / "city.png").read_bytes().startswith(b"\x89PNG")
    expect(stage.get_by_role("link", name="MP4")).to_be_visible()


@pytest.mark.nightly
def test_what_a_visitor_wrote_is_text_on_the_stage_and_in_the_gallery(page: Page) -> None:
    for place in (".t2a-stage .t2a-said", ".t2a-card .t2a-said >> nth=0"):
        assert page.locator(place).inner_text().split() == HOSTILE.split()
        assert page.locator(place).locator("*").count() == 0
    assert page.title() == "text2art"


@pytest.mark.nightly
def test_a_visitor_likes_a_picture_once_and_takes_it_back(page: Page, service: Service) -> None:
    like = page.locator(".t2a-like").first
    like.click()
    expect(like).to_have_text("♥ 1")
    expect(like).to_have_attribute("aria-pressed", "true")
    assert [each["likes"] for each in service.client.get("/api/gallery").json()] == [1]
    like.click()
    expect(like).to_have_text("♥ 0")


@pytest.mark.nightly
def test_draw_this_again_fills_the_form(page: Page) -> None:
    page.locator("#t2a-prompt textarea").fill("something else")
    page.locator(".t2a-card").first.get_by_role("button", name="Draw this again").click()
    expect(page.locator("#t2a-prompt textarea")).to_have_value(HOSTILE)
    expect(page.get_by_label("Iterations")).to_have_value("150")
    expect(page.locator("#t2a-others textarea")).to_have_value(re.compile("size=48x48"))


@pytest.mark.nightly
def test_a_visitor_who_comes_back_finds_the_picture_again(page: Page) -> None:
    page.reload()
    stage = page.locator(".t2a-stage")
    expect(stage.locator(".t2a-status")).to_have_text("Done.")
    expect(stage.locator("img")).to_be_visible()


@pytest.mark.nightly
def test_cancel_stops_the_worker_and_one_that_waits_says_its_place(page: Page, service: Service) -> None:
    first = service.client.post("/api/jobs", json=wanted(settings={"iterations": 1000})).json()["id"]
    ask(page, "a tower", iterations=1000)
    status = page.locator(".t2a-stage .t2a-status")
    expect(status).to_contain_text("Waiting, number 1 in the queue")
    service.client.delete(f"/api/jobs/{first}")
    expect(status).to_contain_text("Iteration")
    page.get_by_role("button", name="Cancel").click()
    expect(status).to_contain_text("Cancelled at iteration")
    assert service.draw(prompt="the next one")["status"] == "done", "the worker is free again"


@pytest.mark.nightly
def test_what_is_wrong_is_said_under_the_button_as_text(page: Page) -> None:
    ask(page, "a tower", iterations=5, others="<b>siize</b>=48x48")
    note = page.locator(".t2a-note")
    expect(note).to_contain_text("siize")
    assert note.locator("*").count() == 0


@pytest.mark.nightly
def test_an_address_goes_in_and_never_comes_back(page: Page, service: Service) -> None:
    page.get_by_label("Email it to me").fill("ada@example.org")
    with page.expect_response(re.compile("gradio_api")) as answer:
        ask(page, "a tower", iterations=1000, public=True)
    page.get_by_label("Email it to me").fill("")
    page.wait_for_function("location.hash.length > 10")
    job = f"/api/jobs/{page.evaluate('location.hash').lstrip('#')}"
    with service.job_service.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT address FROM addresses").scalars().all() == ["ada@example.org"]
    told = [answer.value.text(), *(service.client.get(path).text for path in (job, "/api/gallery", "/api/metrics"))]
    service.client.delete(job)
    told.append(service.client.get(f"{job}/events").text)
    assert not any("ada@example.org" in each for each in told)


@pytest.mark.nightly
def test_a_phone_shows_all_of_it_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size(NARROW)
    assert cut_off(page.locator(".gradio-container")) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.set_viewport_size(WIDE)


@pytest.mark.nightly
def test_the_api_explains_itself_without_a_network(page: Page, service: Service) -> None:
    page.goto(f"{service.url}/docs")
    expect(page.locator(".opblock-summary-path", has_text="/api/jobs").first).to_be_visible()
    expect(page.locator(".info .title")).to_contain_text("text2art")
