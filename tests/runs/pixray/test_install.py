"""`./setup_colab.sh --with-pixray`: pixray's sources at pinned commits, and an environment that leaves ours alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from text2art_nb.runs.pixray import install
from text2art_nb.runs.pixray.install import InstallError, Source

ROOT = Path(__file__).parents[3]


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    return subprocess.run(
        ["git", "-C", str(folder), *who, *arguments], check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str, str]:
    """A clone of somebody/thing with two commits, both named; PIXRAY_SOURCES is its folder."""
    repository = tmp_path / "mirrors" / "somebody+thing" / "repo"
    repository.mkdir(parents=True)
    git(repository, "init", "-q")
    commits = []
    for text in ("old", "new"):
        (repository / "thing.py").write_text(text, encoding="utf-8")
        git(repository, "add", ".")
        git(repository, "commit", "-qm", text)
        commits.append(git(repository, "rev-parse", "HEAD"))
    monkeypatch.setenv("PIXRAY_SOURCES", str(tmp_path / "mirrors"))
    return tmp_path, commits[0], commits[1]


def test_a_source_is_taken_at_its_commit_and_not_at_the_newest(mirror: tuple[Path, str, str]) -> None:
    place, old, new = mirror
    install.take(Source("somebody/thing", old[:8], "thing"), place / "thing")
    assert (place / "thing" / "thing.py").read_text() == "old"
    install.take(Source("somebody/thing", new, "thing"), place / "thing")
    assert (place / "thing" / "thing.py").read_text() == "new"


def test_a_source_that_is_there_is_not_taken_again(
    mirror: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, old, _ = mirror
    install.take(Source("somebody/thing", old, "thing"), place / "thing")
    monkeypatch.setenv("PIXRAY_SOURCES", str(place / "gone"))
    install.take(Source("somebody/thing", old, "thing"), place / "thing")


def test_a_source_that_cannot_be_had_is_one_sentence(mirror: tuple[Path, str, str]) -> None:
    place, _, _ = mirror
    with pytest.raises(InstallError, match="has no clone of nobody/nothing"):
        install.take(Source("nobody/nothing", "abc", "nothing"), place / "nothing")
    with pytest.raises(InstallError, match=r"somebody/thing can't be cloned: .*f00f00f00"):
        install.take(Source("somebody/thing", "f00f00f00", "thing"), place / "other")


def test_a_clone_that_was_interrupted_before_its_files_came_is_taken_again(
    mirror: tuple[Path, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, _, newest = mirror

    def killed(*arguments: str, about: str) -> None:
        if "checkout" in arguments:
            raise KeyboardInterrupt
        real(*arguments, about=about)

    real = install.git
    monkeypatch.setattr(install, "git", killed)
    with pytest.raises(KeyboardInterrupt):
        install.take(Source("somebody/thing", newest, "thing"), place / "thing")
    monkeypatch.setattr(install, "git", real)
    install.take(Source("somebody/thing", newest, "thing"), place / "thing")
    assert (place / "thing" / "thing.py").read_text() == "new"
    assert not list(place.glob("thing.*"))


def test_every_source_is_pinned_to_a_commit() -> None:
    assert all(len(source.commit) >= 7 and int(source.commit, 16) for source in install.SOURCES)
    assert {source.repository for source in install.SOURCES} >= {"pixray/pixray", "bfirsh/taming-transformers"}


def test_its_environment_finds_the_sources_and_this_torch_and_is_no_part_of_ours(tmp_path: Path) -> None:
    before = sorted(path.name for path in ROOT.iterdir())
    (tmp_path / "CLIP").mkdir()
    (tmp_path / "CLIP" / "only_in_clip.py").write_text("", encoding="utf-8")
    install.make_environment(tmp_path)
    code = "import only_in_clip, importlib.util as u, sys; print(u.find_spec('torch').origin, sys.prefix, sep='\\n')"
    ran = subprocess.run(
        [tmp_path / "venv" / "bin" / "python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    import torch

    assert ran == [torch.__file__, str(tmp_path / "venv")]
    assert sorted(path.name for path in ROOT.iterdir()) == before


def test_what_is_installed_is_known_by_what_was_wanted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not install.is_installed(tmp_path)
    (tmp_path / install.STAMP).write_text(json.dumps({"fingerprint": install.fingerprint()}), encoding="utf-8")
    assert install.is_installed(tmp_path)
    install.install(tmp_path)  # nothing is to be done
    monkeypatch.setattr(install, "PACKAGES", (*install.PACKAGES, "one-more"))
    assert not install.is_installed(tmp_path)


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = "import sys, runpy; runpy.run_path(sys.argv[1]); print(*sys.modules)"
    ran = subprocess.run(
        [sys.executable, "-S", "-P", "-c", code, install.__file__], capture_output=True, text=True, check=True
    )
    assert not {"torch", "pydantic", "text2art_nb", "numpy"} & set(ran.stdout.split())


def test_the_script_says_how() -> None:
    said = subprocess.run(["bash", str(ROOT / "setup_colab.sh"), "--help"], capture_output=True, text=True, check=True)
    assert "./setup_colab.sh --with-pixray" in said.stdout
