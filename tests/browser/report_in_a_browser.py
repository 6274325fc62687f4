"""The report in headless Chromium; `make test-browser` runs it, for not every machine has a browser."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from analytics.report import page as report
from infra.deploying.stacks import ROOT
from tests.analytics.reports import contents

WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}
LOOKS = [("light", WIDE), ("dark", WIDE), ("light", PHONE), ("dark", PHONE)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    assert chromium, "install Chromium, on Debian with `apt install chromium`"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of `REPORT`, or one of four weeks."""
    named = os.environ.get("REPORT")
    if named:
        return Path(named).resolve()
    written = tmp_path_factory.mktemp("report") / "index.html"
    written.write_text(report(contents()), "utf-8")
    return written


@pytest.fixture(params=LOOKS, ids=lambda look: f"{look[0]}-{look[1]['width']}")
def shown(browser: Browser, file: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The report on a screen that is offline; fails if the browser complains or asks for anything else."""
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


def test_it_can_be_looked_at(shown: Page) -> None:
    width = shown.viewport_size["width"] if shown.viewport_size else 0
    dark = shown.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    picture = shown.screenshot(path=ROOT / f"report/{'dark' if dark else 'light'}-{width}.png", full_page=True)

    assert len(picture) > 20_000


def test_axe_finds_no_barrier(shown: Page) -> None:
    found = Axe().run(shown)

    assert found.violations_count == 0, found.generate_report()


def test_charts_are_drawn_in_the_colours_of_the_page(shown: Page) -> None:
    bars = shown.locator(".card svg .mark-rect path")

    assert bars.count() >= 10
    fills = {bars.nth(place).evaluate("bar => getComputedStyle(bar).fill") for place in range(bars.count())}
    assert len(fills) >= 3
    assert not fills & {"rgb(0, 0, 0)", "none"}


def test_text_is_neither_cut_nor_beyond_the_edge(shown: Page) -> None:
    beyond_the_edge = shown.evaluate(
        """() => [...document.querySelectorAll('main *')]
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
    beyond = shown.evaluate(
        """() => [...document.querySelectorAll('.card svg')].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')]
                .filter(text => {
                    const box = text.getBoundingClientRect();
                    return box.width && (box.left < frame.left - 1 || box.right > frame.right + 1);
                })
                .map(text => text.textContent);
        })"""
    )
    assert beyond == []


def test_everything_is_reached_by_keyboard(shown: Page) -> None:
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.className") == "skip"
    assert shown.locator(".skip").bounding_box()["x"] >= 0  # type: ignore[index]  # it is on the page
    reached = set()
    for _ in range(shown.locator("a, summary").count()):
        shown.keyboard.press("Tab")
        reached.add(shown.evaluate("document.activeElement.textContent"))
    assert "The numbers" in reached
    shown.locator("summary").first.focus()
    shown.keyboard.press("Enter")
    assert shown.locator("details[open] table").first.is_visible()
