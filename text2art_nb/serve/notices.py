"""Send notices through Apprise: mail to the visitor, messages to the operator's channels.

Only the operator writes the URLs. A visitor's address becomes part of one only as its quoted `to`, after validation: a
forged URL could reach any service and any file that Apprise can reach.
"""

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from text2art_nb.errors import Text2ArtError
from text2art_nb.serve.config import Notices
from text2art_nb.settings.coercion import shown

if TYPE_CHECKING:
    from apprise import Apprise, AppriseAttachment

MAX_ATTACHED: Final = 20_000_000
"""Total bytes of attachments: what mail servers usually accept, less the base64 overhead."""
MAX_SUBJECT: Final = 150
MAX_ADDRESS: Final = 254

MAIL_SCHEMES: Final = (
    "mailto mailtos mailgun sendgrid resend brevo ses smtp2go sparkpost postmark mailersend sendpulse"
).split()
"""Services that send mail and whose `to` is an address."""

# Stricter than RFC 5322: Apprise would read the rest as a name, a list, or an escape.
_LOCAL = r"[A-Za-z0-9_+=~-]+(?:\.[A-Za-z0-9_+=~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")
_NEVER = re.compile(r"Socket Exception: \{.*: \(5\d\d, ")
"""Apprise's log line for a permanent refusal (5xx) of the recipient; smtplib's wording."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")


class NoticeError(Text2ArtError):
    """A notice was not delivered. The message contains neither an address nor secrets of the operator's URLs."""


class RefusedError(NoticeError):
    """The mail server refuses this address permanently."""


def checked_address(address: str) -> str:
    """Return the address if it is a single plain one: no display name, no second address, no control characters.

    Raises:
        NoticeError: it is not.
    """
    found = _ADDRESS.fullmatch(address) if len(address) <= MAX_ADDRESS else None
    if found is None or len(found["local"]) > 64:
        raise NoticeError("an e-mail address must be one plain address, like ada@example.org")
    return address


def check(notices: Notices) -> None:
    """Reject unusable URLs before the first job is accepted.

    Raises:
        NoticeError: Apprise doesn't know the service or can't use the URL; the mail URL's service sends no mail or
            names recipients of its own.
    """
    for channel in notices.channels:
        _service(channel)
    if notices.mail is not None:
        _mail(notices.mail, "ada@example.org")


def send(notices: Notices, address: str | None, subject: str, text: str, attachments: Sequence[Path]) -> None:
    """Send one mail to `address` and one message to every channel, with the attachments that fit.

    The mail goes first. Once one recipient is reached, later failures are logged, not raised: a retry would notify the
    others twice.

    Args:
        notices: the operator's URLs.
        address: the visitor's; None: only the channels.
        subject: one line; control characters become spaces.
        text: plain text; escaped where a service wants HTML.
        attachments: files. Those beyond `MAX_ATTACHED` bytes in total are left out, which the text mentions.

    Raises:
        RefusedError: the mail server refuses this address.
        NoticeError: the mail was not delivered, or without mail no channel was reached.
    """
    services = []
    if address is not None:
        if notices.mail is None:
            raise NoticeError("this service sends no mail: its operator has not configured it")
        services.append(_mail(notices.mail, address))
    services += [_service(channel) for channel in notices.channels]
    attached = _select_fitting(attachments)
    if len(attached) < len(attachments):
        text += "\n\nNot all of it fits into a message; the rest is on the website."
    message = {"title": one_line(subject), "body": text, "attach": _attachment(attached)}
    troubles: list[str] = []
    for number, service in enumerate(services):
        trouble = _deliver(service, message, address)
        if trouble is not None:
            troubles.append(trouble)
        if troubles and (len(troubles) == len(services) or (address is not None and number == 0)):
            raise NoticeError("; ".join(troubles))
    for trouble in troubles:
        logging.getLogger("text2art").warning("a channel was not notified: %s", trouble)


def one_line(subject: str) -> str:
    """Return the subject without control characters and line breaks, at most `MAX_SUBJECT` characters."""
    line = " ".join(_CONTROL.sub(" ", subject).split())
    return line if len(line) <= MAX_SUBJECT else f"{line[: MAX_SUBJECT - 1]}…"


