"""`Config`: what the operator decides, checked once. Read from a TOML file, the command line, or made in Python."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings.base import Checked

KEY_LENGTH = 16
"""Fewest characters of an API key or of a link's password."""

_HASHED = re.compile(r"sha256:([0-9a-f]{64})")


class Notices(Checked):
    """Who is told when a picture is ready, as Apprise URLs, which only the operator writes.

    mail: how mail is sent, such as "mailtos://user:password@smtp.example.org?from=art@example.org"; the visitor's
    address goes into its "to", checked and quoted. None: no visitor gets mail.
    channels: told of each picture that may be seen by all, such as "discord://…", "tgram://…".
    """

    mail: str | None = None
    channels: tuple[str, ...] = Field(default=(), max_length=16)

    @property
    def wanted(self) -> bool:
        """Whether anybody is ever told."""
        return self.mail is not None or bool(self.channels)


class Limits(Checked):
    """How much a visitor may ask for, and how much all of them."""

    per_minute: int = Field(default=20, ge=1, le=100_000, description="Jobs that a visitor may send in a minute.")
    reads_per_minute: int = Field(default=1200, ge=1, le=1_000_000, description="Other requests in a minute.")
    at_once: int = Field(default=5, ge=1, le=100_000, description="Jobs of one visitor that wait or are drawn.")
    waiting: int = Field(default=200, ge=1, le=1_000_000, description="Jobs that wait or are drawn, of all.")
    upload: int = Field(default=8_000_000, ge=10_000, le=64_000_000, description="Bytes of a request, pictures in it.")
    pixels: int = Field(default=4_000_000, ge=256, le=2**26, description="Pixels of the finished picture.")
    iterations: int = Field(default=1000, ge=1, le=1_000_000, description="Iterations of a job.")
    views: int = Field(default=60_000, ge=1, description="Views that a job may look at: iterations x views in each.")


class Config(Checked):
    """Everything that the operator decides about a service.

    data: the folder of the database and the pictures, where the two below say nothing else.
    database: a SQLAlchemy URL, such as "postgresql://user@host/text2art"; None: a SQLite file in `data`.
    files: an fsspec URL, such as "gs://bucket/text2art"; None: a folder in `data`.
    url: the public address, for links in mails; None: they have none.
    keys: who has none of them is let in nowhere; none at all: everybody is. A key comes in the header X-API-Key, as
    Authorization: Bearer, or once as "/?key=…", which gives the browser a cookie: so the password of a public link is
    simply a key. Given as they are or as "sha256:…" (hexadecimal), kept as the latter.
    proxies: how many proxies stand before us, whose X-Forwarded-For is believed.
    models: names of weights that visitors may ask for, as `model` or among `perceptors`.
    public: whether pictures may be hung in the gallery.
    firestore: the Google project whose Firestore is bridged; None: none.
    """

    data: Path = Path("text2art-serve")
    database: str | None = None
    files: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    url: str | None = None
    keys: tuple[str, ...] = Field(default=(), max_length=1000)
    proxies: int = Field(default=0, ge=0, le=10)
    models: tuple[str, ...] = ("embedded",)
    device: str = "auto"
    public: bool = True
    keep_days: float = Field(default=365.0, gt=0, description="Days after which a job that hangs nowhere is removed.")
    heartbeat: float = Field(default=5.0, gt=0, le=600, description="Seconds between two signs of life of a worker.")
    limits: Limits = Limits()
    notices: Notices = Notices()
    firestore: str | None = None

    @field_validator("keys", mode="before")
    @classmethod
    def _keys(cls, value: Any) -> tuple[str, ...]:
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, list | tuple) or not all(isinstance(each, str) for each in given):
            raise ValueError(f"keys must be texts of at least {KEY_LENGTH} characters")
        return tuple(hashed(each) for each in given)

    @field_validator("url")
    @classmethod
    def _url(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
            raise ValueError("url must be the service's public address, like https://art.example.org")
        return value.rstrip("/") if value else None

    @property
    def database_url(self) -> str:
        """The database's SQLAlchemy URL; Postgres by psycopg."""
        if self.database is None:
            return f"sqlite:///{self.data.absolute() / 'text2art.sqlite'}"
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", self.database)

    @property
    def files_url(self) -> str:
        """Where pictures lie, for fsspec."""
        return self.files or str(self.data.absolute() / "files")

    @classmethod
    def read(cls, path: Path, **changes: Any) -> "Config":
        """What a TOML file says, with `changes` (None: unchanged).

        Raises:
            SettingsError: it can't be read, or says something that can't be.
        """
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"the configuration {str(path)!r} can't be read: {error}") from error
        return cls(**given | {name: value for name, value in changes.items() if value is not None})


def hashed(key: str) -> str:
    """A key in the only form in which it is kept: "sha256:" and 64 hexadecimal digits.

    Raises:
        ValueError: it is too short.
    """
    if _HASHED.fullmatch(key):
        return key
    if len(key) < KEY_LENGTH:
        raise ValueError(
            f"a key must have at least {KEY_LENGTH} characters, such as python -c 'import secrets; …' gives"
        )
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
