"""A real kernel with a test as its front end: it runs cells, clicks, interrupts, and folds outputs as Jupyter does."""

import ast
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.manager import KernelManager

from tests.notebook.environments import ROOT, Environment

JPEG = "image/jpeg"
WIDGET = "application/vnd.jupyter.widget-view+json"


@dataclass(frozen=True)
class Message:
    """One message of the kernel's to all its front ends. at: when it came, by `time.monotonic`."""

    at: float
    kind: str
    parent: str
    content: dict[str, Any]

    @property
    def shows_picture(self) -> bool:
        """Whether it is a frame of the live picture."""
        return self.kind in ("display_data", "update_display_data") and JPEG in self.content["data"]


class Kernel:
    """A kernel of an environment, in a folder of its own. Use it in a `with`."""

    def __init__(self, environment: Environment, folder: Path, **variables: str) -> None:
        """variables: environment variables for the kernel, besides the environment's own."""
        self.folder = folder
        self.messages: list[Message] = []
        self._cell: Cell | None = None
        own = {
            "PYTHONPATH": str(ROOT),
            "T2A_DIR": str(folder / "pictures"),
            "IPYTHONDIR": str(folder / "ipython"),
        }
        self._variables = {**environment.env, **own, **variables}
        specs = _write_spec(environment, folder / "kernels")
        self._manager = KernelManager(
            kernel_name="tested",
            kernel_spec_manager=KernelSpecManager(kernel_dirs=[str(specs)], ensure_native_kernel=False),
            connection_file=str(folder / "connection.json"),
        )

    def __enter__(self) -> Self:
        self._manager.start_kernel(env=self._variables, cwd=str(self.folder))
        self._client = self._manager.client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=240)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)

    @property
    def is_busy(self) -> bool:
        """Whether the cell that was begun last has not ended."""
        return self._cell is not None and self._cell.ended is None

    def begin(self, code: str) -> "Cell":
        """Start to run a cell, without waiting for anything."""
        began = time.monotonic()
        self._cell = Cell(self, self._client.execute(code, store_history=False), began, len(self.messages))
        return self._cell

    def run(self, code: str, seconds: float = 240) -> "Cell":
        """Run a cell to its end, which must not be an error."""
        cell = self.begin(code)
        cell.wait_until_ended(seconds)
        if cell.error is not None and cell.error.startswith("aborted"):
            # For a moment after a cell that failed, ipykernel throws away what is sent, unread, as if it was queued.
            cell = self.begin(code)
            cell.wait_until_ended(seconds)
        assert cell.error is None, f"{cell.error} in:\n{code}"
        return cell

    def value(self, expression: str) -> Any:
        """What an expression is in the kernel, as far as a literal can say."""
        identity = self._client.execute("", silent=True, user_expressions={"value": expression})
        told = self.reply(identity, 240)["user_expressions"]["value"]
        assert told["status"] == "ok", told
        return ast.literal_eval(told["data"]["text/plain"])

    def click(self, button: "Button") -> None:
        """What a front end does when the user clicks: a message to the view's comm, also while a cell runs."""
        self.tell(button.view, {"do": button.name})

    def tell(self, widget: str, content: dict[str, Any]) -> None:
        """What a widget's own page script does when it sends a message."""
        sent = {"comm_id": widget, "data": {"method": "custom", "content": content}}
        self._client.shell_channel.send(self._client.session.msg("comm_msg", sent))

    def interrupt(self) -> None:
        """What Kernel → Interrupt does: SIGINT."""
        self._manager.interrupt_kernel()

    def listen(self, seconds: float) -> list[Message]:
        """All that is told within so many seconds."""
        first = len(self.messages)
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self._hear(left)
        return self.messages[first:]

    def wait_for(
        self, wanted: Callable[[Message], bool], what: str, seconds: float, first: int | None = None
    ) -> Message:
        """The first message that is `wanted`, of those from number `first` on; by default, of those to come."""
        number = len(self.messages) if first is None else first
        end = time.monotonic() + seconds
        while True:
            while number < len(self.messages):
                if wanted(self.messages[number]):
                    return self.messages[number]
                number += 1
            left = end - time.monotonic()
            assert left > 0, f"no {what} within {seconds} s"
            self._hear(left)

    def states(self) -> dict[str, dict[str, Any]]:
        """The state of every widget that was made so far, by its comm."""
        found: dict[str, dict[str, Any]] = {}
        for message in self.messages:
            comm, data = message.content.get("comm_id", ""), message.content.get("data", {})
            if message.kind == "comm_open" and message.content["target_name"] == "jupyter.widget":
                found[comm] = dict(data["state"])
            elif message.kind == "comm_msg" and comm in found and data.get("method") == "update":
                found[comm].update(data["state"])
        return found

    def _hear(self, seconds: float) -> None:
        """Take one message, if there is one within so many seconds."""
        if not self._client.iopub_channel.socket.poll(seconds * 1000):
            return
        told = self._client.get_iopub_msg(timeout=1)
        parent = told["parent_header"].get("msg_id", "")
        self.messages.append(Message(time.monotonic(), told["msg_type"], parent, told["content"]))

    def reply(self, identity: str, seconds: float) -> dict[str, Any]:
        """The answer to a request; answers to others are let go."""
        end = time.monotonic() + seconds
        while True:
            reply = self._client.get_shell_msg(timeout=max(0.0, end - time.monotonic()))
            if reply["parent_header"].get("msg_id") == identity:
                content: dict[str, Any] = reply["content"]
                return content


