"""Run all, with nbval: in current Jupyter, and from the badge in a simulated Colab. What the notebook is shipped as."""

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebook import environments
from tests.notebook.environments import ROOT, Environment
from tests.notebook.kernel import Kernel

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test may have to make the simulated Colab

NOTEBOOK = ROOT / "text2art.ipynb"
CELL_SECONDS = 300  # installing what a service needs is the longest

# A panel whose Draw button meets an error in our own code.
DRAW_RAISES = """
import text2art_nb.runs.run
def broken(*_, **__):
    raise ZeroDivisionError("broken on purpose")
text2art_nb.runs.run.Run.__init__ = broken
"""


# A job that a friend sends, whose picture is fetched as theirs would be.
SEND_A_JOB = """
import json, time, urllib.request
def ask(path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(studio._share.url + path, data, {"Content-Type": "application/json"})
    return urllib.request.urlopen(request, timeout=60).read()
wanted = {"prompt": "a red boat", "size": "64x48", "iterations": 2, "num_cuts": 2, "make_video": False}
job = json.loads(ask("/api/jobs", wanted))["id"]
while (status := json.loads(ask(f"/api/jobs/{job}"))["status"]) in ("queued", "running"):
    time.sleep(0.2)
assert status == "done", status
assert ask(f"/api/jobs/{job}/image").startswith(b"\\x89PNG")
"""


@dataclass(frozen=True)
class Outcome:
    """What nbval found. failed: what it says of each cell that did."""

    passed: int
    failed: list[str]
    said: str


def run_all(environment: Environment, notebook: Path, scratch: Path, **variables: str) -> Outcome:
    """Run every cell as `pytest --nbval-lax` does, in the environment, with pictures of three iterations."""
    ini, report = scratch / "pytest.ini", scratch / "report.xml"
    ini.write_text("[pytest]\n", encoding="utf-8")  # not the project's own, which asks for plug-ins of its own
    options = ["--nbval-lax", "--nbval-current-env", f"--nbval-cell-timeout={CELL_SECONDS}", "-p", "no:cacheprovider"]
    command = [str(environment.python), "-m", "pytest", "-c", str(ini), f"--junitxml={report}", *options, str(notebook)]
    own = {"T2A_MAX_STEPS": "3", "T2A_DIR": str(scratch / "pictures"), "IPYTHONDIR": str(scratch / "ipython")}
    done = subprocess.run(
        command, env={**environment.env, **own, **variables}, cwd=notebook.parent, capture_output=True, text=True
    )
    said = done.stdout + done.stderr
    assert done.returncode in (0, 1), said
    cases = list(ET.parse(report).iter("testcase"))
    failed = ["".join(each.itertext()) for each in cases if each.find("failure") is not None]
    return Outcome(len(cases) - len(failed), failed, said)


def cells_of(notebook: Path) -> list[Any]:
    """The code cells of a notebook."""
    return [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]


def code_cells(notebook: Path) -> int:
    """How many cells nbval has to run."""
    return len(cells_of(notebook))


@pytest.fixture
def colab(tmp_path: Path) -> Iterator[Environment]:
    """A simulated Colab of this test's own, for the notebook installs itself there."""
    twin = environments.twin(environments.colab(), tmp_path / "colab")
    yield twin
    shutil.rmtree(twin.folder)  # many small files, which pytest would keep for a while


@pytest.fixture
def home(tmp_path: Path) -> str:
    """The address of a bare repository whose one commit is the working tree as it stands."""
    bare = tmp_path / "home.git"

    def git(*arguments: str) -> None:
        own = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
        command = ["git", *own, f"--git-dir={bare}", f"--work-tree={ROOT}", *arguments]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)

    subprocess.run(["git", "init", "-q", "--bare", "--initial-branch=main", bare], check=True)
    git("add", "--all")
    git("commit", "-q", "-m", "the working tree")
    return bare.as_uri()


@pytest.mark.nightly
def test_run_all_in_current_jupyter_gives_a_picture(tmp_path: Path) -> None:
    outcome = run_all(environments.jupyter(), NOTEBOOK, tmp_path)

    assert outcome.failed == [], outcome.said
    assert outcome.passed == code_cells(NOTEBOOK)
    assert list((tmp_path / "pictures").rglob("*.png"))


def test_run_all_from_the_badge_in_colab_gives_a_picture_and_changes_no_package(
    colab: Environment, home: str, tmp_path: Path
) -> None:
    content = tmp_path / "content"
    content.mkdir()
    notebook = content / NOTEBOOK.name
    notebook.write_bytes(NOTEBOOK.read_bytes())
    before = environments.versions(colab)
    assert "text2art-nb" not in before

    outcome = run_all(colab, notebook, tmp_path, T2A_REPO=home)

    assert outcome.failed == [], outcome.said
    assert outcome.passed == code_cells(NOTEBOOK)
    assert list((tmp_path / "pictures").rglob("*.png"))
    assert (content / ".text2art" / "text2art_nb").is_dir()
    assert not (content / "text2art").exists(), "that folder is free for pictures"
    after = environments.versions(colab)
    assert {name: after.get(name) for name in before} == before


