"""Lessons, plugins and courses written for a test; the kernels and books they meet are real."""

import http.server
import os
import shutil
import ssl
import subprocess
import sys
import threading
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import settings

from neuroprimer.teaching import Lesson, folders, load_lesson

# A loop is compiled when it is first called, and machines differ: how long one example takes says
# nothing about the code.
settings.register_profile("neuroprimer", deadline=None)
settings.load_profile("neuroprimer")

REPOSITORY = Path(__file__).parent.parent

# As it is named before the tests name others.
USERS_CACHE = folders.cache_folder()


@pytest.fixture(scope="session", autouse=True)
def _cache_of_the_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the user's own cache out of what is made once for many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NEUROPRIMER_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setenv("NEUROPRIMER_DATA", str(_folder_of_all_workers(tmp_path_factory) / "data"))
        patch.setenv("NEUROPRIMER_PROGRESS", str(tmp_path_factory.mktemp("progress") / "p.sqlite"))
        patch.delenv("GITHUB_STEP_SUMMARY", raising=False)
        yield


def _folder_of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for what is made once and never changes, such as datasets."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def course_cache() -> Path:
    """Return the user's own cache, for tests that build the repository's own course.

    They do what `make course` has done or will do, and take much less time after it.
    """
    return USERS_CACHE


@pytest.fixture(autouse=True)
def cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own, empty at first, and return its folder."""
    folder = tmp_path / "cache"
    monkeypatch.setenv("NEUROPRIMER_CACHE", str(folder))
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", str(tmp_path / "progress.sqlite"))
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)  # of the job that runs the tests
    return folder


@pytest.fixture(autouse=True)
def progress_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a file of progress of its own, which does not exist yet."""
    file = tmp_path / "own-progress" / "progress.sqlite"
    monkeypatch.setenv("NEUROPRIMER_PROGRESS", str(file))
    monkeypatch.setattr("neuroprimer.teaching.exercises.attempts._in_memory", [])
    return file


WriteLesson = Callable[..., Path]
RunCommand = Callable[..., subprocess.CompletedProcess[str]]


def lesson_text(
    *cells: str,
    lesson_id: str = "a-lesson",
    title: str = "A lesson",
    kernel: str = "",
    **metadata: object,
) -> str:
    """Return a MyST notebook; a cell that begins with '---' brings metadata of its own."""
    lines = ["---"]
    if kernel:
        lines += [f"kernelspec: {{name: {kernel}, display_name: X}}"]
    lines += ["neuroprimer:", f"  id: {lesson_id}"]
    lines += [f"  {key}: {value}" for key, value in metadata.items()]
    lines += ["---", "", f"# {title}", "", "Some prose.", ""]
    for cell in cells:
        lines += ["```{code-cell} ipython3", dedent(cell).strip(), "```", ""]
    return "\n".join(lines)


@pytest.fixture
def write_lesson(tmp_path: Path) -> WriteLesson:
    """Write a lesson's file into the plugins folder and return its path."""

    def write(*cells: str, lesson_id: str = "a-lesson", **options: object) -> Path:
        file = tmp_path / "plugins" / f"{lesson_id}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(lesson_text(*cells, lesson_id=lesson_id, **options))
        return file

    return write


@pytest.fixture
def make_lesson(write_lesson: WriteLesson) -> Callable[..., Lesson]:
    """Write a lesson's file and return the lesson."""
    return lambda *cells, **options: load_lesson(write_lesson(*cells, **options))


