"""Watching a course: what is an error before anything is built, and what the builder may do."""

import socket
import threading
import time
from pathlib import Path

import pytest

from neuroprimer.teaching.preview import Order, preview_course, watching
from neuroprimer.teaching.preview.live_pages import NewsBoard
from neuroprimer.teaching.preview.watching import Preview
from neuroprimer.teaching.publish import PublishError, ServeError


@pytest.fixture
def order(tmp_path):
    return Order(course=str(tmp_path / "course"))


def test_taken_port_is_no_fault_of_the_output_folder(order, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ServeError, match=f"^Cannot serve on port {port}"):
            preview_course(order, {}, tmp_path / "output", port=port, say=print)


def test_output_folder_that_cannot_be_made_is_named(order, tmp_path):
    (tmp_path / "file").write_text("mine")

    with pytest.raises(PublishError, match="Cannot write into the output folder"):
        preview_course(order, {}, tmp_path / "file" / "output", port=0, say=print)


@pytest.fixture
def said():
    return []


@pytest.fixture
def preview(order, said):
    running = Preview(order, {}, NewsBoard(), said.append)
    yield running
    running.end()


def look_until(preview, said, words):
    """Look as the command does, and return how long the list of what was said is then."""
    for _ in range(600):
        preview.look(())
        if any(words in one for one in said):
            return len(said)
        time.sleep(0.1)
    pytest.fail(f"{words!r} was not among {said}")


def test_builder_that_cannot_start_is_not_started_again_before_the_next_change(
    preview, said, monkeypatch, tmp_path
):
    monkeypatch.setattr(watching, "BUILDER", "no_such_module")
    number = look_until(preview, said, "has ended, with status 1")

    time.sleep(1)
    preview.look(())
    assert len(said) == number

    monkeypatch.undo()
    preview.look([tmp_path / "changed.md"])
    look_until(preview, said, "There is no course here")


def test_builder_that_is_gone_can_be_asked_and_is_heard_to_be_gone(order, monkeypatch):
    monkeypatch.setattr(watching, "BUILDER", "no_such_module")
    builder = watching.Builder(order, {})
    builder._process.wait()

    builder.ask()

    while not (messages := list(builder.messages())):
        time.sleep(0.1)
    builder.end()
    assert messages == [{"kind": "ended", "status": 1}]


def test_what_a_program_of_a_plugin_prints_is_no_message(said, write_plugin, order):
    folder = write_plugin("prints", "import os; os.system('echo loading')")
    variables = {"NEUROPRIMER_PLUGINS_DIR": str(folder)}
    preview = Preview(order, variables, NewsBoard(), said.append)

    look_until(preview, said, "There is no course here")
    preview.end()


@pytest.fixture
def course(order):
    folder = Path(order.course)
    (folder / "book").mkdir(parents=True)
    (folder / "CITATION.cff").write_text("title: A\n")
    return folder


@pytest.mark.parametrize("name", ["_config.yml", "CITATION.cff"])
def test_file_that_is_replaced_twice_is_seen_twice(preview, said, course, tmp_path, name):
    preview.wants_draft = False
    preview.look = lambda changed: said.extend(file.name for file in changed)
    (course / name).write_text("one")

    def replace():
        for _ in range(2):
            time.sleep(0.5)
            (tmp_path / "new").write_text("another")
            (tmp_path / "new").replace(course / name)

    writing = threading.Thread(target=replace)
    writing.start()
    watching._watch(preview, tmp_path / "output")
    watching._watch(preview, tmp_path / "output")
    writing.join()

    assert set(said) == {name}
