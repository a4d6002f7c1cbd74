"""`download` writes down what would be handed to the browser; nobody uploads anything."""

from pathlib import Path

downloaded: list[str] = []


def download(filename: str) -> None:
    """Write down the file that the user's browser would be given. As on Colab, it has to be there."""
    if not Path(filename).exists():
        raise FileNotFoundError(f"Cannot find file: {filename}")
    downloaded.append(filename)


def upload(target_dir: str = "") -> dict[str, bytes]:
    """What a user who closes the dialogue uploads."""
    return {}
