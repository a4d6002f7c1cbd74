"""Mail that says a picture is ready: what arrives at a real SMTP server, and what is refused before it could."""

import email.message
import email.policy
import logging
import socket
from collections.abc import Iterator
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytest.importorskip("apprise", reason="notices need the extra [notices]")
pytest.importorskip("aiosmtpd", reason="these tests' mail server is aiosmtpd, of the extra [dev]")

from aiosmtpd.controller import Controller

from text2art_nb.serve import notices
from text2art_nb.serve.config import Notices
from text2art_nb.serve.notices import NoticeError, RefusedError, check, checked_address, one_line, send

ADDRESS = "ada+art@example.org"


class Post:
    """An SMTP server's handler, which keeps what it gets.

    refuse: an address that it doesn't know; put_off: one that it takes no mail for at the moment.
    """

    def __init__(self) -> None:
        self.envelopes: list[Any] = []
        self.refuse = "nobody@example.org"
        self.put_off = "later@example.org"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        if address == self.refuse:
            return f"550 {address} is unknown here"
        if address == self.put_off:
            return f"451 {address} is not to be had now, 550 times"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    @property
    def messages(self) -> list[email.message.EmailMessage]:
        return [message_from_bytes(each.content, policy=email.policy.default) for each in self.envelopes]


@pytest.fixture
def post() -> Iterator[Post]:
    handler = Post()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    handler.port = controller.port  # type: ignore[attr-defined]
    yield handler
    controller.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """What this side has logged; the mail server's own log is another's."""
    return "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")


def by_mail(port: int, more: str = "") -> Notices:
    return Notices(mail=f"mailto://127.0.0.1:{port}?from=art@example.org&mode=insecure{more}")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    picture, video = tmp_path / "a cat?to=evil@example.org.png", tmp_path / "film.mp4"
    Image.new("RGB", (8, 8), "red").save(picture)
    video.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(200))
    return [picture, video]


def test_one_mail_comes_with_the_picture_and_the_film(post: Any, files: list[Path]) -> None:
    send(by_mail(post.port), ADDRESS, "Your picture is ready", "a cat on a roof", files)
    [message] = post.messages
    assert post.envelopes[0].rcpt_tos == [ADDRESS]
    assert message["Subject"] == "Your picture is ready"
    attached = {part.get_content_type(): part.get_payload(decode=True) for part in message.iter_attachments()}
    assert attached["image/png"] == files[0].read_bytes()
    assert attached["video/mp4"] == files[1].read_bytes()
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "a cat on a roof" in plain.get_content()


def test_a_prompt_with_tags_arrives_as_text(post: Any) -> None:
    send(by_mail(post.port), ADDRESS, "x", "<script>alert(1)</script> & <b>bold</b>", [])
    [message] = post.messages
    html = message.get_body(("html",))
    assert html is None or "<script>" not in html.get_content()
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "<script>alert(1)</script>" in plain.get_content()


def test_a_line_end_in_the_subject_makes_no_header(post: Any) -> None:
    send(by_mail(post.port), ADDRESS, "ready\r\nBcc: evil@example.org\r\n\r\nspam", "text", [])
    [message] = post.messages
    assert message["Bcc"] is None
    assert message["Subject"] == "ready Bcc: evil@example.org spam"
    assert post.envelopes[0].rcpt_tos == [ADDRESS]


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org\r\nBcc: evil@example.org",
        "ada@example.org\n",
        "ada@example.org,evil@example.org",
        "ada@example.org evil@example.org",
        "ada@example.org&to=evil@example.org",
        "ada%0a@example.org",
        "Ada <ada@example.org>",
        "evil'ada@example.org",
        "discord://token/secret",
        "file:///etc/passwd",
        "ada@127.0.0.1",
        "ada@localhost",
        "@example.net",
        "ada@-example.org",
        "ada..b@example.org",
        "a" * 65 + "@example.org",
        "ada@" + "a." * 130 + "org",
        "ada@exämple.org",
        "",
    ],
)
def test_what_is_no_plain_address_is_refused_and_not_repeated(post: Any, address: str) -> None:
    with pytest.raises(NoticeError, match="one plain address") as caught:
        send(by_mail(post.port), address, "x", "y", [])
    assert not address or address not in str(caught.value)
    assert post.envelopes == []


@pytest.mark.parametrize(
    "address", ["ada@example.org", "ada+art@example.org", "a.d_a-1@mail.example.co.uk", "a~b=c@x.io"]
)
def test_an_ordinary_address_gets_its_mail(post: Any, address: str) -> None:
    assert checked_address(address) == address
    send(by_mail(post.port), address, "x", "y", [])
    assert [each.rcpt_tos for each in post.envelopes] == [[address]]


