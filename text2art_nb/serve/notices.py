"""Telling people that their picture is ready, through Apprise: mail to whom a job names, and the operator's channels.

The operator writes the URLs. A visitor's address is never made part of one but as its quoted `to`, and only after it
was checked: a URL that could be bent would reach any service, and any file, that Apprise can reach.
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

MOST_ATTACHED: Final = 20_000_000
"""Most bytes of all attachments together: what mail servers usually take, less what base64 adds."""
LONGEST_SUBJECT: Final = 150
LONGEST_ADDRESS: Final = 254

MAIL_SCHEMES: Final = (
    "mailto mailtos mailgun sendgrid resend brevo ses smtp2go sparkpost postmark mailersend sendpulse"
).split()
"""Services that send mail, and whose `to` is an address."""

# Less than RFC 5322 allows: what it allows beyond this, Apprise reads as a name, a list, or an escape.
_LOCAL = r"[A-Za-z0-9_+=~-]+(?:\.[A-Za-z0-9_+=~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?P<local>{_LOCAL})@(?:{_LABEL}\.)+(?!\d+\Z){_LABEL}")
_NEVER = re.compile(r"Socket Exception: \{.*: \(5\d\d, ")
"""What Apprise says, to itself, of a mail server that refuses the recipient (5xx: for good); smtplib's own words."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x80-\x9f\u2028\u2029]+")


class NoticeError(Text2ArtError):
    """Somebody could not be told. The sentence holds neither an address nor what is secret in the operator's URLs."""


class RefusedError(NoticeError):
    """The mail server takes no mail for this address, and would not tomorrow."""


def checked_address(address: str) -> str:
    """The address as it is, if it is one plain address: no name before it, no second one behind it, no control signs.

    Raises:
        NoticeError: it is not.
    """
    found = _ADDRESS.fullmatch(address) if len(address) <= LONGEST_ADDRESS else None
    if found is None or len(found["local"]) > 64:
        raise NoticeError("an e-mail address must be one plain address, like ada@example.org")
    return address


def check(notices: Notices) -> None:
    """Refuse URLs that could tell nobody, before the first job is taken.

    Raises:
        NoticeError: a service that Apprise doesn't know or can't reach with what the URL says; mail through something
            that sends no mail, or that names recipients of its own.
    """
    for channel in notices.channels:
        _service(channel)
    if notices.mail is not None:
        _mail(notices.mail, "ada@example.org")


def send(notices: Notices, address: str | None, subject: str, text: str, attachments: Sequence[Path]) -> None:
    """Send one mail to `address`, and one message to every channel, with the attachments as far as they fit.

    Mail comes first. What a channel misses after somebody else was told is logged, not raised: trying again would tell
    the others twice.

    Args:
        notices: what the operator wrote.
        address: the visitor's, or None: only the channels are told.
        subject: one line; control signs in it become spaces.
        text: plain text; it is escaped where a service wants HTML.
        attachments: files; those that would make it larger than `MOST_ATTACHED` bytes are left out, which it says.

    Raises:
        RefusedError: the mail server takes none for this address.
        NoticeError: the mail was not delivered, or no channel was reached where there was no mail to send.
    """
    services = []
    if address is not None:
        if notices.mail is None:
            raise NoticeError("this service sends no mail: its operator has not said how")
        services.append(_mail(notices.mail, address))
    services += [_service(channel) for channel in notices.channels]
    attached = _that_fit(attachments)
    if len(attached) < len(attachments):
        text += "\n\nNot all of it fits into a message: the rest is where the picture was drawn."
    message = {"title": one_line(subject), "body": text, "attach": _attachment(attached)}
    troubles: list[str] = []
    for number, service in enumerate(services):
        trouble = _deliver(service, message, address)
        if trouble is not None:
            troubles.append(trouble)
        if troubles and (len(troubles) == len(services) or (address is not None and number == 0)):
            raise NoticeError("; ".join(troubles))
    for trouble in troubles:
        logging.getLogger("text2art").warning("a channel was not told: %s", trouble)


