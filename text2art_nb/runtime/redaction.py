"""Take out of a text what is nobody's business: names of users in paths, tokens, passwords, signed addresses."""

import getpass
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_HOMES: Final = re.compile(r"(?:/home|/Users|[A-Za-z]:\\+Users)[/\\]+[^/\\\s'\":,;)]+")
_SECRET_NAMES: Final = re.compile(r"TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|API_?KEY|ACCESS_?KEY|AUTH", re.IGNORECASE)
_SECRETS: Final = re.compile(
    r"\b(?:hf|api_org)_[A-Za-z0-9]{8,}|\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\bsk-[\w-]{16,}"
    r"|(?<=Bearer )\S+|\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"
)
_LOGIN: Final = re.compile(r"(?<=://)[^/\s@]+@")
_QUERY: Final = re.compile(r"(https?://[^\s?'\"<>]+)\?[^\s'\"<>)]+")
_SHORTEST: Final = 6  # characters of an environment variable that counts as a secret; a shorter one is "0", "none", …


def redacted(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """`text` without the user's name in paths, and without tokens, logins and the queries of addresses.

    environment: variables with names like HF_TOKEN; their values are taken out wherever they stand.
    """
    secrets = [value for name, value in environment.items() if _SECRET_NAMES.search(name) and len(value) >= _SHORTEST]
    for secret in sorted(secrets, key=len, reverse=True):
        if not secret.startswith(("/", "~")):  # the path of a file of secrets, which is none itself
            text = text.replace(secret, "<secret>")
    text = _SECRETS.sub("<secret>", text)
    text = _LOGIN.sub("<login>@", text)
    text = _QUERY.sub(r"\1?…", text)
    for home in _own_homes():
        text = re.sub(rf"{re.escape(home)}(?![\w.-])", "~", text)
    text = _HOMES.sub("~", text)
    if user := _user():
        text = re.sub(rf"(?<=[/\\]){re.escape(user)}(?=[/\\\s'\":,;)]|$)", "<user>", text)
    return text.replace("```", "'''")  # which would end the block that it stands in


def _own_homes() -> list[str]:
    """The user's home as it is called and as it is, the longer one first; none where the system knows of none."""
    try:
        home = Path.home()
    except RuntimeError:
        return []
    found = {str(home), os.path.realpath(home)} - {"/", ""}
    return sorted(found, key=len, reverse=True)


def _user() -> str:
    """The user's name; "" where it is unknown, or one that many machines share."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container may have a user without a name
        return ""
    return "" if user in ("root", "user", "content") else user