def test_a_dead_server_is_an_error_without_the_address(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(NoticeError, match="did not take the message") as caught:
        send(by_mail(free_port()), ADDRESS, "x", "y", [])
    assert ADDRESS not in str(caught.value)
    assert ADDRESS not in logged(caplog)


def test_a_refused_recipient_is_an_error_without_the_address(post: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(NoticeError) as caught:
        send(by_mail(post.port), post.refuse, "x", "y", [])
    assert post.refuse not in str(caught.value)
    assert post.refuse not in logged(caplog)


def test_an_address_that_is_refused_for_good_is_told_from_one_that_is_put_off(post: Any) -> None:
    with pytest.raises(RefusedError):
        send(by_mail(post.port), post.refuse, "x", "y", [])
    with pytest.raises(NoticeError) as caught:
        send(by_mail(post.port), post.put_off, "x", "y", [])
    assert not isinstance(caught.value, RefusedError)


def test_no_address_is_in_a_log_of_a_mail_that_went_out(post: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        send(by_mail(post.port), ADDRESS, "x", "y", [])
    assert ADDRESS not in logged(caplog)


def test_the_operators_own_to_is_replaced(post: Any) -> None:
    send(by_mail(post.port, "&to=boss@example.org"), ADDRESS, "x", "y", [])
    assert [each.rcpt_tos for each in post.envelopes] == [[ADDRESS]]


def test_a_mail_url_with_recipients_in_its_path_is_refused() -> None:
    with pytest.raises(NoticeError, match="no recipients of its own"):
        check(Notices(mail="mailto://127.0.0.1/boss@example.org?from=art@example.org"))


@pytest.mark.parametrize("url", ["discord://123456/abcdef", "json://127.0.0.1", "file:///tmp/x", "dbus://", "nothing"])
def test_mail_goes_through_nothing_but_mail_services(url: str) -> None:
    with pytest.raises(NoticeError, match="mail can't be sent through"):
        check(Notices(mail=url))


def test_an_unknown_channel_is_refused_before_the_first_job_and_keeps_its_secret() -> None:
    with pytest.raises(NoticeError, match="can't be sent through the 'discrod' URL") as caught:
        check(Notices(channels=("discrod://123456/hushhush",)))
    assert "hushhush" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "mailtos://user:p%40ss%2F@smtp.example.org?from=art@example.org&name=The%20Art",
        "mailgun://art@example.org/0123456789abcdef0123456789abcdef-01234567-01234567",
        "sendgrid://0123456789abcdef0123456789abcdef01234567:art@example.org",
        "resend://re_0123456789:art@example.org",
        "brevo://xkeysib-0123456789:art@example.org",
        "ses://art@example.org/AKIAIOSFODNN7EXAMPLE/wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY/us-east-2",
        "smtp2go://art@example.org/ABCDEFGHIJ0123456789",
        "sparkpost://art@example.org/ABCDEFGHIJ0123456789abcdefghij0123456789",
        "postmark://abcdefgh-0123-4567-8901-abcdef012345:art@example.org",
        "mailersend://mlsn.0123456789:art@example.org",
        "sendpulse://art@example.org/clientid/secret",
    ],
)
def test_every_mail_service_writes_to_the_visitor_alone(url: str) -> None:
    check(Notices(mail=url))


def test_a_job_with_an_address_fails_to_be_told_where_no_mail_is_configured() -> None:
    with pytest.raises(NoticeError, match="sends no mail"):
        send(Notices(), ADDRESS, "x", "y", [])


def test_a_dead_channel_does_not_send_the_mail_twice(post: Any, caplog: pytest.LogCaptureFixture) -> None:
    wanted = by_mail(post.port).model_copy(update={"channels": (f"json://127.0.0.1:{free_port()}",)})
    send(wanted, ADDRESS, "x", "y", [])
    assert len(post.envelopes) == 1
    assert "a channel was not notified" in caplog.text
    with pytest.raises(NoticeError):
        send(wanted, None, "x", "y", [])


def test_a_film_too_large_for_a_mail_is_left_out_and_the_mail_says_so(
    post: Any, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notices, "MAX_ATTACHED", files[0].stat().st_size + 1)
    send(by_mail(post.port), ADDRESS, "x", "y", files)
    [message] = post.messages
    assert [part.get_content_type() for part in message.iter_attachments()] == ["image/png"]
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "Not all of it fits" in plain.get_content()


def test_a_long_subject_is_cut() -> None:
    assert len(one_line("x" * 1000)) == notices.MAX_SUBJECT
