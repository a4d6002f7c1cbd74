"""The models that come with the package: where they lie, and whether they are as they were shipped."""

from pathlib import Path

from text2art_nb.errors import ModelError
from text2art_nb.models.download import digest

WEIGHTS = Path(__file__).resolve().parent / "weights"
KINDS = ("clip", "clip2", "clip3", "vqgan", "taesd", "judge", "proposal", "classifier")
# Which of them a perceptor's name means.
EYES = {"embedded": "clip", "embedded-2": "clip2", "embedded-3": "clip3", "judge": "judge"}
SUMS = "SHA256SUMS"  # in sha256sum's format: `sha256sum -c SHA256SUMS` checks it too
SUFFIXES = (".safetensors", ".json", ".txt")
FIGURES = "figures.json"  # how well a model does: of no use for loading it, and measured anew now and then


def directory(kind: str, weights: Path = WEIGHTS) -> Path:
    """The embedded checkpoint of a kind.

    Raises:
        ModelError: there is none of that kind, or it is not in this installation.
    """
    if kind not in KINDS:
        raise ModelError(f"there is no embedded model of the kind '{kind}'; there are {', '.join(KINDS)}")
    if not (weights / kind / "config.json").is_file():
        raise ModelError(
            f"the embedded {kind} is missing from {weights / kind}: reinstall text2art, or check it out again"
        )
    return weights / kind


def sums(weights: Path = WEIGHTS) -> dict[str, str]:
    """The sha256 of every file that loading needs, by its path relative to ``weights``."""
    found = [path for kind in KINDS for path in sorted((weights / kind).rglob("*"))]
    files = [path for path in found if path.suffix in SUFFIXES and path.name != FIGURES]
    return {path.relative_to(weights).as_posix(): digest(path) for path in files}


def published_sums(weights: Path = WEIGHTS) -> dict[str, str]:
    """What ``SHA256SUMS`` says; empty where there is no such file."""
    listing = weights / SUMS
    if not listing.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in listing.read_text(encoding="utf-8").splitlines() if line)
    return {path.strip(): value for value, path in pairs}


def differences(weights: Path = WEIGHTS) -> list[str]:
    """One line for each file that is not as ``SHA256SUMS`` has it; empty if all is well."""
    shipped, found = published_sums(weights), sums(weights)
    if not shipped:
        return [f"{weights / SUMS} is missing"]
    gone = [f"{path} is missing" for path in shipped if path not in found]
    other = [f"{path} differs" for path in shipped if path in found and found[path] != shipped[path]]
    return gone + other + [f"{path} is not in {SUMS}" for path in found if path not in shipped]


def write_sums(weights: Path = WEIGHTS) -> Path:
    """Writes ``SHA256SUMS`` anew. For whoever ships new weights: ``python -m text2art_nb.models.write_sums``."""
    listing = weights / SUMS
    listing.write_text("".join(f"{value}  {path}\n" for path, value in sums(weights).items()), encoding="utf-8")
    return listing
