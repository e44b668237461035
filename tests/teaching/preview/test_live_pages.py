"""Pages served while they change."""

import json
import threading
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from neuroprimer.teaching.preview.live_pages import NewsBoard, serving_live
from neuroprimer.teaching.publish import ServeError


@pytest.fixture
def board():
    return NewsBoard()


@pytest.fixture
def address(tmp_path, board):
    (tmp_path / "index.html").write_text("<html><body><p>Hello</p></body></html>")
    (tmp_path / "style.css").write_text("p { color: red }")
    with serving_live(tmp_path, board, port=0) as address:
        yield address


def get(address):
    with urlopen(address, timeout=30) as answer:  # noqa: S310  our own server
        return answer.read().decode()


def test_page_gets_the_script_before_its_end(address):
    page = get(address)

    assert page.startswith("<html><body><p>Hello</p><script>")
    assert page.endswith("</script></body></html>")
    assert page == get(address + "index.html")


def test_other_files_are_served_as_they_are(address):
    assert get(address + "style.css") == "p { color: red }"


def test_file_on_disk_has_no_script(address, tmp_path):
    get(address)

    assert "<script>" not in (tmp_path / "index.html").read_text()


def test_what_is_not_there_is_not_found(address):
    with pytest.raises(HTTPError, match="404"):
        get(address + "nothing.html")


def test_nothing_outside_of_the_pages_is_served(address, tmp_path):
    tmp_path.with_name("secret.html").write_text("secret")

    with pytest.raises(HTTPError, match="404"):
        get(address + "%2e%2e/secret.html")


def test_news_come_at_once_to_who_has_none(address, board):
    board.tell(problems=["NP401 a: gone"])

    news = json.loads(get(address + "~news?known=-1"))

    assert news == {"number": 1, "pages": 0, "problems": ["NP401 a: gone"]}


def test_who_waits_is_told_of_new_pages(address, board):
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(get(address + "~news?known=0")))
    waiting.start()

    board.tell(has_new_pages=True)
    waiting.join(timeout=30)

    assert json.loads(answers[0]) == {"number": 1, "pages": 1, "problems": []}


def test_new_pages_leave_what_was_said_of_problems(board):
    board.tell(problems=["one"])
    board.tell(has_new_pages=True)

    assert json.loads(board.wait(-1))["problems"] == ["one"]


def test_number_that_is_none_is_answered_like_no_number(address, board):
    board.tell()

    assert json.loads(get(address + "~news?known=x"))["number"] == 1


def test_port_that_is_taken_is_named(address, tmp_path, board):
    port = int(address.rsplit(":", 1)[1].strip("/"))

    with pytest.raises(ServeError, match=f"port {port}"), serving_live(tmp_path, board, port=port):
        pass
