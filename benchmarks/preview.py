"""From a lesson's text to the screen: what an author waits for, with a draft and without.

Run ``python benchmarks/preview.py`` in the course's folder. A browser shows a lesson's page. The
lesson gets another sentence, and the time passes until the page shows it: with
``neuroprimer serve --watch``, which reloads the page, and with ``neuroprimer build``, after which
the page is opened anew. No cell changes, so no side executes anything. The lesson's file is put
back in the end.
"""

import argparse
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from neuroprimer.teaching import load_catalogue

NEUROPRIMER = [sys.executable, "-m", "neuroprimer"]
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
PATIENCE_S = 600


def main() -> int:
    """Measure both sides in turn, and print what each change took."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lesson", default="what-is-an-image")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    file = load_catalogue().require_lesson(options.lesson).path
    before = file.read_bytes()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the file is put back then, too
    watched, built = [], []
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            sync_playwright() as playwright,
            watching(Path(folder) / "draft") as address,
        ):
            browser = playwright.chromium.launch(
                executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
            )
            live, reopened = browser.new_page(), browser.new_page()
            live.goto(f"{address}/lessons/{options.lesson}.html")
            site = Path(folder) / "build"
            build(site)
            for number in range(options.rounds):
                sentence = f"This is sentence {number} of a benchmark."
                began = time.perf_counter()
                file.write_bytes(before + f"\n{sentence}\n".encode())
                wait_for(sentence, live)
                watched.append(time.perf_counter() - began)
                began = time.perf_counter()
                build(site)
                reopened.goto((site / "site/lessons" / f"{options.lesson}.html").as_uri())
                wait_for(sentence, reopened)
                built.append(time.perf_counter() - began)
    finally:
        file.write_bytes(before)
    print(f"with a draft: {', '.join(f'{one:.2f}' for one in watched)} s")
    print(f"with a build: {', '.join(f'{one:.2f}' for one in built)} s")
    print(
        f"medians: {median(watched):.2f} s, {median(built):.2f} s; "
        f"ratio {median(built) / median(watched):.1f}"
    )
    return 0


@contextmanager
def watching(output: Path) -> Iterator[str]:
    """Let a draft be watched; yield its address once there is something to see."""
    command = [*NEUROPRIMER, "serve", "--watch", "--port", "0", "--output", str(output)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watcher:
        try:
            for line in watcher.stdout or ():
                if found := ADDRESS.search(line):
                    yield found[0]
                    break
        finally:
            watcher.terminate()


def build(output: Path) -> None:
    """Build the course, as one does without a draft."""
    command = [*NEUROPRIMER, "build", "--output", str(output)]
    subprocess.run(command, check=True, capture_output=True)


def wait_for(sentence: str, page: Page) -> None:
    """Wait until a page shows a sentence, however often it is loaded anew meanwhile."""
    page.wait_for_function(
        "sentence => document.body && document.body.innerText.includes(sentence)",
        arg=sentence,
        timeout=PATIENCE_S * 1000,
    )


if __name__ == "__main__":
    sys.exit(main())
