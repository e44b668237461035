"""A small course, really built once for all tests that look at a site, and a real browser."""

import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbformat import NotebookNode

from neuroprimer.teaching import Course, hookimpl, load_course, load_lesson
from neuroprimer.teaching.build import BuildReport, build_course
from neuroprimer.teaching.catalogue import Catalogue
from neuroprimer.teaching.plugins import add_plugin, make_manager
from neuroprimer.teaching.publish import lesson_page

FIRST = """---
neuroprimer:
  id: first
  objectives: [count]
  key_points: [Counting is easy.]
  teaching_min: 5
---

# The first lesson

A formula: $x^2$.

$$ \\begin{bmatrix} 1 & 0 \\\\ 0 & 1 \\end{bmatrix} $$

```{code-cell} ipython3
print("forty-two is", 6 * 7)
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A rising line.
---
import matplotlib.pyplot as plt
plt.plot([1, 2])
plt.show()
```

```{code-cell} ipython3
:tags: [raises-exception]
1 / 0
```

```{code-cell} ipython3
import uuid
from IPython.display import HTML
HTML(f'<b id="{uuid.uuid4().hex}">rich &amp; bold</b>'
     '<img alt="" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">')
```

```{code-cell} ipython3
:tags: [remove-input, remove-output]
print("nothing of this is on the page")
```

```{code-cell} ipython3
:tags: [raises-exception]
x = = 1
```

```{code-cell} ipython3
:tags: [raises-exception, stderr-expected]
raise ExceptionGroup("several", [ValueError("a"), TypeError("b")])
```

```{code-cell} ipython3
# A "Traceback (most recent call last)" is what Python says
from IPython.display import SVG, Javascript
Javascript("1 + 1")
```

```{code-cell} ipython3
---
mystnb:
  image:
    alt: A circle.
---
SVG('<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>')
```

```{code-cell} ipython3
:tags: [hide-input]
print("1 < 2")
"<Axes: >"
```
"""

SECOND = """---
neuroprimer:
  id: second
  prerequisites: [first]
---

# The *second* `lesson` & <b>: "all" | of H{sub}`2`O -- [it](https://example.org)

```{code-cell} ipython3
object()
```
"""


@dataclass(frozen=True, kw_only=True)
class BuiltCourse:
    """A course and everything that came of it."""

    course: Course
    catalogue: Catalogue
    report: BuildReport
    output: Path

    @property
    def pages(self) -> dict[str, NotebookNode]:
        return {
            one.lesson.id: lesson_page(one, self.course, self.catalogue)
            for one in self.report.reports
        }


def build(folder: Path) -> BuiltCourse:
    book = folder / "book"
    book.mkdir(parents=True)
    (book / "course.toml").write_text('title = "A small course"\n')
    (book / "intro.md").write_text("# Welcome\n\n[Begin](lessons/first.ipynb)\n")
    files = []
    for name, text in (("first", FIRST), ("second", SECOND)):
        files.append(folder / f"{name}.md")
        files[-1].write_text(text)

    class Brings:
        @hookimpl
        def register_lessons(self):
            return [load_lesson(file) for file in files]

    manager = make_manager()
    add_plugin(manager, Brings(), "brings")
    catalogue = Catalogue.from_plugins(manager)
    course = load_course(folder, catalogue)
    output = folder / "_build"
    report = build_course(course, catalogue, output=output)
    return BuiltCourse(course=course, catalogue=catalogue, report=report, output=output)


