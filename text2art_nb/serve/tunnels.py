"""Tunnels that give a local port a public address: Gradio, ngrok, cloudflared."""

import os
import secrets
import subprocess
import threading
from typing import Final, Literal

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.serve.extras import install_hint

TunnelKind = Literal["gradio", "cloudflared", "ngrok"]
KINDS: Final[tuple[TunnelKind, ...]] = ("gradio", "cloudflared", "ngrok")


def tunnel_for(public: bool | str) -> TunnelKind | None:
    """Choose the tunnel for `studio.share(public=…)`. True takes the configured one, else Gradio's.

    ngrok counts as configured if $NGROK_AUTHTOKEN is set, cloudflared if $T2A_TUNNEL names it.

    Raises:
        SettingsError: there is no such tunnel.
    """
    if public is False:
        return None
    if public is True:
        public = os.environ.get("T2A_TUNNEL") or ("ngrok" if os.environ.get("NGROK_AUTHTOKEN") else "gradio")
    for kind in KINDS:
        if public == kind:
            return kind
    raise SettingsError({"public": f"public must be True, False, {', '.join(KINDS)}; got {public!r}"})


def open_tunnel(kind: TunnelKind, port: int) -> tuple[str, "subprocess.Popen[str] | None"]:
    """Open a tunnel to a local port.

    Returns:
        The public address, and the process that keeps it open, if the caller has to end it.

    Raises:
        RunError: it could not be opened; says what would help.
    """
    openers = {"gradio": _open_gradio, "cloudflared": _open_cloudflared, "ngrok": _open_ngrok}
    url, process = openers[kind](port)
    return url.rstrip("/"), process


def _open_gradio(port: int) -> tuple[str, None]:
    try:
        from gradio.networking import setup_tunnel

        return setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None), None
    except ImportError:
        raise RunError(f"a Gradio link needs gradio: {install_hint('ui')}") from None
    except Exception as error:  # the network, the download of frpc, or the share server
        raise RunError(f"Gradio gave no link ({error}); cloudflared or ngrok may, or public=False") from error


def _open_ngrok(port: int) -> tuple[str, None]:
    try:
        from pyngrok import ngrok
    except ImportError:
        raise RunError("an ngrok link needs pyngrok, and its token in $NGROK_AUTHTOKEN: pip install pyngrok") from None
    try:
        return str(ngrok.connect(str(port), bind_tls=True).public_url), None
    except Exception as error:
        raise RunError(f"ngrok gave no link ({error}); its token goes into $NGROK_AUTHTOKEN") from error


def _open_cloudflared(port: int) -> tuple[str, "subprocess.Popen[str]"]:
    command = ["cloudflared", "tunnel", "--no-autoupdate", "--url", f"http://127.0.0.1:{port}"]
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise RunError(
            "there is no program cloudflared in $PATH; get it from Cloudflare, or use another tunnel"
        ) from None
    found: list[str] = []
    arrived = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:  # to its end: a full pipe would stop the tunnel
            words = [word for word in line.split() if word.startswith("https://") and ".trycloudflare.com" in word]
            if words and not found:
                found.append(words[0])
                arrived.set()
        arrived.set()

    threading.Thread(target=read, daemon=True).start()
    arrived.wait(60)
    if not found:
        process.terminate()
        raise RunError("cloudflared gave no link within a minute; check the network")
    return found[0], process
