"""What the service refuses, and how it says so: RFC 9457 problems, each with one plain sentence."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from text2art_nb.errors import SettingsError, Text2ArtError

MEDIA_TYPE = "application/problem+json"


class Problem(Text2ArtError):
    """A request that can't be served.

    Args:
        status: the HTTP status, 400 to 599.
        detail: one sentence that says what was wrong and what would be right.
        kind: a short name that programs can tell it by, such as "queue-full"; None: the status says it all.
        retry_after: seconds after which it may be tried again; None: nothing is gained by waiting.
        fields: sentences by the names of the fields that they are about.
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
        """422, with the sentences that `error` has for each field."""
        fields = {name: sentence for name, sentence in error.problems.items() if name}
        return cls(422, str(error), kind="invalid-settings", fields=fields)

    def to_json(self) -> dict[str, Any]:
        """The body of the answer, as RFC 9457 has it; `fields` is our extension."""
        body: dict[str, Any] = {
            "type": f"urn:text2art:{self.kind}" if self.kind else "about:blank",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        return body | ({"fields": self.fields} if self.fields else {})

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the answer, beside its content type."""
        return {} if self.retry_after is None else {"Retry-After": str(self.retry_after)}


def not_found(id: str) -> Problem:
    """404: there is no such job."""
    return Problem(404, f"there is no job {id[:60]!r}; it may have been removed since", kind="no-such-job")
