"""Live pages: a draft served to browsers on this machine, which are told of each change."""

import contextlib
import io
import json
import threading
from collections.abc import Iterator, Sequence
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import IO
from urllib.parse import parse_qs, urlsplit

from neuroprimer.teaching.publish.serve import QuietHandler, address_of, open_server

# No page of a course can have an address that begins so.
NEWS = "/~news"

# A browser asks again after so long without news, in seconds.
PATIENCE_S = 20.0

SCRIPT = files("neuroprimer.teaching.preview").joinpath("live.js").read_text(encoding="utf-8")

# A page that is not there may be there soon. The doubled signs are how http.server wants them.
NOT_THERE = (
    """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>%(code)d</title></head>
<body><p>%(message)s</p><script>"""
    + SCRIPT.replace("%", "%%")
    + "</script></body></html>\n"
)


class NewsBoard:
    """What browsers are to know: how often the pages have changed, and what is wrong with them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._number = 0
        self._pages = 0
        self._problems: tuple[str, ...] = ()

    def tell(self, *, problems: Sequence[str] | None = None, has_new_pages: bool = False) -> None:
        """Wake whoever waits.

        Parameters
        ----------
        problems : sequence of str, optional
            What is wrong now; None leaves what was said before.
        has_new_pages : bool
            Whether browsers should load their page again.
        """
        with self._changed:
            self._number += 1
            self._pages += has_new_pages
            if problems is not None:
                self._problems = tuple(problems)
            self._changed.notify_all()

    def wait(self, known: int, patience_s: float = PATIENCE_S) -> str:
        """Return the news as JSON as soon as there are some that one who knows `known` has not."""
        with self._changed:
            self._changed.wait_for(lambda: self._number != known, timeout=patience_s)
            news = {"number": self._number, "pages": self._pages, "problems": self._problems}
        return json.dumps(news)


class _LiveHandler(QuietHandler):
    """Serves files; a page gets a script that asks for news.

    Parameters
    ----------
    board : NewsBoard
        Has the news.
    """

    def __init__(self, *arguments: object, board: NewsBoard, directory: str) -> None:
        self.board = board
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]  # as its base

    error_message_format = NOT_THERE

    def do_GET(self) -> None:  # noqa: N802  http.server calls it by this name
        """Answer with the news, or with a file."""
        address = urlsplit(self.path)
        if address.path != NEWS:
            super().do_GET()
            return
        known = parse_qs(address.query).get("known", ["-1"])[0]
        news = self.board.wait(int(known) if known.lstrip("-").isdecimal() else -1)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(news)))
        self.end_headers()
        with contextlib.suppress(ConnectionError):  # the reader has gone on to another page
            self.wfile.write(news.encode())

    def send_head(self) -> IO[bytes] | None:  # type: ignore[override]  # any binary stream will do
        """Send a page with the script in it, and any other file as it is."""
        path = Path(self.translate_path(self.path))
        page = path / "index.html" if path.is_dir() and self.path.endswith("/") else path
        if page.suffix != ".html" or not page.is_file():
            return super().send_head()
        text = page.read_text(encoding="utf-8")
        body, end, rest = text.rpartition("</body>")
        content = f"{body}<script>{SCRIPT}</script>{end}{rest}".encode() if end else text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def end_headers(self) -> None:
        """Let no browser keep what may change at any moment."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()


@contextlib.contextmanager
def serving_live(pages: Path, board: NewsBoard, *, port: int) -> Iterator[str]:
    """Serve a draft from threads of their own.

    Parameters
    ----------
    pages : pathlib.Path
        The folder with the pages; it may still be empty.
    board : NewsBoard
        Has the news.
    port : int
        0 takes any that is free.

    Yields
    ------
    address : str
        Of the front page.

    Raises
    ------
    ServeError
        If the port is taken.
    """
    handler = partial(_LiveHandler, board=board, directory=str(pages))
    server = open_server(handler, port=port)
    server.daemon_threads = True  # one that waits for news would hold the end up
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield address_of(server)
    finally:
        server.shutdown()
        server.server_close()
