"""Setting up installs what is missing, and never changes what belongs to somebody else."""

import io
import json
import re
import resource
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
import venv as venv_module
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from text2art_nb.artifacts.output_paths import usual_folder
from text2art_nb.runtime import bootstrap
from text2art_nb.runtime.bootstrap import Requirement, SetupError, install_in_place, install_in_venv

ROOT = Path(__file__).resolve().parents[2]
COLAB = {"torch": "2.11.0+cu128", "numpy": "2.1.0", "ipywidgets": "7.7.1", "ipython": "7.34.0", "ipykernel": "6.17.1"}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project like ours, that needs a few packages."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "requirements.txt").write_text(
        "# needed\ntorch>=2.11\nnumpy>=2.1  # arrays\nipywidgets>=7.7.1\nimageio-ffmpeg\n"
    )
    (root / "constraints.txt").write_text("torch==2.13.0\nnumpy==2.4.6\n")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "p"\n[project.optional-dependencies]\ndev = ["pytest>=8"]\nlab = ["jupyterlab>=4"]\n'
    )
    return root


class Site:
    """A folder of installed packages, and a pip that installs into it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = [str(folder)]
        self.calls: list[list[str]] = []
        self.bounds = ""
        self.also: Callable[[], None] = lambda: None
        self.status, self.said = 0, ""

    def add(self, name: str, version: str) -> None:
        self.remove(name)
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def remove(self, name: str) -> None:
        for info in self.folder.glob(f"{name.replace('-', '_')}-*.dist-info"):
            (info / "METADATA").unlink()
            info.rmdir()

    def pip(self, arguments: Sequence[str]) -> tuple[int, str]:
        self.calls.append(list(arguments))
        assert arguments[0] != "install" or bootstrap.AS_ROOT in arguments, "pip would warn of root, in red"
        if "-e" in arguments:
            return 0, ""
        if self.status:
            return self.status, self.said
        self.bounds = Path(arguments[arguments.index("-c") + 1]).read_text()
        for one in arguments[arguments.index("-c") + 2 :]:
            self.add(one.split(">=")[0], "9.9")
        self.also()
        return 0, ""


@pytest.fixture
def colab(tmp_path: Path) -> Site:
    site = Site(tmp_path / "site")
    for name, version in COLAB.items():
        site.add(name, version)
    return site


def test_only_what_is_missing_is_added_and_all_that_is_there_is_bound(project: Path, colab: Site) -> None:
    install_in_place(project, [], colab.pip, colab.path)
    added = colab.calls[0]
    assert added[added.index("-c") + 2 :] == ["imageio-ffmpeg"]
    assert set(colab.bounds.split()) == {f"{name}=={version}" for name, version in COLAB.items()}


def test_with_nothing_missing_no_package_is_fetched(project: Path, colab: Site) -> None:
    colab.add("imageio-ffmpeg", "0.6.0")
    install_in_place(project, [], colab.pip, colab.path)
    assert [call for call in colab.calls if "-e" not in call] == []


@pytest.mark.parametrize(
    ("line", "conflict"),
    [
        ("ipywidgets>=8", "ipywidgets>=8 is needed, ipywidgets 7.7.1 is installed"),
        ("torch>=2.12", "torch>=2.12 is needed, torch 2.11.0+cu128 is installed"),
    ],
)
def test_a_conflict_is_named_and_nothing_is_done(project: Path, colab: Site, line: str, conflict: str) -> None:
    (project / "requirements.txt").write_text(f"{line}\nimageio-ffmpeg\n")
    with pytest.raises(SetupError, match="nothing was done") as caught:
        install_in_place(project, [], colab.pip, colab.path)
    assert conflict in str(caught.value)
    assert colab.calls == []


def test_a_conflict_further_down_is_told_in_pips_words(project: Path, colab: Site) -> None:
    colab.status = 1
    colab.said = (
        "Collecting x\nThe conflict is caused by:\n  imageio-ffmpeg 0.6 depends on numpy>=3\n  (constraint) numpy==2.1"
    )
    with pytest.raises(SetupError, match=r"depends on numpy>=3\n.*numpy==2\.1"):
        install_in_place(project, [], colab.pip, colab.path)


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_a_pip_that_touches_a_package_all_the_same_is_found_out(project: Path, colab: Site, change: str) -> None:
    colab.also = lambda: colab.add("numpy", "3.0") if change == "changed" else colab.remove("numpy")
    with pytest.raises(SetupError, match=r"numpy 2\.1\.0 became .*pip install numpy==2\.1\.0"):
        install_in_place(project, [], colab.pip, colab.path)


def test_a_kernel_of_somebody_who_has_another_text2art_keeps_it(project: Path, colab: Site) -> None:
    colab.add(bootstrap.PACKAGE, "0.0.1")
    colab.add("imageio-ffmpeg", "0.6.0")
    install_in_place(project, [], colab.pip, colab.path, take_over=False)
    assert colab.calls == []


def test_a_kernel_without_text2art_gets_it(project: Path, colab: Site) -> None:
    install_in_place(project, [], colab.pip, colab.path, take_over=False)
    assert colab.calls[-1][-2:] == ["-e", str(project)]


def test_the_command_line_in_colab_runs_this_text2art(project: Path, colab: Site) -> None:
    colab.add(bootstrap.PACKAGE, "0.0.1")
    install_in_place(project, [], colab.pip, colab.path)
    assert colab.calls[-1][-2:] == ["-e", str(project)]


def test_a_kernel_without_torch_gets_the_small_one_where_that_will_do(
    project: Path, colab: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "cpu_torch_index", lambda pip, line: ["--extra-index-url", f"index-for-{line}"])
    colab.remove("torch")
    install_in_place(project, [], colab.pip, colab.path)
    added = colab.calls[0]
    assert added[added.index("--extra-index-url") + 1] == "index-for-torch>=2.11"
    assert added[-2:] == ["torch>=2.11", "imageio-ffmpeg"]


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("error: externally-managed-environment\n\n× This environment is…", "belongs to the operating system"),
        (f"{sys.executable}: No module named pip", "has no pip"),
    ],
)
def test_a_python_that_takes_nothing_in_says_what_to_do_instead(
    project: Path, colab: Site, said: str, reason: str
) -> None:
    colab.status, colab.said = 1, said
    with pytest.raises(SetupError, match=f"{reason}(?s:.*)setup_colab.sh lab opens the notebook"):
        install_in_place(project, [], colab.pip, colab.path)


@pytest.mark.parametrize("colab_tag", ["", "release-colab_20260801"])
@pytest.mark.parametrize("verb", ["setup", "kernel"])
@pytest.mark.parametrize(
    ("prefix", "way"),
    [
        (ROOT / ".venv", "with our versions"),
        (ROOT / "docs" / ".." / ".venv", "with our versions"),
        (ROOT / ".venv-colab", "in place"),
        (Path("/home/somebody/project/.venv"), "in place"),
        (Path("/usr"), "in place"),
    ],
)
def test_versions_are_changed_in_our_own_venv_and_nowhere_else(
    prefix: Path, way: str, verb: str, colab_tag: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[str] = []
    monkeypatch.setenv("COLAB_RELEASE_TAG", colab_tag)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(bootstrap, "install_in_venv", lambda *_, **__: ways.append("with our versions"))
    monkeypatch.setattr(bootstrap, "install_in_place", lambda *_, **__: ways.append("in place"))
    assert bootstrap.main([verb]) == 0
    assert ways == [way]


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An empty environment with pip; ``installed`` looks into it alone."""
    site = Site(tmp_path / "venv")
    site.folder.mkdir()
    monkeypatch.setattr(bootstrap, "installed", lambda path=None, see=bootstrap.installed: see(path or site.path))
    monkeypatch.setattr(bootstrap, "cpu_torch_index", lambda pip, pin: ["--extra-index-url", f"index-for-{pin}"])
    return site


