"""Questions to the page. They go out beside a cell's outputs; the answers come as if somebody had typed them."""

import itertools
import time
from typing import Any

import zmq
from IPython import get_ipython

LOOK_SECONDS = 0.025

_numbers = itertools.count(1)


class MessageError(Exception):
    """The page answered that it could not."""


def send_request(kind: str, request: Any) -> int:
    """Ask the page, without waiting; the question's number."""
    kernel = get_ipython().kernel
    number = next(_numbers)
    kernel.session.send(
        kernel.iopub_socket,
        "colab_request",
        content={"request": request},
        metadata={"colab_request_type": kind, "colab_msg_id": number},
        parent=kernel.get_parent("shell"),
    )
    return number


def read_reply(number: int, timeout_sec: float | None) -> Any:
    """What the page answers to question `number`; None where it hasn't in so many seconds. Other input is lost.

    Raises:
        MessageError: the page answered with an error.
    """
    kernel = get_ipython().kernel
    end = None if timeout_sec is None else time.monotonic() + timeout_sec
    while end is None or time.monotonic() < end:
        try:
            _, message = kernel.session.recv(kernel.stdin_socket, zmq.NOBLOCK)
        except ValueError:  # not signed by the page's server
            continue
        if message is None:
            time.sleep(LOOK_SECONDS)
            continue
        value = message["content"].get("value")
        if isinstance(value, dict) and value.get("type") == "colab_reply" and value.get("colab_msg_id") == number:
            if "error" in value:
                raise MessageError(value["error"])
            return value.get("data")
    return None


def blocking_request(kind: str, request: Any = "", timeout_sec: float | None = 5) -> Any:
    """Ask the page, and wait for what it answers."""
    return read_reply(send_request(kind, request), timeout_sec)