@pytest.mark.nightly
def test_a_first_set_up_tells_what_it_does_and_shows_nothing_red(colab: Environment, home: str, tmp_path: Path) -> None:
    """Colab's user is root, and its Python no virtual environment, so that pip warns. Red are standard error, too."""
    site = next(colab.folder.glob("lib/python*/site-packages"))
    (site / "no_environment.pth").write_text("import sys; sys.base_prefix = sys.prefix\n", encoding="utf-8")
    [source] = [cell.source for cell in cells_of(NOTEBOOK) if cell.source.startswith("#@title 1 ")]
    folder = tmp_path / "content"
    folder.mkdir()
    with Kernel(colab, folder, PYTHONPATH="", T2A_REPO=home) as kernel:
        cell = kernel.run(source, CELL_SECONDS)
        streams = [each.content for each in kernel.messages if each.kind == "stream" and each.parent == cell.identity]
    assert {each["name"] for each in streams} == {"stdout"}, streams
    said = "".join(each["text"] for each in streams)
    assert re.findall("WARNING|ERROR|DEPRECATION|Warning|Traceback|\x1b", said) == []
    steps = ["Fetching text2art", "Adding the packages", "Starting text2art", "Loading the models", "text2art draws on"]
    assert [step for line in said.splitlines() for step in steps if line.startswith(step)] == steps, said


def test_where_no_picture_was_drawn_the_save_cell_fails_with_a_sentence(
    environment: Environment, tmp_path: Path
) -> None:
    [source] = [cell.source for cell in cells_of(NOTEBOOK) if "studio.check()" in cell.source]
    notebook = tmp_path / "unpainted.ipynb"
    cells = ["from text2art_nb import Studio\nstudio = Studio()", source]
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), notebook)

    outcome = run_all(environment, notebook, tmp_path, PYTHONPATH=str(ROOT))

    [failed] = outcome.failed
    assert "text2art: no picture has been drawn yet" in failed
    assert "check.py" not in failed, "a traceback is nothing for those who don't program"


def test_a_handler_that_raises_fails_the_notebook(environment: Environment, tmp_path: Path) -> None:
    cells = [
        "from text2art_nb import Studio\nstudio = Studio()",
        DRAW_RAISES,
        "studio.panel()",
        "import ipywidgets\n"
        "made = getattr(ipywidgets.widgets.widget, '_instances', None) or ipywidgets.Widget.widgets  # 8, 7\n"
        "[panel] = [each for each in made.values() if type(each).__name__ == 'PanelView']\n"
        "panel._handle_custom_msg({'do': 'draw'}, [])",
        "assert not studio.errors, studio.errors",
    ]
    notebook = tmp_path / "broken.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), notebook)

    outcome = run_all(environment, notebook, tmp_path, PYTHONPATH=str(ROOT))

    assert outcome.passed == len(cells) - 1, outcome.said  # nbval by itself sees nothing
    [failed] = outcome.failed
    assert "broken on purpose" in failed


@pytest.mark.nightly
@pytest.mark.parametrize("name", environments.NAMES)
def test_a_shared_cell_draws_what_is_sent_to_it(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """In Colab the service isn't installed: the cell does that by itself, and no package changes."""
    environment: Environment = request.getfixturevalue("colab") if name == "colab" else environments.get(name)
    before = environments.versions(environment)
    cells = [
        "from text2art_nb import Studio\nstudio = Studio()",
        "studio.share(public=False)\nassert studio._share is not None and studio._share.is_running",
        SEND_A_JOB,
        "studio.unshare()\nassert not studio._share.is_running\nassert not studio.errors, studio.errors",
    ]
    notebook = tmp_path / "shared.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells]), notebook)

    outcome = run_all(environment, notebook, tmp_path, PYTHONPATH=str(ROOT), T2A_TUNNEL="")

    assert outcome.failed == [], outcome.said
    assert outcome.passed == len(cells)
    after = environments.versions(environment)
    assert {each: after.get(each) for each in before} == before


def test_the_notebook_is_shipped_without_what_running_it_leaves() -> None:
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))

    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code] == [[]] * len(code)
    assert {cell["execution_count"] for cell in code} == {None}
    assert "widgets" not in notebook["metadata"]
    assert len(notebook["cells"]) <= 8
    nbformat.validate(notebook)


def test_its_code_is_folded_away_in_colab_and_in_jupyter() -> None:
    for cell in cells_of(NOTEBOOK):
        assert cell.metadata["cellView"] == "form"
        assert cell.metadata["jupyter"] == {"source_hidden": True}
        assert re.match(r"#@title \d - [A-Z][\w ]+ \{ display-mode: \"form\" \}\n", cell.source), (
            "Jupyter shows this line"
        )


def test_it_speaks_to_people_who_do_not_program() -> None:
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    shown = re.sub(r"<!--.*?-->|\(data:[^)]*\)", "", notebook.cells[0].source, flags=re.DOTALL)
    assert "setup_colab.sh" not in shown
    assert "badge" not in shown
    assert "Runtime → Run all" in shown, "Colab's menu"
    assert "Run → Run All Cells" in shown, "Jupyter's menu"
    assert not [cell.source for cell in cells_of(NOTEBOOK) if re.search(r"^\s*assert ", cell.source, re.MULTILINE)]


def test_the_form_that_shares_says_what_free_colab_does_to_shared_pages() -> None:
    [form] = [cell.source for cell in cells_of(NOTEBOOK) if "studio.share(" in cell.source]
    told = " ".join(line.removeprefix("#@markdown ") for line in form.splitlines() if line.startswith("#@markdown "))
    assert "Free Colab ends runtimes that mainly serve a web page" in told


def test_the_notebook_asks_colab_for_a_gpu_and_says_its_name() -> None:
    metadata = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["metadata"]

    assert metadata["accelerator"] == "GPU"
    assert metadata["colab"]["name"] == "text2art.ipynb"
    assert metadata["colab"]["provenance"] == []