@pytest.fixture
def write_plugin(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a plugin into the plugins folder and return the folder."""

    def write(name: str, code: str) -> Path:
        folder = tmp_path / "plugins"
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(dedent(code))
        return folder

    return write


BRINGS_ALL_LESSONS = """
from pathlib import Path
from neuroprimer.teaching import hookimpl, load_lesson

@hookimpl
def register_lessons():
    return [load_lesson(file) for file in sorted(Path(__file__).parent.glob("*.md"))]
"""


@pytest.fixture
def course_folder(tmp_path: Path, write_plugin: Callable[[str, str], Path]) -> Path:
    """Return a course whose plugin brings every lesson that is written into the plugins folder."""
    write_plugin("brings", BRINGS_ALL_LESSONS)
    folder = tmp_path / "course"
    (folder / "book").mkdir(parents=True)
    (folder / "book" / "course.toml").write_text('title = "A course"\n')
    (folder / "book" / "intro.md").write_text("# A course\n\nWelcome.\n")
    return folder


@pytest.fixture(scope="session")
def our_plugins() -> tuple[str, ...]:
    """Return the names of all plugins in the repository that bring lessons."""
    projects = sorted(REPOSITORY.glob("plugins/*/pyproject.toml"))
    return "builtin", *(
        name
        for project in projects
        for name in tomllib.loads(project.read_text())["project"]["entry-points"]["neuroprimer"]
    )


@pytest.fixture
def neuroprimer(tmp_path: Path, our_plugins: tuple[str, ...]) -> RunCommand:
    """Run the command line with the test's own plugins, and none of the installed ones."""

    def run(
        *arguments: str | Path,
        blocked: Sequence[str] = our_plugins,
    ) -> subprocess.CompletedProcess[str]:
        (tmp_path / "plugins").mkdir(exist_ok=True)
        environment = {
            **os.environ,
            "NEUROPRIMER_BLOCK_PLUGINS": " ".join(blocked),
            "NEUROPRIMER_PLUGINS_DIR": str(tmp_path / "plugins"),
        }
        return subprocess.run(
            [sys.executable, "-m", "neuroprimer", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=tmp_path,
            env=environment,
        )

    return run


Trick = Callable[["Answering", "Page"], None]


@dataclass
class Page:
    """What a server has at an address, and how it behaves before it behaves well."""

    body: bytes
    etag: str = '"1"'
    tricks: list[Trick] = field(default_factory=list)


class Answering(http.server.BaseHTTPRequestHandler):
    """Answers one connection; also one that was made through this server to another host."""

    protocol_version = "HTTP/1.1"
    server: "Web"
    origin = ""

    def do_CONNECT(self) -> None:
        """Pretend to be the host that a client wants to speak to in secret."""
        self.origin = f"https://{self.path.removesuffix(':443')}"
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", 0)
        self.close_connection = False

    def do_GET(self) -> None:
        """Answer with the page of this address, after its next trick if it has one left."""
        address = self.origin + self.path
        page = self.server.pages.get(address) or self.server.pages.get(address.partition("?")[0])
        self.server.requests.append((address, dict(self.headers)))
        if page is None:
            self.send(404)
        elif page.tricks:
            page.tricks.pop(0)(self, page)
        else:
            self.give(page)

    def give(self, page: Page) -> None:
        """Give the page, or the part that is wanted of this very state of it."""
        wanted = self.headers.get("Range", "").removeprefix("bytes=").removesuffix("-")
        if wanted and self.headers.get("If-Range") in (None, page.etag):
            self.give_from(page, int(wanted))
        else:
            self.send(200, page.body, ETag=page.etag)

    def give_from(self, page: Page, start: int) -> None:
        """Give the page from some byte on."""
        size = len(page.body)
        if start >= size:
            self.send(416, **{"Content-Range": f"bytes */{size}"})
            return
        span = f"bytes {start}-{size - 1}/{size}"
        self.send(206, page.body[start:], **{"ETag": page.etag, "Content-Range": span})

    def send(self, status: int, body: bytes = b"", *, promised: int = -1, **headers: str) -> None:
        """Send an answer, which may promise more than there is of it."""
        self.send_response(status)
        length = len(body) if promised < 0 else promised
        for name, value in ({"Content-Length": str(length)} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.server.sent.append(len(body))

    def finish(self) -> None:
        """End the connection; whoever accepted it only knows of the one below."""
        super().finish()
        self.connection.close()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


class Web(http.server.ThreadingHTTPServer):
    """A server on this machine whose pages behave as badly as a test wants.

    As a proxy with a certificate it stands for any host that is asked for by https.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.sent: list[int] = []
        self.closing = threading.Event()
        self.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)

    def put(self, address: str, body: bytes, *tricks: Trick, etag: str = '"1"') -> str:
        """Put a page at a path, or at an address of https, and return its address."""
        self.pages[address] = Page(body, etag, list(tricks))
        return address if "://" in address else self.url + address

    def handle_error(self, *_: object) -> None:
        """Clients that are gone are what the tests are about."""


@pytest.fixture
def web(monkeypatch: pytest.MonkeyPatch) -> Iterator[Web]:
    """Return a server on this machine, with no page at first."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Web() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.closing.set()
        server.shutdown()
        thread.join()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return a certificate for the hosts that data come from, and its key, made for today."""
    if shutil.which("openssl") is None:
        pytest.skip(
            "no openssl to make a certificate with; http on loopback is tested all the same"
        )
    folder = tmp_path_factory.mktemp("certificate")
    hosts = "subjectAltName=DNS:osf.io,DNS:neurovault.org"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=loopback", "-addext", hosts, "-keyout", "key.pem", "-out", "cert.pem"),
        ],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    return folder / "cert.pem", folder / "key.pem"


@pytest.fixture
def secret_web(web: Web, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> Web:
    """Let the server stand for all hosts of https, here and in processes that are started."""
    web.tls.load_cert_chain(*certificate)
    monkeypatch.setenv("HTTPS_PROXY", web.url)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    return web
