"""Tunnels that give a port of this machine a public address: Gradio, ngrok, cloudflared."""

import os
import secrets
import subprocess
import threading
from typing import Literal, get_args

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.serve.extras import how_to_add

Way = Literal["gradio", "cloudflared", "ngrok"]


def way_for(public: bool | str) -> Way | None:
    """The tunnel for what `studio.share(public=…)` was given: True takes the one that is configured, else Gradio's.

    ngrok counts as configured where $NGROK_AUTHTOKEN is set, cloudflared where $T2A_TUNNEL says so.

    Raises:
        SettingsError: there is no such way.
    """
    if public is False:
        return None
    if public is True:
        public = os.environ.get("T2A_TUNNEL") or ("ngrok" if os.environ.get("NGROK_AUTHTOKEN") else "gradio")
    for way in get_args(Way):
        if public == way:
            return way  # type: ignore[no-any-return]
    raise SettingsError({"public": f"public must be True, False, {', '.join(get_args(Way))}; got {public!r}"})


def open_tunnel(way: Way, port: int) -> tuple[str, "subprocess.Popen[str] | None"]:
    """A public address for a port of this machine, and the process that keeps it open, where that is ours to end.

    Raises:
        RunError: it could not be had, and what would help.
    """
    makers = {"gradio": _by_gradio, "cloudflared": _by_cloudflared, "ngrok": _by_ngrok}
    url, process = makers[way](port)
    return url.rstrip("/"), process


def _by_gradio(port: int) -> tuple[str, None]:
    try:
        from gradio.networking import setup_tunnel

        return setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None), None
    except ImportError:
        raise RunError(f"a Gradio link needs gradio: {how_to_add('ui')}") from None
    except Exception as error:  # whatever the network, the download of frpc, or the share server had to say
        raise RunError(f"Gradio gave no link ({error}); cloudflared or ngrok may, or public=False") from error


def _by_ngrok(port: int) -> tuple[str, None]:
    try:
        from pyngrok import ngrok
    except ImportError:
        raise RunError("an ngrok link needs pyngrok, and its token in $NGROK_AUTHTOKEN: pip install pyngrok") from None
    try:
        return str(ngrok.connect(str(port), bind_tls=True).public_url), None
    except Exception as error:
        raise RunError(f"ngrok gave no link ({error}); its token goes into $NGROK_AUTHTOKEN") from error


def _by_cloudflared(port: int) -> tuple[str, "subprocess.Popen[str]"]:
    command = ["cloudflared", "tunnel", "--no-autoupdate", "--url", f"http://127.0.0.1:{port}"]
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise RunError("there is no program cloudflared in $PATH; get it from Cloudflare, or use another way") from None
    found: list[str] = []
    come = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:  # to its end: a pipe that nobody empties would stop the tunnel
            words = [word for word in line.split() if word.startswith("https://") and ".trycloudflare.com" in word]
            if words and not found:
                found.append(words[0])
                come.set()
        come.set()

    threading.Thread(target=read, daemon=True).start()
    come.wait(60)
    if not found:
        process.terminate()
        raise RunError("cloudflared gave no link within a minute; is the network there?")
    return found[0], process