@pytest.fixture(scope="session")
def build_small_course() -> Callable[[Path], BuiltCourse]:
    """Build the small course in a folder that does not exist yet."""
    return build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> BuiltCourse:
    return build(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def whole_course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the output folder of the repository's own course, built by its own command."""
    output = tmp_path_factory.mktemp("whole")
    repository = Path(__file__).parent.parent.parent
    subprocess.run(
        [
            *(sys.executable, "-m", "neuroprimer", "build"),
            *("--course", str(repository), "--output", str(output)),
        ],
        check=True,
        capture_output=True,
    )
    return output


CHROMIUM = shutil.which("chromium")


class Browser:
    """A headless Chromium, told what to do over its own pipe: clicks and keys are real ones.

    Parameters
    ----------
    profile : pathlib.Path
        An empty folder for what it keeps.
    """

    PROTOCOL_FDS = (3, 4)  # on which it reads and writes, zero bytes between the messages

    def __init__(self, profile: Path) -> None:
        theirs, self._commands = os.pipe()
        self._answers, theirs_too = os.pipe()
        high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (theirs, theirs_too)]

        def place() -> None:
            for end, fd in zip(high, self.PROTOCOL_FDS, strict=True):
                os.dup2(end, fd)

        self._process = subprocess.Popen(
            [
                *(str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--remote-debugging-pipe", f"--user-data-dir={profile}"),
                *("--disable-background-networking", "--disable-component-update", "about:blank"),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=place,
            pass_fds=self.PROTOCOL_FDS,
        )
        for end in (theirs, theirs_too, *high):
            os.close(end)
        self.problems: list[str] = []
        self._pending = b""
        self._number = 0
        self._session: str | None = None
        (target,) = [
            one for one in self.send("Target.getTargets")["targetInfos"] if one["type"] == "page"
        ]
        attached = self.send("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: object) -> dict[str, Any]:
        """Send one command of the DevTools protocol, and return its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda one: one.get("id") == self._number)
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, page: Path, *, width: int = 900, scheme: str = "light") -> None:
        """Open a file, as wide and in the colours that are asked for."""
        self.problems.clear()
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=900,
            deviceScaleFactor=1,
            mobile=False,
        )
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.send("Emulation.setEmulatedMedia", features=[feature])
        self.send("Page.navigate", url=page.as_uri())
        self._wait(lambda one: one.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """Return the value of an expression on the page."""
        result = self.send("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def click(self, selector: str) -> None:
        """Click in the middle of an element, wherever it is."""
        x, y = self.run(
            f"""(() => {{
                const element = document.querySelector({json.dumps(selector)});
                element.scrollIntoView({{block: "center", behavior: "instant"}});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2];
            }})()"""
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.send(
                "Input.dispatchMouseEvent",
                type=kind,
                x=x,
                y=y,
                button="left",
                clickCount=1,
            )

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press and release a key, such as ("Enter", 13, "\\r")."""
        known = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.send("Input.dispatchKeyEvent", type="keyDown", text=text, **known)
        self.send("Input.dispatchKeyEvent", type="keyUp", **known)

    def type(self, text: str) -> None:
        """Type a text where the focus is."""
        self.send("Input.insertText", text=text)

    def picture(self, file: Path) -> None:
        """Save what the whole page looks like."""
        shot = self.send("Page.captureScreenshot", captureBeyondViewport=True)
        file.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        for end in (self._commands, self._answers):
            os.close(end)
        self._process.terminate()
        self._process.wait(20)

    def _wait(self, is_wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while True:
            while b"\0" not in self._pending:
                ready, _, _ = select.select([self._answers], [], [], 60)
                assert ready, "the browser says nothing"
                self._pending += os.read(self._answers, 65536)
            one, _, self._pending = self._pending.partition(b"\0")
            message = json.loads(one)
            if message.get("method") == "Runtime.exceptionThrown":
                self.problems.append(str(message["params"]))
            if message.get("method") == "Network.requestWillBeSent":
                url = message["params"]["request"]["url"]
                if not url.startswith(("file:", "data:")):
                    self.problems.append(url)
            if is_wanted(message):
                return message


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Return a real browser; what pages have asked of others is among its problems."""
    if CHROMIUM is None:
        pytest.skip("chromium is not on the PATH, and only a browser can run a page's scripts")
    browser = Browser(tmp_path_factory.mktemp("browser"))
    yield browser
    browser.close()
