"""Which widget manager shows the widgets: the metadata of every widget that is displayed names it."""

from typing import Any

from IPython import get_ipython

URL = "https://ssl.gstatic.com/colaboratory-static/widgets/colab-cdn-widget-manager/2b70e893a8ba7c0f/manager.min.js"
"""Where Colab has the manager that also shows other people's widgets."""

_VIEW = "application/vnd.jupyter.widget-view+json"
_installed_url: str | None = None  # anywidget reads it by this name


def enable_custom_widget_manager(version: str = "5.0.0a") -> None:
    """Have widgets shown by the manager that fetches other people's. Raises ValueError for an unknown version."""
    if version != "5.0.0a":
        raise ValueError(f"Unknown widgets version: {version}")
    _install(URL)


def disable_custom_widget_manager() -> None:
    """The opposite of `enable_custom_widget_manager`."""
    _install(None)


def _install(url: str | None) -> None:
    global _installed_url
    publisher = get_ipython().display_pub
    if url and not _installed_url:
        publisher.register_hook(_name_manager)
    elif _installed_url and not url:
        publisher.unregister_hook(_name_manager)
    _installed_url = url


def _name_manager(message: dict[str, Any]) -> dict[str, Any]:
    content = message.get("content") or {}
    if _installed_url and content.get("data", {}).get(_VIEW):
        metadata = content.setdefault("metadata", {}).setdefault(_VIEW, {})
        metadata["colab"] = {"custom_widget_manager": {"url": _installed_url}}
    return message