def test_a_fresh_environment_gets_the_pinned_versions(project: Path, venv: Site) -> None:
    install_in_venv(project, ["dev"], venv.folder, venv.pip)
    packages, itself = venv.calls
    assert venv.bounds == (project / "constraints.txt").read_text()
    assert packages[1:3] == ["--extra-index-url", "index-for-torch==2.13.0"]
    assert packages[-2:] == ["imageio-ffmpeg", "pytest>=8"]
    assert itself[-2:] == ["-e", str(project)]


def test_a_second_time_there_is_nothing_to_do(project: Path, venv: Site) -> None:
    install_in_venv(project, ["dev"], venv.folder, venv.pip)
    venv.calls.clear()
    install_in_venv(project, ["dev"], venv.folder, venv.pip)
    install_in_venv(project, [], venv.folder, venv.pip)
    assert venv.calls == []


def test_verbs_with_different_extras_can_be_used_in_turn(project: Path, venv: Site) -> None:
    install_in_venv(project, ["dev"], venv.folder, venv.pip)
    install_in_venv(project, ["lab"], venv.folder, venv.pip)
    venv.calls.clear()
    for extras in (["dev"], ["lab"], [], ["lab", "dev"]):
        install_in_venv(project, extras, venv.folder, venv.pip)
    assert venv.calls == []


