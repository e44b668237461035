"""Messages over a Unix socket, whole or not at all."""

import os
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest

from neuroprimer.teaching.kernels.messages import (
    LONGEST_MESSAGE,
    receive_message,
    send_message,
)


@pytest.fixture
def line():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))  # noqa: PTH208  names are what is wanted


def test_message_arrives_as_it_was_sent(line):
    ours, theirs = line

    send_message(ours, {"text": "é" * 10_000, "none": None})

    assert receive_message(theirs) == ({"text": "é" * 10_000, "none": None}, [])


def test_message_is_sent_even_if_the_reader_hangs_up_at_once():
    def read_and_hang_up(line: socket.socket) -> None:
        with line:
            receive_message(line)

    with ThreadPoolExecutor() as elsewhere:
        for _ in range(300):  # who is faster is chance
            ours, theirs = socket.socketpair()
            with ours:
                reader = elsewhere.submit(read_and_hang_up, theirs)
                send_message(ours, {})
                reader.result()


def test_open_file_comes_along(line, tmp_path):
    ours, theirs = line
    with (tmp_path / "file").open("w") as file:
        send_message(ours, {}, [file.fileno()])

    _, (descriptor,) = receive_message(theirs, 1)
    os.write(descriptor, b"written there")
    os.close(descriptor)

    assert (tmp_path / "file").read_text() == "written there"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\0\0",
        b"\0\0\0\x05[1]",
        b"\0\0\0\x03[1]",
        b"\0\0\0\x01{",
        (LONGEST_MESSAGE + 1).to_bytes(4, "big"),
    ],
    ids=["nothing", "half a header", "half a message", "no object", "no JSON", "too long"],
)
def test_what_is_no_message_leaves_no_file_open(line, sent):
    ours, theirs = line
    before = open_descriptors()
    with open(os.devnull) as file:  # noqa: PTH123  anything that is open
        socket.send_fds(ours, [sent], [file.fileno()] if sent else [])
    ours.shutdown(socket.SHUT_WR)

    with pytest.raises((EOFError, ValueError)):
        receive_message(theirs, 1)

    assert open_descriptors() == before