def one_line(subject: str) -> str:
    """The subject without control signs and line ends, at most `LONGEST_SUBJECT` characters."""
    line = " ".join(_CONTROL.sub(" ", subject).split())
    return line if len(line) <= LONGEST_SUBJECT else f"{line[: LONGEST_SUBJECT - 1]}…"


def _mail(url: str, address: str) -> "Apprise":
    """The operator's mail, to this one address and no other."""
    checked_address(address)
    scheme = url.partition("://")[0].lower()
    if scheme not in MAIL_SCHEMES:
        raise NoticeError(f"mail can't be sent through {shown(scheme)}; it can through {', '.join(MAIL_SCHEMES)}")
    service = _service(_with_recipient(url, address))
    targets: list[Any] = vars(service[0])["targets"]  # of every service in MAIL_SCHEMES, though not in its type
    recipients = [each[1] if isinstance(each, tuple) else each for each in targets]
    if recipients != [address]:
        raise NoticeError("the URL for mail must name no recipients of its own, neither in its path nor as to=")
    return service


def _with_recipient(url: str, address: str) -> str:
    """The URL with `address` as its only `to`; nothing else in it changes by a character."""
    front, _, query = url.partition("?")
    others = [pair for pair in query.split("&") if pair and pair.partition("=")[0].lower() != "to"]
    recipient = f"to={quote(address, safe='')}"
    return f"{front}?{'&'.join([*others, recipient])}"


def _service(url: str) -> "Apprise":
    """The service of one URL, alone. Raises NoticeError, without what is secret in the URL."""
    from apprise import Apprise

    service = Apprise()
    with _overheard() as said:
        known = service.add(url)
    if not known or len(service) != 1:
        scheme = shown(url.partition("://")[0])
        reason = f" ({said.last})" if said.last and url not in said.last else ""
        raise NoticeError(f"a notice can't be sent through the {scheme} URL as it is configured{reason}")
    return service


def _deliver(service: "Apprise", message: dict[str, Any], address: str | None) -> str | None:
    """Send it; what went wrong, as a sentence, or None. Raises RefusedError."""
    from apprise import NotifyFormat

    with _overheard() as said:
        try:
            delivered = bool(service.notify(**message, body_format=NotifyFormat.TEXT))
        except TypeError as error:  # Apprise's word for a message that it can't send at all
            delivered, said.last = False, str(error)
    if delivered:
        return None
    if said.refused:
        raise RefusedError("the mail server takes no mail for this address")
    last = said.last.rstrip(".") or "no reason was given"
    name = str(service[0].service_name)
    return f"{name} did not take the message: {last.replace(address, '…') if address else last}"


@dataclass
class _Said:
    """What Apprise said. last: its last complaint, or ""; refused: whether the recipient was, for good."""

    last: str = ""
    refused: bool = False


@contextmanager
def _overheard() -> Iterator[_Said]:
    """What Apprise has to say meanwhile. None of it reaches a log: addresses are among it."""
    said = _Said()

    def hear(record: logging.LogRecord) -> bool:
        words = record.getMessage()
        if record.levelno >= logging.WARNING:
            said.last = words
        said.refused = said.refused or _NEVER.match(words) is not None
        return False

    logger = logging.getLogger("apprise")
    level = logger.level
    logger.addFilter(hear)
    logger.setLevel(logging.DEBUG)  # why a recipient was refused it says there alone
    try:
        yield said
    finally:
        logger.setLevel(level)
        logger.removeFilter(hear)


def _that_fit(attachments: Sequence[Path]) -> list[Path]:
    """The files that fit into a message together, the first ones first. Raises NoticeError if one isn't there."""
    fit: list[Path] = []
    left = MOST_ATTACHED
    for path in attachments:
        if not path.is_file():
            raise NoticeError(f"{path.name} is to be sent, but isn't there")
        size = path.stat().st_size
        if size <= left:
            fit.append(path)
            left -= size
    return fit


def _attachment(paths: Sequence[Path]) -> "AppriseAttachment | None":
    """The files as Apprise wants them: as files, never as text that it might take for a URL."""
    from apprise import AppriseAttachment
    from apprise.attachment.file import AttachFile

    if not paths:
        return None
    attachment = AppriseAttachment()
    for path in paths:
        attachment.add(AttachFile(str(path.absolute())))
    return attachment