def test_extras_of_before_a_change_do_not_count_as_set_up(project: Path, venv: Site) -> None:
    install_in_venv(project, ["dev"], venv.folder, venv.pip)
    (project / "constraints.txt").write_text("torch==2.14.0\n")
    install_in_venv(project, ["lab"], venv.folder, venv.pip)
    assert bootstrap.is_ready(project, ["lab"], venv.folder)
    assert not bootstrap.is_ready(project, ["dev"], venv.folder)


def test_another_torch_comes_from_where_the_first_one_came_from(project: Path, venv: Site) -> None:
    venv.add("torch", "2.13.0+cpu")
    install_in_venv(project, [], venv.folder, venv.pip)
    assert "--extra-index-url" not in venv.calls[0]
    (project / "constraints.txt").write_text("torch==2.14.0\n")
    venv.calls.clear()
    install_in_venv(project, [], venv.folder, venv.pip)
    assert venv.calls[0][1:3] == ["--extra-index-url", "index-for-torch==2.14.0"]


@pytest.mark.parametrize("file", ["requirements.txt", "constraints.txt", "pyproject.toml", "stamp", "extras"])
def test_whatever_changes_what_is_wanted_sets_up_again(project: Path, venv: Site, file: str) -> None:
    install_in_venv(project, [], venv.folder, venv.pip)
    venv.calls.clear()
    if file == "stamp":
        (venv.folder / bootstrap.STAMP).write_text('{"torn')
    elif file != "extras":
        with (project / file).open("a") as stream:
            stream.write("\n# new\n")
    install_in_venv(project, ["dev"] if file == "extras" else [], venv.folder, venv.pip)
    assert len(venv.calls) == 2


