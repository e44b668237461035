"""A built site, looked at in a real browser: ``python tests/site/inspect_site.py FOLDER``.

Every page is opened from a server on this machine. What is looked for: requests to any other host,
errors of scripts, files that are missing, pages that are wider than a phone, and, in the light and
in the dark, what axe finds against WCAG 2.1, levels A and AA. It also says how heavy each page is,
and how soon something of it is seen.
"""

import argparse
import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Response, Route, sync_playwright

LOOPBACK = "127.0.0.1"
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
REQUIRED = "NEUROPRIMER_REQUIRE_BROWSER"
NO_BROWSER = "no Chromium is on the PATH, and only a browser can run a page's scripts"

# It is to draw pages, and to ask nobody for anything of its own accord.
ARGUMENTS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
SCHEMES = ("light", "dark")
PHONE_WIDTH, DESK_WIDTH, HEIGHT = 390, 1280, 900
TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa")

# What axe finds and we let pass: rule, what the elements' markup holds, and why.
EXEMPTIONS: tuple[tuple[str, str, str], ...] = ()

# What a console says and we let pass, and why.
NOISE = {
    "Got invalid theme mode": "the theme on a first visit, before it has chosen one",
}


def require_chromium() -> str | None:
    """Return where the browser is; None without one, where none is required.

    Raises
    ------
    RuntimeError
        If there must be one.
    """
    if CHROMIUM is None and os.environ.get(REQUIRED, "0") not in ("", "0"):
        raise RuntimeError(f"{NO_BROWSER}; {REQUIRED} says that there must be one")
    return CHROMIUM


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start a headless Chromium, the one of the system."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(ARGUMENTS))
        yield browser
        browser.close()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine, and give its address."""
    with ThreadingHTTPServer((LOOPBACK, 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://{LOOPBACK}:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


class Watch:
    """What a page asks for and complains of, from now on; other hosts get no answer.

    Parameters
    ----------
    page : playwright.sync_api.Page
        To be watched.
    """

    def __init__(self, page: Page) -> None:
        self.strangers: list[str] = []
        self.complaints: list[str] = []
        self.responses: list[Response] = []
        page.route("**/*", self._let_pass)
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("response", self._heard)

    @property
    def problems(self) -> list[str]:
        """All of it in words."""
        return [*(f"asks {url}" for url in self.strangers), *self.complaints]

    def _let_pass(self, route: Route) -> None:
        parts = urlsplit(route.request.url)
        if parts.scheme in ("data", "blob", "file", "about") or parts.hostname == LOOPBACK:
            route.continue_()
        else:
            self.strangers.append(route.request.url)
            route.abort()

    def _note(self, kind: str, text: str) -> None:
        if kind in ("error", "warning") and not any(noise in text for noise in NOISE):
            self.complaints.append(text)

    def _heard(self, response: Response) -> None:
        self.responses.append(response)
        if response.status >= 400:
            self.complaints.append(f"HTTP {response.status} for {response.url}")


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One element that breaks a rule of axe."""

    rule: str
    markup: str
    words: str

    def __str__(self) -> str:
        return f"axe {self.rule}: {self.markup[:160]} ({self.words[:300]})"

    @property
    def exemption(self) -> str:
        """Why it is let pass; empty when it is not."""
        for rule, part, reason in EXEMPTIONS:
            if rule == self.rule and part in self.markup:
                return reason
        return ""


def violations(page: Page) -> list[Violation]:
    """Return what axe finds on a page, but for what is exempt."""
    run_only = {"type": "tag", "values": list(TAGS)}
    results = Axe().run(page, options={"runOnly": run_only, "preload": False})
    found = [
        Violation(
            rule=one["id"],
            markup=node["html"],
            words=" ".join(node.get("failureSummary", "").split()),
        )
        for one in results.response["violations"]
        for node in one["nodes"]
    ]
    return [one for one in found if not one.exemption]


def overflow(page: Page) -> str:
    """Say by how much, and because of what, a page is wider than its window, if it is."""
    return str(
        page.evaluate(
            """() => {
                const root = document.scrollingElement;
                const width = document.documentElement.clientWidth;
                if (root.scrollWidth <= width) return "";
                const scrolls = (one) => one && one !== document.body &&
                    (getComputedStyle(one).overflowX !== "visible" || scrolls(one.parentElement));
                const wide = [...document.querySelectorAll("main *")].filter((one) =>
                    one.getBoundingClientRect().right > width + 1 && !scrolls(one.parentElement));
                return `${root.scrollWidth} px wide: ` +
                    wide.slice(0, 3).map((one) => one.outerHTML.slice(0, 120)).join(" | ");
            }"""
        )
    )


def weight(watch: Watch) -> int:
    """Return how many bytes a page and all that it has asked for take on the way."""
    return sum(len(response.body()) for response in watch.responses if response.ok)


def pages_of(site: Path) -> list[str]:
    """Return the addresses of all pages of a site, but for the one that leads to the front page."""
    found = sorted(site.rglob("*.html"))
    return [
        name
        for name in (file.relative_to(site).as_posix() for file in found)
        if not name.startswith("_") and name != "index.html"
    ]


def inspect_page(browser: Browser, address: str, *, scheme: str) -> tuple[list[str], str]:
    """Open a page at a desk and on a phone; return what is wrong, and its figures in words."""
    context = browser.new_context(
        color_scheme=scheme, viewport={"width": DESK_WIDTH, "height": HEIGHT}
    )
    page = context.new_page()
    watch = Watch(page)
    page.goto(address, wait_until="load")
    page.wait_for_function("document.documentElement.dataset.theme")
    bytes_sent = weight(watch)
    first_paint_ms = page.evaluate(
        "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1"
    )
    problems = [str(one) for one in violations(page)]
    page.set_viewport_size({"width": PHONE_WIDTH, "height": HEIGHT})
    wide = overflow(page)
    problems += [*watch.problems, *([wide] if wide else [])]
    context.close()
    return problems, f"{bytes_sent / 1e6:.2f} MB, first seen after {first_paint_ms:.0f} ms"


def main(arguments: Sequence[str] | None = None) -> int:
    """Inspect a site, and say what is wrong with which page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("site", type=Path, help="the folder with the built pages")
    parser.add_argument("pages", nargs="*", help="addresses in it; default: all")
    options = parser.parse_args(arguments)
    if require_chromium() is None:
        parser.error(NO_BROWSER)
    count = 0
    with serve(options.site) as base, open_browser() as browser:
        for name in options.pages or pages_of(options.site):
            for scheme in SCHEMES:
                problems, figures = inspect_page(browser, base + name, scheme=scheme)
                sys.stdout.write(f"{name} ({scheme}): {figures}\n")
                sys.stdout.writelines(f"    {problem}\n" for problem in problems)
                count += len(problems)
    sys.stdout.write(f"{count} problem(s)\n")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main())
