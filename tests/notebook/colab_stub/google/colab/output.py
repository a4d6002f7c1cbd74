"""No browser is there: JavaScript gives None, callbacks are only written down."""

from collections.abc import Callable
from typing import Any

evaluated: list[str] = []
callbacks: dict[str, Callable[..., Any]] = {}


def eval_js(script: str, ignore_result: bool = False, timeout_sec: float | None = None) -> None:
    """Write down the script that the page would run."""
    evaluated.append(script)


def register_callback(function_name: str, callback: Callable[..., Any]) -> None:
    """Write down what the page could call."""
    callbacks[function_name] = callback


def enable_custom_widget_manager() -> None:
    """Colab shows no third-party widgets before this is called; here they are always allowed."""


def disable_custom_widget_manager() -> None:
    """The opposite of `enable_custom_widget_manager`."""


def clear(wait: bool = False, output_tags: tuple[str, ...] = ()) -> None:
    """Nothing is shown here, so that there is nothing to clear."""


def no_vertical_scroll() -> None:
    """On Colab: let an output be as tall as it likes."""