def _mail(url: str, address: str) -> "Apprise":
    """Return the operator's mail service with this address as its only recipient."""
    checked_address(address)
    scheme = url.partition("://")[0].lower()
    if scheme not in MAIL_SCHEMES:
        raise NoticeError(f"mail can't be sent through {shown(scheme)}; it can through {', '.join(MAIL_SCHEMES)}")
    service = _service(_with_recipient(url, address))
    targets: list[Any] = vars(service[0])[
        "targets"
    ]  # an attribute of every service in MAIL_SCHEMES, missing in the type
    recipients = [each[1] if isinstance(each, tuple) else each for each in targets]
    if recipients != [address]:
        raise NoticeError("the URL for mail must name no recipients of its own, neither in its path nor as to=")
    return service


def _with_recipient(url: str, address: str) -> str:
    """Set `address` as the URL's only `to` and leave every other character unchanged."""
    front, _, query = url.partition("?")
    others = [pair for pair in query.split("&") if pair and pair.partition("=")[0].lower() != "to"]
    recipient = f"to={quote(address, safe='')}"
    return f"{front}?{'&'.join([*others, recipient])}"


def _service(url: str) -> "Apprise":
    """Return the Apprise service of one URL. Raises NoticeError without the URL's secrets."""
    from apprise import Apprise

    service = Apprise()
    with _captured_log() as said:
        known = service.add(url)
    if not known or len(service) != 1:
        scheme = shown(url.partition("://")[0])
        reason = f" ({said.last})" if said.last and url not in said.last else ""
        raise NoticeError(f"a notice can't be sent through the {scheme} URL as it is configured{reason}")
    return service


def _deliver(service: "Apprise", message: dict[str, Any], address: str | None) -> str | None:
    """Send the message. Return the failure as a sentence, or None. Raises RefusedError."""
    from apprise import NotifyFormat

    with _captured_log() as said:
        try:
            delivered = bool(service.notify(**message, body_format=NotifyFormat.TEXT))
        except TypeError as error:  # raised by Apprise for a message that it can't send at all
            delivered, said.last = False, str(error)
    if delivered:
        return None
    if said.refused:
        raise RefusedError("the mail server takes no mail for this address")
    last = said.last.rstrip(".") or "no reason was given"
    name = str(service[0].service_name)
    return f"{name} did not take the message: {last.replace(address, '…') if address else last}"


@dataclass
class _AppriseLog:
    """The log of Apprise during one call.

    Attributes:
        last: its last warning, or "".
        refused: whether the recipient was refused permanently.
    """

    last: str = ""
    refused: bool = False


@contextmanager
def _captured_log() -> Iterator[_AppriseLog]:
    """Capture Apprise's log. None of it may reach other handlers, since it contains addresses."""
    said = _AppriseLog()

    def capture(record: logging.LogRecord) -> bool:
        words = record.getMessage()
        if record.levelno >= logging.WARNING:
            said.last = words
        said.refused = said.refused or _NEVER.match(words) is not None
        return False

    logger = logging.getLogger("apprise")
    level = logger.level
    logger.addFilter(capture)
    logger.setLevel(logging.DEBUG)  # the reason of a refusal is logged at this level only
    try:
        yield said
    finally:
        logger.setLevel(level)
        logger.removeFilter(capture)


def _select_fitting(attachments: Sequence[Path]) -> list[Path]:
    """Select the files that fit into a message, in order. Raises NoticeError if one doesn't exist."""
    fit: list[Path] = []
    left = MAX_ATTACHED
    for path in attachments:
        if not path.is_file():
            raise NoticeError(f"{path.name} is to be sent but does not exist")
        size = path.stat().st_size
        if size <= left:
            fit.append(path)
            left -= size
    return fit


def _attachment(paths: Sequence[Path]) -> "AppriseAttachment | None":
    """Attach the files as files, never as text that Apprise might read as a URL."""
    from apprise import AppriseAttachment
    from apprise.attachment.file import AttachFile

    if not paths:
        return None
    attachment = AppriseAttachment()
    for path in paths:
        attachment.add(AttachFile(str(path.absolute())))
    return attachment
