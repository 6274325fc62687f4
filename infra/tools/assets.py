"""Makes the README's pictures from real output: `make assets` runs it after `make run` and `earworm report`."""

import shutil
import sys

from playwright.sync_api import sync_playwright

from infra.deploying.stacks import ROOT

_PICTURES = (
    (ROOT / "assets/architecture.svg", ROOT / "assets/architecture.png", (1200, 600), 1.0),
    (max((ROOT / "report").glob("*/index.html")), ROOT / "assets/sample_output.png", (1250, 750), 0.8),
)
"""Page, picture, the size of the screen, and the pixels of the picture for each of the screen's."""

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Photograph each page in headless Chromium, in light colours."""
    chromium = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if not chromium:
        sys.exit(f"No browser was found: install one of {', '.join(_BROWSERS)}, on Debian with `apt install chromium`.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for page, picture, (width, height), scale in _PICTURES:
            shown = browser.new_page(
                color_scheme="light", viewport={"width": width, "height": height}, device_scale_factor=scale
            )
            shown.goto(page.as_uri())
            shown.screenshot(path=picture)
        browser.close()


if __name__ == "__main__":
    main()
