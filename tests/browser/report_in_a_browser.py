"""The report's pages in headless Chromium; `make test-browser` runs it, for not every machine has a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from ministack.services import glue, s3
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright

from analytics.report import report
from infra.deploying.stacks import ROOT
from tests.analytics.lake import Lake
from tests.analytics.reports import answers_of, tell_a_history, trends, week

WIDE, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)
LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]
LONG = "Tom & Jerry " + "o" * 190


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert chromium, "install Chromium, on Debian with `apt install chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `REPORT` names, or one with a history, a stale list, long names and a year of trends."""
    if named := os.environ.get("REPORT"):
        return Path(named).resolve()
    lake = Lake()
    tell_a_history(lake)
    lake.watch(artist=["s", "Nobody"])
    lake.chart(week(2), "old", "OA OB OC OD")
    lake.chart(week(0), "first", "K", track_name=LONG, metadata={"playlist_name": LONG})
    for ago, last_day in enumerate(("2026-11-26", "2026-11-19")):
        lake.ranking(last_day, "DE", ("D9 S7 F5", "S8 D7 F5")[ago], metric_value=123_456_789 - 9_876_543 * ago)
    folder = tmp_path_factory.mktemp("report")
    for name, html in report(answers_of(lake, **trends())).items():
        (folder / name).write_text(html, "utf-8")
    glue.reset()
    s3.reset()
    return folder


@pytest.fixture(
    params=["index", "records", "recording", "artist", "movers", "lists", "list", "chart", "definitions", "single"]
)
def file(folder: Path, request: pytest.FixtureRequest) -> Path:
    pattern = {
        "recording": "recording-*.html",
        "artist": "artist-s.html",
        "list": "list-*.html",
        "chart": "list-spotify_charts-*.html",
        "single": "week-*.html",
    }.get(request.param, f"{request.param}.html")
    return min(folder.glob(pattern))


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def shown(browser: Browser, file: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page on a screen that is offline; fails if the browser complains or asks for anything else."""
    scheme, viewport = request.param
    context = browser.new_context(color_scheme=scheme, viewport=viewport)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda asked: complaints.append(asked.url) if asked.url != file.as_uri() else None)
    page.goto(file.as_uri())
    yield page
    context.close()
    assert [complaint for complaint in complaints if complaint != "data:,"] == []


def test_it_can_be_looked_at(shown: Page, file: Path) -> None:
    width = shown.viewport_size["width"] if shown.viewport_size else 0
    dark = shown.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    look = "dark" if dark else "light"
    picture = shown.screenshot(path=ROOT / f"report/pictures/{file.stem}-{look}-{width}.png", full_page=True)

    assert len(picture) > 20_000


def test_axe_finds_no_barrier(shown: Page) -> None:
    found = Axe().run(shown)

    assert found.violations_count == 0, found.generate_report()


def test_lines_are_drawn_in_the_colours_of_the_page(shown: Page) -> None:
    lines = shown.locator("svg path:not(.area):visible")

    colours = {lines.nth(place).evaluate("line => getComputedStyle(line).stroke") for place in range(lines.count())}
    assert len(colours) <= 1
    assert not colours & {"rgb(0, 0, 0)", "none"}


def test_the_first_page_has_three_screens_at_most(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto((folder / "index.html").as_uri())

    assert page.evaluate("document.documentElement.scrollHeight") <= 3 * WIDE["height"]
    page.close()


def test_the_single_file_shows_one_page_at_a_time_and_prints_all(browser: Browser, folder: Path) -> None:
    page = browser.new_page(viewport=WIDE)
    page.goto(min(folder.glob("week-*.html")).as_uri())
    assert page.locator(".page:visible").count() == 1

    page.get_by_role("link", name="Definitions").click()
    assert page.locator(".page:visible").get_attribute("id") == "definitions"
    page.emulate_media(media="print")
    assert page.locator(".page:visible").count() == page.locator(".page").count()
    page.close()


def test_text_is_neither_cut_nor_beyond_the_edge(shown: Page) -> None:
    beyond_the_edge = shown.evaluate(
        """() => [...document.querySelectorAll('main *')]
            .filter(each => !each.closest('.scroll > *'))
            .filter(each => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
            .map(each => each.textContent || each.tagName)"""
    )
    assert beyond_the_edge == []
    cut = shown.evaluate(
        """() => [...document.querySelectorAll('td, th, dd, dt, p, h1, h2, h3, li, summary')]
            .filter(each => each.scrollWidth > each.clientWidth + 1 && getComputedStyle(each).display !== 'inline')
            .map(each => each.textContent)"""
    )
    assert cut == []
    cut_numbers = shown.evaluate(
        """() => [...document.querySelectorAll('.rows .where')]
            .filter(each => each.scrollHeight > each.clientHeight + 1).map(each => each.textContent)"""
    )
    assert cut_numbers == []


def test_everything_is_reached_by_keyboard(shown: Page) -> None:
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    assert shown.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is on the page
    reached = set()
    for _ in range(min(shown.locator("a:visible").count(), 30)):
        shown.keyboard.press("Tab")
        reached.add(shown.evaluate("document.activeElement.textContent"))
    assert "Definitions" in reached
