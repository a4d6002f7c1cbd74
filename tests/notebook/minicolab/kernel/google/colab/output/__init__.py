"""What a cell can do with its output: run JavaScript there, and choose who shows its widgets."""

from collections.abc import Callable
from typing import Any

from google.colab import _message
from google.colab.output import _widgets as _widgets  # anywidget looks there
from google.colab.output._widgets import disable_custom_widget_manager, enable_custom_widget_manager
from IPython.display import clear_output

__all__ = [
    "clear",
    "disable_custom_widget_manager",
    "enable_custom_widget_manager",
    "eval_js",
    "no_vertical_scroll",
    "register_callback",
]

_callbacks: dict[str, Callable[..., Any]] = {}


def eval_js(script: str, ignore_result: bool = False, timeout_sec: float | None = None) -> Any:
    """Run a script in the cell's frame; what comes of it, None where that isn't waited for or takes too long."""
    number = _message.send_request("cell_javascript_eval", {"script": script})
    return None if ignore_result else _message.read_reply(number, timeout_sec)


def register_callback(function_name: str, callback: Callable[..., Any]) -> None:
    """Write down what the page could call; the mini Colab's page calls nothing."""
    _callbacks[function_name] = callback


def clear(wait: bool = False, output_tags: tuple[str, ...] = ()) -> None:
    """Clear the cell's output."""
    clear_output(wait=wait)


def no_vertical_scroll() -> None:
    """Let an output be as tall as it likes: here every one is."""