@dataclass(frozen=True)
class Button:
    """A button of one of the studio's views: the view's comm, and what the view says when it is pressed."""

    view: str
    name: str


@dataclass
class Cell:
    """A cell that runs, or has run. began, ended: by `time.monotonic`. error: what the user saw as a traceback."""

    kernel: Kernel
    identity: str
    began: float
    first: int
    ended: float | None = None
    error: str | None = None

    def wait_until_ended(self, seconds: float) -> None:
        """Wait until the kernel says that the cell is done."""
        self.ended = self.kernel.wait_for(self._is_end, "end of the cell", seconds, self.first).at
        reply = self.kernel.reply(self.identity, 240)
        if reply["status"] != "ok":
            self.error = f"{reply.get('ename', reply['status'])}: {reply.get('evalue', '')}"

    def wait_for_frames(self, count: int, seconds: float = 240) -> None:
        """Wait until so many pictures have been shown since the cell began."""
        first = self.first
        for _ in range(count):
            first = self._wait_for(lambda message: message.shows_picture, "picture", seconds, first) + 1

    def wait_for_more_frames(self, count: int, seconds: float) -> None:
        """Wait until so many pictures have been shown from now on."""
        first = len(self.kernel.messages)
        for _ in range(count):
            first = self._wait_for(lambda message: message.shows_picture, "picture", seconds, first) + 1

    def wait_for_text(self, text: str, seconds: float = 240) -> None:
        """Wait until the cell has printed a text."""
        self._wait_for(lambda message: text in message.content.get("text", ""), text, seconds, self.first)

    def _wait_for(self, wanted: Callable[[Message], bool], what: str, seconds: float, first: int) -> int:
        """The number of the first message that is `wanted`; the cell must not end before it."""
        found = self.kernel.wait_for(lambda message: wanted(message) or self._is_end(message), what, seconds, first)
        assert wanted(found), f"the cell ended before there was a {what}: {self.outputs}"
        return next(
            number for number in range(first, len(self.kernel.messages)) if self.kernel.messages[number] is found
        )

    def _is_end(self, message: Message) -> bool:
        idle = message.kind == "status" and message.content["execution_state"] == "idle"
        return idle and message.parent == self.identity

    def button(self, description: str) -> Button:
        """The button, of those of the views that the cell shows, that says so."""
        shown = {
            message.content["data"][WIDGET]["model_id"]
            for message in self.kernel.messages[self.first :]
            if message.parent == self.identity and WIDGET in message.content.get("data", {})
        }
        states = self.kernel.states()
        [found] = [
            Button(comm, name)
            for comm in shown
            for name, label, _, disabled in states[comm].get("buttons", ())
            if label == description and not disabled
        ]
        return found

    @property
    def tracebacks(self) -> list[Message]:
        """Every error that was told since the cell began, also by handlers."""
        return [message for message in self.kernel.messages[self.first :] if message.kind == "error"]

    @property
    def outputs(self) -> list[dict[str, Any]]:
        """What a front end would save under the cell by now."""
        return fold(self.kernel.messages[self.first :], self.identity)


def fold(messages: list[Message], cell: str) -> list[dict[str, Any]]:
    """The outputs of a cell in nbformat, after all updates by display_id and all clearing."""
    outputs: list[dict[str, Any]] = []
    displays: list[str | None] = []
    clear_next = False
    for message in messages:
        content = message.content
        shown = content.get("transient", {}).get("display_id")
        if message.kind == "update_display_data":
            for output, display in zip(outputs, displays, strict=True):
                if display == shown:
                    output.update(data=content["data"], metadata=content["metadata"])
        elif message.parent != cell:
            continue
        elif message.kind == "clear_output":
            clear_next = True
        elif message.kind in ("display_data", "execute_result", "stream", "error"):
            if clear_next:
                outputs, displays, clear_next = [], [], False
            saved = {key: value for key, value in content.items() if key != "transient"}
            if message.kind == "stream" and outputs and outputs[-1].get("name") == content["name"]:
                outputs[-1]["text"] += content["text"]
            else:
                outputs.append({"output_type": message.kind, **saved})
                displays.append(shown)
        if message.kind == "clear_output" and not content["wait"]:
            outputs, displays, clear_next = [], [], False
    return outputs


def saved_size(outputs: list[dict[str, Any]]) -> int:
    """How many bytes the outputs take in the notebook's file."""
    return len(json.dumps(outputs))


def _write_spec(environment: Environment, folder: Path) -> Path:
    """A kernel that is started with the environment's Python, whatever kernels are installed."""
    argv = [str(environment.python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": environment.name, "language": "python"}
    (folder / "tested").mkdir(parents=True)
    (folder / "tested" / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    return folder
