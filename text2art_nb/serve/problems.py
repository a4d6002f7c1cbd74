"""Refusals as RFC 9457 problems, each with one plain sentence."""

from collections.abc import Mapping
from http import HTTPStatus

from text2art_nb.errors import SettingsError, Text2ArtError

MEDIA_TYPE = "application/problem+json"


class Problem(Text2ArtError):
    """A refused request.

    Args:
        status: HTTP status, 400 to 599.
        detail: one sentence that says what is wrong and what would be right.
        kind: short machine-readable name, such as "queue-full"; None: the status says it all.
        retry_after: seconds to wait before a retry; None: a retry is pointless.
        fields: messages by field name.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str | None = None,
        retry_after: int | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = HTTPStatus(status).phrase
        self.detail = detail
        self.kind = kind
        self.retry_after = retry_after
        self.fields = dict(fields or {})

    @classmethod
    def of_settings(cls, error: SettingsError) -> "Problem":
        """Make a 422 from the messages for each field."""
        fields = {name: sentence for name, sentence in error.problems.items() if name}
        return cls(422, str(error), kind="invalid-settings", fields=fields)

    def to_json(self) -> dict[str, object]:
        """The response body of RFC 9457; `fields` is our extension."""
        body: dict[str, object] = {
            "type": f"urn:text2art:{self.kind}" if self.kind else "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return body | ({"fields": self.fields} if self.fields else {})

    @property
    def headers(self) -> dict[str, str]:
        """Response headers besides the content type."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def not_found(id: str) -> Problem:
    """Make a 404 for an unknown job."""
    return Problem(404, f"there is no job {id[:60]!r}; it may have been removed", kind="no-such-job")