@pytest.mark.parametrize(
    ("machine", "arguments"),
    [
        ("with an NVIDIA card", []),
        ("with a wheel of its own", []),
        ("behind a wall", []),
        ("on the net", ["--extra-index-url", bootstrap.CPU_INDEX]),
        ("that is a Mac", []),
    ],
)
def test_a_linux_without_a_card_gets_the_small_torch_where_it_is_to_be_had(
    machine: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(url: str, timeout: float) -> io.BytesIO:
        assert url.startswith(bootstrap.CPU_INDEX)
        assert timeout <= 5
        if machine != "on the net":
            raise urllib.error.URLError("no route")
        return io.BytesIO()

    monkeypatch.setattr(sys, "platform", "darwin" if "Mac" in machine else "linux")
    monkeypatch.setattr(shutil, "which", lambda name: name if "NVIDIA" in machine else None)
    monkeypatch.setattr(urllib.request, "urlopen", answer)
    pip = lambda _: (0 if "wheel" in machine else 1, "")  # noqa: E731
    assert bootstrap.cpu_torch_index(pip, "torch==2.13.0") == arguments


def test_a_failed_installation_is_not_taken_for_a_whole_one(project: Path, venv: Site) -> None:
    venv.status, venv.said = 1, "ERROR: No matching distribution found for torch==2.13.0"
    with pytest.raises(SetupError, match="No matching distribution"):
        install_in_venv(project, [], venv.folder, venv.pip)
    assert not bootstrap.is_ready(project, [], venv.folder)


@pytest.mark.parametrize(
    ("version", "bound", "enough"),
    [
        ("2.11.0+cu128", "2.11", True),
        ("2.9.1", "2.11", False),
        ("8.0", "8", True),
        ("8", "8.0.0", True),
        ("7.7.1", "7.7.2", False),
        ("2026.1rc1", "2026.1", True),
        ("1.0", "", True),
    ],
)
def test_versions_compare_as_numbers(version: str, bound: str, enough: bool) -> None:
    assert (bootstrap.too_old([Requirement("x", bound)], {"x": version}) == []) is enough


def test_the_first_package_on_the_path_is_the_one_that_counts(tmp_path: Path) -> None:
    first, second = Site(tmp_path / "first"), Site(tmp_path / "second")
    first.add("Some.Package", "1.0")
    second.add("some_package", "2.0")
    assert bootstrap.installed(first.path + second.path) == {"some-package": "1.0"}


@pytest.mark.parametrize("line", ["numpy>=2.1", "dbos>=3.4,<4", "pysqlite3>=0.6; sys_platform == 'linux'", "ruff"])
def test_a_requirement_reaches_pip_as_it_was_written(line: str) -> None:
    assert str(bootstrap.parse(line)) == line


def test_a_requirement_of_another_form_is_refused_in_a_sentence() -> None:
    with pytest.raises(SetupError, match=r"'torch==2\.13' is not a requirement"):
        bootstrap.parse("torch==2.13")


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("Downloading diffusers-0.42.1-py3-none-any.whl (6.4 MB)", "diffusers-0.42.1-py3-none-any.whl 6.4 MB"),
        ("Downloading https://files.example/ab/six-1.16.0-py2.py3-none-any.whl (11 kB)", ""),
        ("Processing /opt/wheels/torch-2.13.0-cp311-cp311-linux.whl", "torch-2.13.0-cp311-cp311-linux.whl"),
        ("Installing collected packages: a, b, c", "installing 3 packages"),
        ("Requirement already satisfied: numpy", ""),
        ("WARNING: something", "WARNING: something"),
    ],
)
def test_pips_talk_is_cut_to_what_matters(line: str, shown: str) -> None:
    assert bootstrap.noteworthy(line) == shown


def test_the_pins_cover_what_we_need_and_satisfy_it() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = dict(line.split("==") for line in lines)
    requirements = bootstrap.wanted(ROOT, bootstrap.all_extras(ROOT))
    assert bootstrap.missing(requirements, pins) == []
    assert bootstrap.too_old(requirements, pins) == []
    assert pins["torch"] == "2.13.0"


def test_setting_up_needs_nothing_but_the_standard_library() -> None:
    """It runs before anything is installed: without site-packages, and not even importing the package it is in."""
    code = "import runpy, sys; sys.argv[1:] = ['in-colab']; runpy.run_path(sys.argv.pop(0), run_name='__main__')"
    command = [sys.executable, "-I", "-S", "-c", code.replace("sys.argv.pop(0)", repr(bootstrap.__file__))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stderr) == (1, "")


def test_colab_is_told_by_its_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("COLAB_RELEASE_TAG", raising=False)
    for name in ("google", "google.colab"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    assert not bootstrap.in_colab()
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20260801")
    assert bootstrap.in_colab()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "unknown verb 'nonsense'"),
        (["help"], "./setup_colab.sh draw"),
        (["--help"], "./setup_colab.sh test"),
        (["help"], "./setup_colab.sh kernel"),
        (["help"], "./setup_colab.sh lab"),
        (["help"], "./setup_colab.sh home OWNER/REPO"),
        (["home"], "./setup_colab.sh home OWNER/REPO"),
    ],
)
def test_the_script_explains_itself(arguments: list[str], said: str) -> None:
    done = subprocess.run(
        [ROOT / "setup_colab.sh", *arguments], capture_output=True, text=True, timeout=30, check=False
    )
    assert said in done.stdout + done.stderr
    assert done.returncode == (0 if "help" in arguments[0] else 1)


PYTHONS = ("python3", "python3.11", "python3.12", "python3.13", "python3.14")
RECORDER = 'case "$*" in *version_info*) exit 0;; esac; echo "$(pwd): $0 $*"'


