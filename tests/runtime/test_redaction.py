"""What is pasted into an issue names no user and has no token in it."""

from pathlib import Path

import pytest

from text2art_nb.runtime import redaction
from text2art_nb.runtime.redaction import redacted


@pytest.fixture(autouse=True)
def somebody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/ada")
    monkeypatch.setattr(redaction.getpass, "getuser", lambda: "ada")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("in /srv/people/ada/.cache/text2art", "in ~/.cache/text2art"),
        ("/srv/people/adamant/x", "/srv/people/adamant/x"),
        ("/home/grace/.cache", "~/.cache"),
        ("'/Users/Grace Hopper'", "'~ Hopper'"),
        (r"C:\Users\grace\AppData", r"~\AppData"),
        ("/mnt/disks/ada/models", "/mnt/disks/<user>/models"),
        ("/mnt/ada", "/mnt/<user>"),
        ("/content/drive/MyDrive/text2art", "/content/drive/MyDrive/text2art"),
        ("nada is fine, ada too: no path", "nada is fine, ada too: no path"),
        ("token hf_abcdefghijklmnop.", "token <secret>."),
        ("Authorization: Bearer abc.def-ghi", "Authorization: Bearer <secret>"),
        ("ghp_0123456789abcdef0123", "<secret>"),
        ("https://me:pass@example.org/x", "https://<login>@example.org/x"),
        ("http://127.0.0.1:1/a?Expires=1&Signature=abc (404)", "http://127.0.0.1:1/a?… (404)"),
        ("```\nend", "'''\nend"),
        ("sha256 2386620e427f0011 as published", "sha256 2386620e427f0011 as published"),
    ],
)
def test_a_text_is_cleaned(text: str, said: str) -> None:
    assert redacted(text, {}) == said


def test_what_the_environment_keeps_secret_stays_so() -> None:
    environment = {
        "HF_TOKEN": "a-token-of-no-known-kind",
        "NGROK_AUTHTOKEN": "1a2b3c4d5e6f",
        "TOKENIZERS_PARALLELISM": "false",
        "DB_PASSWORD": "torch",
        "HF_TOKEN_PATH": "/etc/token",
        "EDITOR": "vimvimvim",
    }
    text = "a-token-of-no-known-kind 1a2b3c4d5e6f false torch /etc/token vimvimvim"
    assert redacted(text, environment) == "<secret> <secret> false torch /etc/token vimvimvim"


def test_a_user_that_many_machines_have_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction.getpass, "getuser", lambda: "root")
    assert redacted("/root/x /var/root", {}) == "/root/x /var/root"


def test_the_home_of_root_is_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/root")
    assert redacted("/root/.cache, /rootless", {}) == "~/.cache, /rootless"
    assert Path.home() == Path("/root")
