"""What an operator writes down: read from a file, checked, and kept without its secrets' plain text."""

from pathlib import Path

import pytest

from text2art_nb.errors import SettingsError, Text2ArtError
from text2art_nb.serve.config import Config, hashed
from text2art_nb.serve.store import Store
from text2art_nb.serve.tables import engine_for

TOML = """
port = 9000
keys = ["a-key-that-is-long-enough"]
[limits]
at_once = 3
[notices]
channels = ["discord://id/token"]
"""


def test_a_file_says_what_it_differs_in_and_the_command_line_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / "serve.toml").write_text(TOML)
    config = Config.read(tmp_path / "serve.toml", port=9001, host=None)
    assert (config.port, config.host, config.limits.at_once, config.limits.waiting) == (9001, "127.0.0.1", 3, 200)
    assert config.keys == (hashed("a-key-that-is-long-enough"),)
    assert config.notices.wanted


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("prot = 1", "did you mean 'port'?"),
        ("[limits]\nat_ones = 1", "did you mean 'at_once'?"),
        ("port = 99999", "port must be at most 65535"),
        ('keys = ["short"]', "at least 16 characters"),
        ('url = "art.example.org"', "like https://art.example.org"),
        ("port = ", "can't be read"),
    ],
)
def test_what_is_wrong_in_it_is_said_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "serve.toml").write_text(text)
    with pytest.raises(SettingsError, match=r".+") as caught:
        Config.read(tmp_path / "serve.toml")
    assert sentence in str(caught.value)


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Text2ArtError, match="SQLite or Postgres"):
        engine_for(Config(data=tmp_path, database="mysql://me@host/art"))


def test_a_bucket_holds_files_as_a_folder_does(tmp_path: Path) -> None:
    store = Store(Config(data=tmp_path, files="memory://art"))
    assert not store.local
    store.put("a-job", "picture.png", b"x")
    assert (store.find("a-job", "picture.png"), store.find("a-job", "film.mp4")) == (b"x", None)
    store.remove("a-job")
    assert store.get("a-job", "picture.png") is None


def test_no_name_of_a_job_leads_out_of_the_store(tmp_path: Path) -> None:
    store = Store(Config(data=tmp_path))
    for id in ("..", "../x", "a/b", "", "a\0b"):
        with pytest.raises(ValueError, match="letters, digits"):
            store.put(id, "picture.png", b"x")
