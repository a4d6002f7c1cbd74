"""Files on their way from the page to Python, in pieces: a server closes the connection on a message of over ten MB."""

from collections.abc import Callable
from typing import Any, Final

MAX_BYTES: Final = 64 * 2**20
MAX_NAME: Final = 200


class Incoming:
    """The files dropped on one zone of the page.

    take: gets (name, data) of each whole file; many: whether several may be on their way at once.
    """

    def __init__(self, take: Callable[[str, bytes], None], many: bool = False) -> None:
        self._take, self._many = take, many
        self._coming: dict[str, bytearray] = {}

    @property
    def pending(self) -> int:
        """How many files have begun to come and are not whole."""
        return len(self._coming)

    def receive(self, content: dict[str, Any], buffers: list[Any]) -> None:
        """One piece of a file, as drop.js sends them: in order. Whatever doesn't fit together is dropped."""
        key, size, offset = str(content.get("id")), content.get("size"), content.get("offset")
        if not isinstance(size, int) or not 0 <= size <= MAX_BYTES or not buffers:
            return
        if offset == 0:
            self._coming = {**self._coming, key: bytearray()} if self._many else {key: bytearray()}
        data = self._coming.get(key)
        if data is None or offset != len(data) or len(data) + len(buffers[0]) > size:
            self._coming.pop(key, None)
            return
        data += bytes(buffers[0])
        if len(data) == size:
            del self._coming[key]
            self._take(str(content.get("name"))[:MAX_NAME], bytes(data))
