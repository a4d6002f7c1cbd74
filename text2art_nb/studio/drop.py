"""A place on the panel to drop a file on: the same on ipywidgets 7 and 8, whose own FileUploads differ."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

MAX_BYTES: Final = 64 * 2**20
MAX_NAME: Final = 200


class DropZone(anywidget.AnyWidget):
    """Files that are dropped on it, or chosen after a click, go to the callback given to `on_file`."""

    _esm = Path(__file__).with_name("drop.js")
    label = traitlets.Unicode("Drop a picture here, or click").tag(sync=True)
    accept = traitlets.Unicode("image/*").tag(sync=True)
    many = traitlets.Bool(False).tag(sync=True)
    preview = traitlets.Unicode("").tag(sync=True)

    def __init__(self, **values: Any) -> None:
        super().__init__(**values)
        self._coming: dict[str, bytearray] = {}
        self._callback: Callable[[str, bytes], None] = lambda name, data: None
        self.on_msg(self._receive)

    def on_file(self, callback: Callable[[str, bytes], None]) -> None:
        """Have `callback(name, data)` called with each whole file."""
        self._callback = callback

    def _receive(self, _: object, content: dict[str, Any], buffers: list[Any]) -> None:
        """One piece of a file, as drop.js sends them: in order. Whatever doesn't fit together is dropped."""
        key, size, offset = str(content.get("id")), content.get("size"), content.get("offset")
        if not isinstance(size, int) or not 0 <= size <= MAX_BYTES or not buffers:
            return
        if offset == 0:
            self._coming = {key: bytearray()} if not self.many else {**self._coming, key: bytearray()}
        data = self._coming.get(key)
        if data is None or offset != len(data) or len(data) + len(buffers[0]) > size:
            self._coming.pop(key, None)
            return
        data += bytes(buffers[0])
        if len(data) == size:
            del self._coming[key]
            self._callback(str(content.get("name"))[:MAX_NAME], bytes(data))
