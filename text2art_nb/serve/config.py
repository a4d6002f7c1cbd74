"""`Config`: the operator's decisions, validated once; from a TOML file, the command line, or Python."""

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings.base import Checked

KEY_LENGTH = 16
"""Minimum length of an API key and of a link's password."""

_HASHED = re.compile(r"sha256:([0-9a-f]{64})")


class Notices(Checked):
    """Recipients of finished pictures, as Apprise URLs that only the operator writes.

    Attributes:
        mail: how to send mail, such as "mailtos://user:password@smtp.example.org?from=art@example.org". The visitor's
            address goes into its "to", validated and quoted. None: visitors get no mail.
        channels: told about each public picture, such as "discord://…", "tgram://…".
    """

    mail: str | None = None
    channels: tuple[str, ...] = Field(default=(), max_length=16)

    @property
    def wanted(self) -> bool:
        """Whether there is any recipient."""
        return self.mail is not None or bool(self.channels)


class Limits(Checked):
    """The most that one visitor, and all of them, may request."""

    per_minute: int = Field(default=20, ge=1, le=100_000, description="Jobs per minute and visitor.")
    reads_per_minute: int = Field(
        default=1200, ge=1, le=1_000_000, description="Other requests per minute and visitor."
    )
    at_once: int = Field(default=5, ge=1, le=100_000, description="Open jobs of one visitor.")
    waiting: int = Field(default=200, ge=1, le=1_000_000, description="Open jobs of all visitors.")
    upload: int = Field(
        default=8_000_000, ge=10_000, le=64_000_000, description="Bytes of a request, including its pictures."
    )
    pixels: int = Field(default=4_000_000, ge=256, le=2**26, description="Pixels of the finished picture.")
    iterations: int = Field(default=1000, ge=1, le=1_000_000, description="Iterations of a job.")
    views: int = Field(default=60_000, ge=1, description="Views of a job: iterations x views per iteration.")


class Config(Checked):
    """The configuration of a service.

    Attributes:
        data: folder of the database and the pictures, unless the next two say otherwise.
        database: a SQLAlchemy URL, such as "postgresql://user@host/text2art"; None: a SQLite file in `data`.
        files: an fsspec URL, such as "gs://bucket/text2art"; None: a folder in `data`.
        url: the public address for links in mails; None: no links.
        keys: API keys; none: open to everyone. A key comes as X-API-Key, as Authorization: Bearer, or once as
            "/?key=…", which sets the browser's cookie, so the password of a public link is simply a key. Given in plain
            text or as "sha256:…" (hexadecimal); stored as the latter.
        proxies: number of trusted proxies in front, whose X-Forwarded-For is believed.
        models: names of weights that visitors may use, as `model` or among `perceptors`.
        public: whether visitors may publish pictures in the gallery.
        firestore: Google project whose Firestore is bridged; None: none.
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
    keep_days: float = Field(default=365.0, gt=0, description="Days after which a private job is removed.")
    heartbeat: float = Field(default=5.0, gt=0, le=600, description="Seconds between two heartbeats of a worker.")
    limits: Limits = Limits()
    notices: Notices = Notices()
    firestore: str | None = None

    @field_validator("keys", mode="before")
    @classmethod
    def _keys(cls, value: object) -> tuple[str, ...]:
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
        """The database's SQLAlchemy URL; Postgres through psycopg."""
        if self.database is None:
            return f"sqlite:///{self.data.absolute() / 'text2art.sqlite'}"
        return re.sub(r"^postgres(ql)?(\+\w+)?://", "postgresql+psycopg://", self.database)

    @property
    def files_url(self) -> str:
        """The store's URL, for fsspec."""
        return self.files or str(self.data.absolute() / "files")

    @classmethod
    def read(cls, path: Path, **changes: Any) -> "Config":
        """Read a TOML file; `changes` override it (None: no change).

        Raises:
            SettingsError: the file is unreadable or invalid.
        """
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise SettingsError(f"the configuration {str(path)!r} can't be read: {error}") from error
        return cls(**given | {name: value for name, value in changes.items() if value is not None})


def hashed(key: str) -> str:
    """Return the stored form of a key: "sha256:" and 64 hexadecimal digits.

    Raises:
        ValueError: the key is too short.
    """
    if _HASHED.fullmatch(key):
        return key
    if len(key) < KEY_LENGTH:
        raise ValueError(
            f"a key must have at least {KEY_LENGTH} characters, such as python -c 'import secrets; …' gives"
        )
    return "sha256:" + hashlib.sha256(key.encode()).hexdigest()
