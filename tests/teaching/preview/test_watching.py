"""Watching a course: what is an error before anything is built, and what the builder may do."""

import socket

import pytest

from neuroprimer.teaching.preview import Order, preview_course
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
