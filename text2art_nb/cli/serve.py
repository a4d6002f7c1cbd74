"""The commands `serve` (web page and API) and `worker`."""

import argparse
import json
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text2art_nb.cli.process_clock import Clock
from text2art_nb.errors import SettingsError, Text2ArtError

if TYPE_CHECKING:
    from text2art_nb.serve.config import Config


def serve(options: argparse.Namespace, _: Clock) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    _check_installed()
    import uvicorn

    from text2art_nb.serve.app import create_app

    config = _config(options)
    workers = _count(options.workers)
    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    app = create_app(config, workers=workers, page=False if options.no_page else None)
    print(f"text2art: http://{config.host}:{config.port}/ (API: /docs; files: {config.data})", file=sys.stderr)
    if not config.keys and config.host not in ("127.0.0.1", "localhost", "::1"):
        print(
            "text2art: anyone who reaches this port can draw; set keys in the configuration to restrict it",
            file=sys.stderr,
        )
    # `access` evaluates X-Forwarded-For: it knows the number of trusted proxies.
    uvicorn.run(
        app,
        host=config.host,
        port=config.port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    return 0


def worker(options: argparse.Namespace, _: Clock) -> int:
    """Draw queued jobs until Ctrl-C or SIGTERM."""
    _check_installed()
    from text2art_nb.serve.worker import work

    logging.basicConfig(format="%(asctime)s %(message)s", stream=sys.stderr)
    return work(_config(options), options.parent)


def _check_installed() -> None:
    from text2art_nb.serve.extras import REQUIRED, install_hint, missing_modules

    if missing := missing_modules(REQUIRED):
        raise Text2ArtError(f"serving needs {', '.join(missing)}: {install_hint('serve')}")


def _config(options: argparse.Namespace) -> "Config":
    """Read the configuration file, if there is one; the command line overrides it."""
    from text2art_nb.serve.config import Config

    names = ("data", "database", "host", "port", "device")
    given: dict[str, Any] = {name: value for name in names if (value := getattr(options, name, None)) is not None}
    if getattr(options, "key", None):
        given["keys"] = tuple(options.key)
    if options.config is None:
        return Config(**given)
    if options.config != "-":
        return Config.read(Path(options.config), **given)
    try:
        return Config(**json.load(sys.stdin) | given)
    except (ValueError, TypeError) as error:
        if isinstance(error, SettingsError):
            raise
        raise Text2ArtError("--config - wants the configuration as JSON on standard input") from None


def _count(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or int(text) > 64:
        raise Text2ArtError(f"--workers must be 0 to 64; got {text!r}")
    return int(text)
