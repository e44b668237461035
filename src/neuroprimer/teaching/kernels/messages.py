"""What a fork server and those who ask it say to each other over a Unix socket."""

import json
import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any

HEADER_BYTES = 4

# No request comes near it: an environment has some hundred kilobytes at most.
LONGEST_MESSAGE = 16 << 20


def send_message(
    connection: socket.socket, content: Mapping[str, Any], descriptors: Sequence[int] = ()
) -> None:
    """Send a message, and copies of open files along with it.

    Parameters
    ----------
    connection : socket.socket
        A Unix socket.
    content : mapping
        JSON-ready.
    descriptors : sequence of int
        File descriptors; they stay open here.
    """
    body = json.dumps(content).encode()
    packed = len(body).to_bytes(HEADER_BYTES, "big") + body
    sent = socket.send_fds(connection, [packed], list(descriptors))
    if sent < len(packed):  # who has read it all may have answered and hung up by now
        connection.sendall(packed[sent:])


def receive_message(
    connection: socket.socket, most_descriptors: int = 0
) -> tuple[dict[str, Any], list[int]]:
    """Receive one message and the open files that came with it.

    Parameters
    ----------
    connection : socket.socket
        A Unix socket.
    most_descriptors : int
        How many file descriptors may come.

    Returns
    -------
    content : dict
        What was sent.
    descriptors : list of int
        They belong to the caller.

    Raises
    ------
    EOFError
        If the other side is gone.
    """
    first, descriptors, *_ = socket.recv_fds(connection, HEADER_BYTES, most_descriptors)
    try:
        header = first + _receive(connection, HEADER_BYTES - len(first))
        length = int.from_bytes(header, "big")
        if length > LONGEST_MESSAGE:
            raise EOFError(f"a message of {length} bytes is none of ours")
        content = json.loads(_receive(connection, length))
        if not isinstance(content, dict):
            raise EOFError("a message is an object")
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return content, list(descriptors)


def _receive(connection: socket.socket, length: int) -> bytes:
    received = bytearray()
    while len(received) < length:
        piece = connection.recv(length - len(received))
        if not piece:
            raise EOFError("the other side is gone")
        received += piece
    return bytes(received)