def script(path: Path, body: str) -> Path:
    """Writes a shell script that can be run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return path


def copy_of_the_project(tmp_path: Path) -> Path:
    """A copy with what setting up needs of the project, and nothing else."""
    copy = tmp_path / "copy"
    (copy / "text2art_nb" / "runtime").mkdir(parents=True)
    for name in (
        "setup_colab.sh",
        "text2art_nb/runtime/bootstrap.py",
        "requirements.txt",
        "constraints.txt",
        "pyproject.toml",
    ):
        (copy / name).write_bytes((ROOT / name).read_bytes())
    return copy


def shell(copy: Path, *arguments: str, path: Path, python: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Runs the script of ``copy`` with the programs in the folder ``path``, and the system's."""
    return subprocess.run(
        ["bash", str(copy / "setup_colab.sh"), *arguments],
        env={"PATH": f"{path}:/usr/bin:/bin", **({"PYTHON": str(python)} if python else {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def shell_with(tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    """Runs the script in a copy of the project and nothing else; ``python`` (a shell script) is the only Python."""
    for name in PYTHONS:
        script(tmp_path / "programs" / name, python)
    return shell(copy_of_the_project(tmp_path), path=tmp_path / "programs")


def test_without_a_recent_python_the_script_says_what_to_do(tmp_path: Path) -> None:
    done = shell_with(tmp_path, "exit 1")
    assert done.returncode == 1
    assert "Python 3.11 or newer is needed" in done.stderr


@pytest.mark.skipif(bootstrap.in_colab(), reason="no environment is made in Colab")
def test_without_the_venv_module_the_script_names_the_package(tmp_path: Path) -> None:
    real = f'case "$*" in *venv*|*virtualenv*) [ "$1" = -m ] && exit 1;; esac; exec {sys.executable} "$@"'
    done = shell_with(tmp_path, real)
    assert done.returncode == 1
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert f"sudo apt-get install python{version}-venv" in done.stderr


# --- the kernel of a notebook


class Theirs:
    """Somebody's own virtual environment, without pip, with packages that are only names; and a copy of the project."""

    def __init__(self, tmp_path: Path, packages: dict[str, str]) -> None:
        self.copy = copy_of_the_project(tmp_path)
        self.prefix = tmp_path / "theirs"
        venv_module.create(self.prefix, with_pip=False, symlinks=True)
        [folder] = self.prefix.glob("lib/python*/site-packages")
        self.site = Site(folder)
        for name, version in packages.items():
            self.site.add(name, version)

    def set_up(self) -> subprocess.CompletedProcess[str]:
        return shell(self.copy, "kernel", path=self.prefix / "bin", python=self.prefix / "bin" / "python")

    def everything(self) -> dict[Path, int]:
        """All files and when they were written."""
        return {path: path.stat().st_mtime_ns for path in [*self.prefix.rglob("*"), *self.copy.rglob("*")]}


@pytest.fixture
def theirs(tmp_path: Path) -> Theirs:
    """One in which nothing is missing, in newer versions than ours."""
    needed = {one.name: "99.0" for one in bootstrap.wanted(ROOT)}
    return Theirs(tmp_path, {**needed, bootstrap.PACKAGE: "0.0.1", "their-own": "1.0"})


def test_a_kernel_that_has_all_is_left_as_it_is(theirs: Theirs) -> None:
    before = theirs.everything()
    done = theirs.set_up()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert theirs.everything() == before


def test_a_kernel_that_has_all_is_ready_in_well_under_two_seconds(theirs: Theirs) -> None:
    """In CPU-time, which doesn't depend on what else this machine does; with as many packages as Colab has."""
    for number in range(700):
        theirs.site.add(f"package-{number}", "1.0")
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert theirs.set_up().returncode == 0
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 1.5


def test_a_kernel_with_a_package_that_is_too_old_is_left_as_it_is_too(theirs: Theirs) -> None:
    theirs.site.add("pillow", "1.0")
    before = theirs.everything()
    done = theirs.set_up()
    assert done.returncode == 1
    assert "pillow>=11.3 is needed, pillow 1.0 is installed" in done.stderr
    assert theirs.everything() == before


def test_a_kernel_without_pip_is_told_what_is_missing_and_what_to_do(theirs: Theirs) -> None:
    theirs.site.remove("tqdm")
    done = theirs.set_up()
    assert done.returncode == 1
    assert "adding tqdm" in done.stdout
    assert "has no pip" in done.stderr
    assert "setup_colab.sh lab" in done.stderr


@pytest.mark.parametrize(
    ("python", "said"),
    [
        ('[ "$1" = --version ] && echo Python 3.9.2; exit 1', "Python 3.11 or newer is needed, and this notebook's is"),
        ("", "there is no Python"),
    ],
)
def test_a_kernel_that_will_not_do_is_not_replaced_by_another(tmp_path: Path, python: str, said: str) -> None:
    theirs = tmp_path / "theirs" / "python"
    if python:
        script(theirs, python)
    for name in PYTHONS:
        script(tmp_path / "programs" / name, RECORDER)
    done = shell(copy_of_the_project(tmp_path), "kernel", path=tmp_path / "programs", python=theirs)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr


def test_without_a_word_about_python_the_kernel_is_python3(tmp_path: Path) -> None:
    for name in PYTHONS:
        script(tmp_path / "programs" / name, RECORDER)
    copy = copy_of_the_project(tmp_path)
    done = shell(copy, "kernel", path=tmp_path / "programs")
    assert done.stdout.rstrip().endswith(f"programs/python3 -P {copy}/text2art_nb/runtime/bootstrap.py kernel")
    assert not (copy / ".venv").exists()


# --- JupyterLab, and CI


def test_lab_opens_the_notebook_with_the_extra_and_all_that_is_asked_for(tmp_path: Path) -> None:
    copy = copy_of_the_project(tmp_path)
    ours = script(copy / ".venv" / "bin" / "python", RECORDER)
    done = shell(copy, "lab", "--no-browser", "--port=9 9", path=tmp_path)
    *_, setting_up, opening = done.stdout.splitlines()
    assert setting_up.endswith(f"{ours} -P {copy}/text2art_nb/runtime/bootstrap.py setup --extras lab")
    assert opening == f"{copy}: {ours} -m jupyterlab text2art.ipynb --no-browser --port=9 9"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("there", "installed"),
    [
        (["chromium", "git", "node", "npm"], ""),
        (["git", "node", "npm"], "chromium fonts-dejavu-core"),
        (["chromium", "git", "node"], "nodejs npm"),
        ([], "git chromium fonts-dejavu-core nodejs npm"),
    ],
)
def test_ci_installs_what_the_system_lacks_and_then_checks_all(
    tmp_path: Path, there: list[str], installed: str
) -> None:
    programs = tmp_path / "programs"
    for name in ("bash", "dirname"):
        programs.mkdir(exist_ok=True)
        (programs / name).symlink_to(str(shutil.which(name)))
    for name in ("python3", *there):
        script(programs / name, "exit 0")
    script(programs / "apt-get", 'echo "apt-get $*"')
    ci = tmp_path / "copy" / ".ci" / "run"
    ci.parent.mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", ci)
    script(tmp_path / "copy" / "setup_colab.sh", 'echo "setup_colab.sh $*"')
    done = subprocess.run(
        [programs / "bash", ci], env={"PATH": str(programs)}, capture_output=True, text=True, timeout=30, check=True
    )
    *system, last = done.stdout.splitlines()
    assert last == "setup_colab.sh test"
    wanted = [f"apt-get install -y -q --no-install-recommends {installed}"] if installed else []
    assert [line for line in system if "install" in line] == wanted


def test_all_that_pip_says_is_added_to_the_log(tmp_path: Path) -> None:
    for line in ("one\n", "two\n"):
        with bootstrap.open_log(tmp_path) as log:
            log.write(line)
    assert (tmp_path / "text2art-setup.log").read_text() == "one\ntwo\n"


def test_a_log_that_belongs_to_somebody_else_is_done_without(tmp_path: Path) -> None:
    """All users share the folder where there is no environment."""
    (tmp_path / "text2art-setup.log").mkdir()  # can't be written to either, and that by root too
    with bootstrap.open_log(tmp_path) as log:
        log.write("Collecting torch\n")


class Shell:
    """What stands behind an exclamation mark in a cell: bash, in the folder of now."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def __call__(self, command: str) -> None:
        ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        self.said.append(ran.stdout + ran.stderr)


def put_program(folder: Path, text: str) -> None:
    """A folder with a program in it that says which one it is when it is set up."""
    (folder / "text2art_nb").mkdir(parents=True)
    (folder / "text2art_nb" / "bootstrap.py").write_text("")
    (folder / "setup_colab.sh").write_text(f"echo {text} is set up: $1 in $(dirname $0)\n")


@pytest.fixture
def content(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder in which a notebook runs, with nothing in it, and a repository to clone from."""
    put_program(tmp_path / "work", "the clone")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "commit.gpgsign=false", "-C"]
    for words in (["init", "-q"], ["add", "--all"], ["commit", "-q", "-m", "all"]):
        subprocess.run([*git, str(tmp_path / "work"), *words], check=True)
    monkeypatch.setenv("T2A_REPO", (tmp_path / "work").as_uri())
    (tmp_path / "content").mkdir()
    monkeypatch.chdir(tmp_path / "content")
    return tmp_path / "content"


def set_up_in(capsys: pytest.CaptureFixture[str]) -> tuple[str, list[str]]:
    """Run the notebook's set-up cell up to where text2art is imported: what it called last, and what it printed."""
    cells = json.loads((bootstrap.ROOT / "text2art.ipynb").read_text(encoding="utf-8"))["cells"]
    [program] = ["".join(cell["source"]) for cell in cells if "git clone" in "".join(cell["source"])]
    shell = Shell()
    python = re.sub(r"!(?=git|PYTHON)(.+)", r"shell(f'\1')", program.partition("sys.path.insert")[0])
    exec(python, {"shell": shell, "_exit_code": 0})
    return shell.said[-1].strip(), capsys.readouterr().out.splitlines()


def test_the_notebook_fetches_the_program_into_a_hidden_folder(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said, told = set_up_in(capsys)
    assert said == "the clone is set up: kernel in .text2art"
    assert [path.name for path in content.iterdir()] == [".text2art"]
    assert told == ["Fetching text2art …", "Adding the packages that are missing …", "Starting text2art …"]
    assert usual_folder() == Path("text2art")
    said, told = set_up_in(capsys)
    assert said == "the clone is set up: kernel in .text2art", "a second time it is there"
    assert told[0] == "Adding the packages that are missing …"


def test_pictures_that_are_there_are_no_program(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (content / "text2art").mkdir()
    assert set_up_in(capsys)[0] == "the clone is set up: kernel in .text2art"
    assert list((content / "text2art").iterdir()) == []


@pytest.mark.parametrize("inside", ["", "text2art-main"])
def test_a_zip_beside_the_notebook_goes_before_the_address(
    content: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], inside: str
) -> None:
    put_program(tmp_path / "zipped" / inside, "the zip")
    shutil.make_archive(str(content / "text2art"), "zip", tmp_path / "zipped")
    place = Path(".text2art") / inside
    for _ in range(2):
        assert set_up_in(capsys)[0] == f"the zip is set up: kernel in {place}"
    assert {path.name for path in content.iterdir()} == {".text2art", "text2art.zip"}


def test_beside_an_old_notebooks_folder_the_program_is_fetched_anew_and_pictures_have_their_own(
    content: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put_program(content / "text2art", "the old one")
    assert set_up_in(capsys)[0] == "the clone is set up: kernel in .text2art"
    assert usual_folder() == Path("text2art-pictures")


@pytest.mark.parametrize("address", ["", "file:///nowhere"])
@pytest.mark.parametrize("folder", ["text2art", "text2art-nb"])
def test_where_it_can_not_be_fetched_an_old_notebooks_folder_will_do(
    content: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, address: str, folder: str
) -> None:
    monkeypatch.setenv("T2A_REPO", address)
    put_program(content / folder, "the old one")
    assert set_up_in(capsys)[0] == f"the old one is set up: kernel in {folder}"


def test_in_its_own_folder_the_notebook_takes_what_is_there(content: Path, capsys: pytest.CaptureFixture[str]) -> None:
    put_program(content, "this one")
    assert set_up_in(capsys)[0] == "this one is set up: kernel in ."
    assert usual_folder() == Path("text2art")


def test_where_there_is_nothing_the_notebook_says_what_to_do(
    content: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("T2A_REPO", "")
    with pytest.raises(SystemExit, match=r"Upload text2art\.zip"):
        set_up_in(capsys)
