"""Work with the kernel: handle clicks while a cell runs, count Interrupts, run work after a click.

A cell that runs keeps the kernel busy. How clicks still get in differs: ipykernel 7 handles them while an async cell
awaits something; ipykernel 6 (Colab's) queues them behind the cell, so that they have to be taken out of the queue.
"""

import asyncio
import json
import signal
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Final, Self

import ipywidgets as widgets

_COMMS: Final = ("comm_open", "comm_msg", "comm_close")


def running_kernel() -> Any | None:
    """The ipykernel that this code runs in; None in a plain Python or a terminal's IPython."""
    from IPython import get_ipython

    return getattr(get_ipython(), "kernel", None)


class MessagePump:
    """Handles the widgets' messages that wait for a cell to end. Call it often, on the main thread.

    What is not a widget's message stays in the queue, in order. Where the kernel has no such queue (ipykernel 7, or no
    kernel at all) there is nothing to do.
    """

    def __init__(self, kernel: Any | None) -> None:
        self._kernel = kernel
        self._queue = getattr(kernel, "msg_queue", None)

    def __call__(self) -> None:
        if self._queue is None or self._kernel is None:
            return
        self._kernel.shell_stream.flush()  # from the socket into the queue
        waiting = [self._queue.get_nowait() for _ in range(self._queue.qsize())]
        for entry in waiting:
            if not self._handle(entry):
                self._queue.put_nowait(entry)

    def _handle(self, entry: tuple[Any, ...]) -> bool:
        """Whether this entry of the queue was a widget's message, and has been handled."""
        arguments = entry[-1]
        if not arguments:
            return False
        kernel: Any = self._kernel
        session = kernel.session
        identities, parts = session.feed_identities(arguments[0], copy=False)
        # A look at the header alone: reading the whole message notes its signature, and a second reading is refused.
        kind = json.loads(bytes(parts[1].bytes))["msg_type"]
        if kind not in _COMMS:
            return False
        message = session.deserialize(parts, content=True, copy=False)
        # ipywidgets 7 sends no further change of a widget until it has heard that the last one is dealt with.
        kernel._publish_status("busy", "shell", parent=message)
        kernel.shell_handlers[kind](kernel.shell_stream, identities, message)
        kernel._publish_status("idle", "shell", parent=message)
        kernel._publish_status("busy", "shell")  # the cell goes on: pages show the last word
        return True


@contextmanager
def acknowledge_messages(kernel: Any | None) -> Iterator[None]:
    """While it lasts, in an async cell, ipykernel 7 says of every widget's message when it is dealt with.

    It leaves that out while a cell runs (7.4), and ipywidgets sends no further change of a widget before it has heard
    it: a field would go dead after the first letter. `MessagePump` does the same for ipykernel 6.
    """
    if kernel is None or must_block(kernel):
        yield
        return
    cell, handle = kernel.get_parent("shell"), kernel.shell_handlers["comm_msg"]

    def handle_and_answer(stream: Any, identities: Any, message: Any) -> None:
        kernel._publish_status("busy", "shell", parent=message)
        try:
            handle(stream, identities, message)
        finally:
            kernel._publish_status("idle", "shell", parent=message)
            kernel._publish_status("busy", "shell", parent=cell)  # the cell goes on: pages show the last word

    kernel.shell_handlers["comm_msg"] = handle_and_answer
    try:
        yield
    finally:
        kernel.shell_handlers["comm_msg"] = handle


def handle_on_main_thread(*boxes: widgets.Widget) -> None:
    """Have what happens to these widgets, and to all in them, handled on the main thread, in order.

    ipykernel 7 hands a widget's message to the thread that last sent to it, so that of two fields one may be heard by
    the main thread and the other by a subshell's, at the same time. Elsewhere this changes nothing.
    """
    for widget in boxes:
        comm: Any = getattr(widget, "comm", None)
        if hasattr(comm, "_reply_subshell_for"):
            comm._reply_subshell_for = lambda data, default: None  # None is the main thread
        handle_on_main_thread(*getattr(widget, "children", ()))


class Interrupts:
    """While it lasts, Interrupt is counted instead of tearing the cell apart; `count` says how often it came.

    Whoever awaits looks at the count: an exception out of a signal handler would hit whatever the event loop is doing.
    Only the main thread hears signals; elsewhere nothing is changed.
    """

    def __init__(self) -> None:
        self.count = 0
        self._before: Any = None
        self._listens = threading.current_thread() is threading.main_thread()

    def _hear(self, number: int, frame: FrameType | None) -> None:
        self.count += 1

    def __enter__(self) -> Self:
        if self._listens:
            self._before = signal.signal(signal.SIGINT, self._hear)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._listens:
            signal.signal(signal.SIGINT, signal.default_int_handler if self._before is None else self._before)


def must_block(kernel: Any | None) -> bool:
    """Whether what a click begins has to be done to its end before the click's handler returns.

    So it is before ipykernel 7 (there a widget that is updated from elsewhere doesn't move, colabtools#3373), and
    without a kernel. ipykernel 7 does it on the kernel's event loop, while that is idle.
    """
    return kernel is None or hasattr(kernel, "msg_queue")


def run_after_click(work: Coroutine[Any, Any, None], kernel: Any | None) -> None:
    """Do `work`, begun by a click, so that further clicks are heard."""
    if kernel is None or must_block(kernel):
        _run_blocking(work)
    else:  # from whatever thread the click came in on
        asyncio.run_coroutine_threadsafe(work, kernel.io_loop.asyncio_loop)


def _run_blocking(work: Coroutine[Any, Any, None]) -> None:
    """Drive a coroutine that awaits nothing but `sleep` to its end, also inside a running event loop."""
    while True:
        try:
            seconds = work.send(None)
        except StopIteration:
            return
        time.sleep(seconds if isinstance(seconds, float) else 0.001)


class _Sleep:
    """Awaiting it hands `seconds` to whoever drives the coroutine by hand."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __await__(self) -> Any:
        yield self._seconds


async def sleep(seconds: float, blocking: bool) -> None:
    """Wait; blocking: for `_run_blocking`, which has no event loop of its own to wait on."""
    if blocking:
        await _Sleep(seconds)
    else:
        await asyncio.sleep(seconds)
