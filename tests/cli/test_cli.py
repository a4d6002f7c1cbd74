"""The command line: a picture, its film, plain errors at once, and whatever stops it, a way to go on."""

import errno
import importlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from text2art_nb.__main__ import main
from text2art_nb.artifacts import encoders
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.artifacts.encoders import put
from text2art_nb.artifacts.output_paths import FOLDER, slug
from text2art_nb.cli import preview_file
from text2art_nb.errors import ArtworkError, SettingsError
from text2art_nb.models import Cancelled, File
from text2art_nb.models.embedded import WEIGHTS
from text2art_nb.optimization.loop import Loop
from text2art_nb.runs.checkpoint import Checkpoint
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test has a directory of its own to draw into."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Gives the one line that is said about words that make no sense."""

    def ask(*words: str) -> str:
        assert main(list(words)) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert said.err.startswith("text2art: ")
        assert said.err.count("\n") == 1
        assert os.listdir() == []
        return said.err

    return ask


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["draw"], "prompts is empty"),
        (["draw", "a", "castle", "--iterations", "-5"], "iterations must be at least 1"),
        (["draw", "a castle", "--iterations", "many"], "iterations must be a whole number"),
        (["draw", "a castle", "--size", "9x9"], "size must be 16 to 8192"),
        (["draw", "a castle", "--drawer", "vqgna"], "did you mean 'vqgan'"),
        (["draw", "a castle", "--set", "iteratons=5"], "unknown setting 'iteratons'; did you mean 'iterations'?"),
        (["draw", "a castle", "--set", "num_cuts"], "--set takes NAME=VALUE"),
        (["draw", "a castle", "--seeed", "3"], "'--seeed' is not an option here; did you mean --seed?"),
        (["draw", "a castle", "--seed"], "--seed: expected one argument"),
        (["draw", "a castle", "--out", "castle.txt"], "saved as .png, .jpg, .gif or .mp4, not as 'castle.txt'"),
        (["draw", "a castle", "--out", "c.png", "--video", "castle.png"], "a film is saved as .mp4 or .gif"),
        (["draw", "a castle", "--out", "c.sprite.png"], "only pixel art has a sprite; this is drawn by vqgan"),
        (["draw", "a castle", "--init-image", "nowhere.png"], "init_image cannot be used: there is no picture file"),
        (["draw", "a castle", "--init-image", "http://example.org/a.png"], "allow_urls"),
        (["compare", "a castle", "--out", "sheet.gif"], "a contact sheet is saved as .png or .jpg, not as 'sheet.gif'"),
        (["draw", "@nowhere.txt"], "the file of prompts 'nowhere.txt' cannot be read"),
        (["draw", "a castle", "--steps", "20"], "'--steps' is not an option here; iterations says how many steps"),
        (["draw", "a castle", "--set", "steps=20"], "iterations says how many steps"),
        (["draw", "a castle", "--set", "negative_prompt=fog"], "a castle | fog:-0.5"),
        (["draw", "a castle", "--palette", "no such palette"], "palette"),
        (["dorctor"], "there is no command 'dorctor'; did you mean 'doctor'?"),
        (["inspect", "nowhere.png"], "there is no file 'nowhere.png'"),
        (["redraw", "/dev/null"], "'null' is not a file with a picture in it"),
        (["resume", "nowhere"], "there is no 'nowhere'"),
    ],
)
def test_what_makes_no_sense_ends_in_one_plain_line(words: list[str], said: str, refused: Callable[..., str]) -> None:
    assert said in refused(*words)


def test_help_and_mistakes_are_answered_before_torch_is_loaded() -> None:
    program = (
        "import sys; from text2art_nb.__main__ import main\n"
        "for words in ('draw x --iterations 0', 'draw x --out x.txt', 'inspect x', 'draw --help'):\n"
        "    try: main(words.split())\n"
        "    except SystemExit: pass\n"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert "--candidates" in done.stdout


def test_models_lists_what_is_known(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["models"]) == 0
    assert "imagenet_f16_16384" in capsys.readouterr().out
    assert main(["models", "--json"]) == 0
    assert {"name", "source", "size", "licence", "ready"} <= set(json.loads(capsys.readouterr().out)[0])


def test_inspect_prints_json_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(prompts="a castle \x9b31m замок", seed=1).resolved()
    Artwork(Image.new("RGB", (32, 32)), settings).save("castle.png")
    assert main(["inspect", "castle.png"]) == 0
    printed = capsys.readouterr().out
    assert "\x9b" not in printed
    assert "замок" in printed
    assert Settings.from_recipe(json.loads(printed)["settings"]) == settings


def test_a_picture_is_named_after_its_prompt() -> None:
    assert slug("An  Underwater City! | fog:0.5") == "an-underwater-city"
    assert slug("../../etc/passwd") == "etc-passwd"
    assert slug("水中都市") == "水中都市"
    assert slug("!!!") == "picture"
    assert len(slug("very " * 100)) <= 48


# ---- drawing, with models of random weights ----

Drawing = Callable[..., dict[str, Any]]


@pytest.fixture
def words(tiny_clip: Path, tiny_vqgan: Path) -> list[str]:
    """The options of a drawing that takes a moment."""
    size = ["--size", "48x32", "--set", "num_cuts=4"]
    return ["--model", str(tiny_vqgan), "--set", f"perceptors={tiny_clip}", "--seed", "7", "--iterations", "6", *size]


@pytest.fixture
def run_json(capsys: pytest.CaptureFixture[str]) -> Drawing:
    """Runs a command with --json; gives what it said about the result, and its exit code and complaints."""

    def run(*command: str) -> dict[str, Any]:
        code = main([*command, "--json"])
        said = capsys.readouterr()
        assert said.out.count("\n") == 1, said.err
        result: dict[str, Any] = json.loads(said.out)
        return result | {"code": code, "said": said.err}

    return run


def test_draw_leaves_a_picture_and_a_film_and_says_where(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "a", "red", "castle", *words]) == 0
    printed = capsys.readouterr().out.split()
    assert printed == ["text2art/a-red-castle-7.png", "text2art/a-red-castle-7.mp4"]
    assert Artwork.open(printed[0], trusted=True).image.size == (48, 32)
    assert Artwork.inspect(printed[1], trusted=True)["settings"]["prompts"] == "a red castle"


def test_a_prompt_alone_is_drawn(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["a red castle", *words, "--no-video"]) == 0
    assert capsys.readouterr().out.split() == ["text2art/a-red-castle-7.png"]


def test_json_says_what_came_out(words: list[str], run_json: Drawing) -> None:
    result = run_json("draw", "a castle", *words, "--out", "here/castle.png", "--video", "castle.gif")
    assert result["file"] == "here/castle.png"
    assert result["video"] == "castle.gif"
    assert result["seed"] == 7
    assert result["iterations"] == 6
    assert -1 <= result["score"] <= 1
    assert 0 < result["first_frame_seconds"] <= result["seconds"]
    assert Path("castle.gif").read_bytes().startswith(b"GIF89a")


def test_the_picture_can_be_watched_in_a_file_while_it_grows(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[bytes] = []

    def watched(path: Path, data: bytes) -> None:
        put(path, data)
        written.append(data)

    monkeypatch.setattr(preview_file, "put", watched)
    monkeypatch.setattr(preview_file, "SECONDS", 0)
    result = run_json("draw", "a castle", *words, "--out", "castle.png")
    assert "watch it grow in castle.run/now.jpg" in result["said"]
    assert len(set(written)) == 6
    assert Path("castle.run/now.jpg").read_bytes() == written[-1]
    assert Image.open("castle.run/now.jpg").size == (48, 32)
    assert 0 < result["first_picture_seconds"] <= result["seconds"]


def test_its_sketch_can_be_seen_before_the_models_are_loaded(run_json: Drawing) -> None:
    seconds = run_json("draw", "a red castle", "--size", "64x64", "--iterations", "1", "--no-video")
    assert seconds["first_picture_seconds"] < seconds["first_frame_seconds"]


def test_a_picture_that_cannot_be_watched_is_drawn_all_the_same(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> None:
        raise ArtworkError(f"the picture cannot be written to {path}: no space left")

    monkeypatch.setattr(preview_file, "put", full)
    result = run_json("draw", "a castle", *words, "--out", "castle.png")
    assert result["code"] == 0
    assert result["first_picture_seconds"] is None
    assert "cannot be written to castle.run/now.jpg" in result["said"]
    assert Image.open("castle.png").size == (48, 32)


def test_a_drawing_that_cannot_begin_leaves_the_one_before_as_it_was(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    Path("castle.run/notes.txt").write_text("mine")
    before = {path: path.read_bytes() for path in Path("castle.run").rglob("*") if path.is_file()}
    assert main(["draw", "a castle", *words, "--out", "castle.png", "--set", "perceptors=./nowhere"]) == 2
    assert {path: path.read_bytes() for path in Path("castle.run").rglob("*") if path.is_file()} == before
    assert run_json("resume", "castle.png", "--iterations", "+1")["iterations"] == 7


def test_a_drawing_in_the_place_of_another_leaves_nothing_of_it(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    run_json("draw", "a castle", *words, "--out", "castle.png", "--iterations", "2", "--no-video")
    left = {path.name for path in Path("castle.run").iterdir()}
    assert left == {"checkpoint.safetensors", "outputs.json", "now.jpg", "states"}


def test_what_another_process_draws_is_left_alone(
    words: list[str], run_json: Drawing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    before = there()
    program = (
        "import sys; from text2art_nb.artifacts.output_paths import *\n"
        "with alone(Path('castle.run')): print(flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        other.stdout.readline()
        for command in (["draw", "a castle", *words, "--out", "castle.png"], ["resume", "castle.run"]):
            assert main(command) == 2
            assert "castle.run is being drawn into by another process" in capsys.readouterr().err
        other.stdin.close()
    assert there() == before
    assert run_json("resume", "castle.run", "--iterations", "+1")["iterations"] == 7


@pytest.mark.parametrize(
    ("option", "said"),
    [("--out=c.svg", "only strokes are saved as .svg"), ("--video=c.png", "a film is saved as .mp4 or .gif")],
)
def test_going_on_to_a_file_that_cannot_be_is_refused_at_once(
    option: str, said: str, words: list[str], run_json: Drawing, capsys: pytest.CaptureFixture[str]
) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    assert main(["resume", "castle.run", "--iterations", "+1", option]) == 2
    assert said in capsys.readouterr().err
    assert run_json("resume", "castle.run", "--iterations", "+1")["iterations"] == 7


def test_a_picture_never_overwrites_another(words: list[str], run_json: Drawing) -> None:
    files = [run_json("draw", "a castle", *words, "--no-video")["file"] for _ in range(3)]
    assert [Path(file).name for file in files] == ["a-castle-7.png", "a-castle-7-2.png", "a-castle-7-3.png"]
    assert len({Path(file).read_bytes() for file in files}) == 1  # and the same settings give the same bytes


def test_redraw_gives_the_same_file_byte_for_byte(words: list[str], run_json: Drawing) -> None:
    for suffix in ("png", "gif", "mp4"):
        run_json("draw", "a castle", *words, "--out", f"one.{suffix}", "--set", "losses=smoothness:1")
        run_json("redraw", f"one.{suffix}", "--trust", "--out", f"from-{suffix}.png")
    assert Path("from-gif.png").read_bytes() == Path("from-png.png").read_bytes() == Path("one.png").read_bytes()
    assert Path("from-mp4.png").read_bytes() == Path("one.png").read_bytes()


def test_no_metadata_leaves_none(words: list[str], run_json: Drawing) -> None:
    result = run_json("draw", "a castle", *words, "--no-metadata")
    for name in (result["file"], result["video"]):
        data = Path(name).read_bytes()
        assert not re.search(rb"castle|text2art|x264|Lav", data)


def interrupt(number: int, after: Path, frames: int) -> threading.Thread:
    """Sends this process a signal once so many frames are there."""

    def wait() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (not after.is_dir() or len(os.listdir(after)) < frames):
            time.sleep(0.01)
        os.kill(os.getpid(), number)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_drawn_before_a_signal_is_kept_and_can_be_gone_on_with(
    number: int, words: list[str], run_json: Drawing
) -> None:
    whole = run_json("draw", "a castle", *words, "--iterations", "40", "--out", "whole.png")
    before = signal.getsignal(number)
    thread = interrupt(number, Path("part.run/frames"), 3)
    part = run_json(
        "draw", "a castle", *words, "--iterations", "4000", "--out", "part.png", "--video", "films/part.mp4"
    )
    thread.join()
    assert part["code"] == 130
    assert signal.getsignal(number) is before
    assert 3 <= part["iterations"] < 4000
    how = shlex.split(part["said"].rpartition("go on with: ")[2])
    assert how == [sys.executable, "-m", "text2art_nb", "resume", "part.run", "--video", "films/part.mp4"]
    assert Path("films/part.mp4").exists()
    again = run_json("redraw", "part.png", "--trust", "--out", "again.png")
    assert again["iterations"] == part["iterations"]
    assert Path("again.png").read_bytes() == Path("part.png").read_bytes()
    if part["iterations"] <= 40:
        resumed = run_json(*how[3:], "--iterations", "40")
        assert (resumed["file"], resumed["iterations"]) == ("part.png", 40)
        drawn = [Artwork.open(name, trusted=True).image.tobytes() for name in ("part.png", "whole.png")]
        assert drawn[0] == drawn[1]
        assert whole["score"] == resumed["score"]


def test_a_killed_drawing_is_resumed_from_its_directory(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--iterations", "40", "--out", "whole.png")
    program = [sys.executable, "-m", "text2art_nb"]
    command = [*program, "draw", "a castle", *words, "--out", "part.png", "--iterations", "40"]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=subprocess.DEVNULL)
    frames = Path("part.run/frames")
    while process.poll() is None and (not frames.is_dir() or len(os.listdir(frames)) < 3):
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not Path("part.png").exists()
    result = run_json("resume", "part.run")
    assert (result["file"], result["video"]) == ("part.png", "part.mp4")
    assert Path("part.png").read_bytes() == Path("whole.png").read_bytes()
    assert len(list(frames.iterdir())) == 40


def test_a_finished_picture_is_drawn_further(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    assert run_json("resume", "castle.png", "--iterations", "+4")["iterations"] == 10
    assert run_json("resume", "castle.run", "--iterations", "12")["iterations"] == 12
    run_json("redraw", "castle.png", "--trust", "--out", "again.png")
    assert Path("again.png").read_bytes() == Path("castle.png").read_bytes()


def test_resume_without_the_run_draws_again_from_the_recipe_and_says_so(
    tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, run_json: Drawing, words: list[str]
) -> None:
    import shutil

    from text2art_nb.cli import draw as draw_command

    first = run_json("draw", "a castle", *words)
    shutil.rmtree(first["directory"])
    ours = draw_command._settings_in
    monkeypatch.setattr(
        draw_command, "_settings_in", lambda file, trusted: ours(file, True)
    )  # the tiny models are directories
    again = run_json("resume", first["file"])
    assert "drawing it again" in again["said"]
    assert again["file"] == "text2art/a-castle-7-2.png"
    assert Path(again["file"]).read_bytes() == Path(first["file"]).read_bytes()


def test_resume_without_the_run_but_with_more_steps_keeps_the_steering(
    tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch, run_json: Drawing
) -> None:
    from text2art_nb.cli import draw as draw_command

    steering = [{"iteration": 2, "prompts": "a tower", "iterations": 7}, {"iteration": 4, "stop": True}]
    settings = tiny(steering=steering).resolved()
    Artwork(Image.new("RGB", (48, 32)), settings).save("castle.png")
    monkeypatch.setattr(draw_command, "_settings_in", lambda file, trusted: settings)
    again = run_json("resume", "castle.png", "--iterations", "+2", "--no-video")
    assert again["iterations"] == 9
    [entry] = Artwork.open(again["file"], trusted=True).settings.steering
    assert entry.changes == {"prompts": "a tower"}


def test_two_pictures_that_differ_in_their_suffix_are_not_taken_for_one(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    from text2art_nb.cli import draw as draw_command

    run_json("draw", "a castle", *words, "--out", "castle.png", "--no-video")
    first = Path("castle.png").read_bytes()
    said = run_json("draw", "a fox", *words, "--out", "castle.jpg", "--no-video")["said"]
    assert "the run of castle.png in castle.run gives way to this one's" in said
    ours = draw_command._settings_in
    monkeypatch.setattr(draw_command, "_settings_in", lambda file, trusted: ours(file, True))
    again = run_json("resume", "castle.png")
    assert "drawing it again" in again["said"]
    assert Path("castle.png").read_bytes() == first == Path(again["file"]).read_bytes()
    assert run_json("resume", "castle.jpg", "--iterations", "+1")["file"] == "castle.jpg"


def test_a_run_that_went_on_under_another_name_is_still_its_first_pictures(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png", "--no-video")
    run_json("resume", "castle.png", "--iterations", "+1", "--out", "longer.png")
    assert run_json("resume", "castle.png", "--iterations", "+1")["iterations"] == 8


@pytest.mark.parametrize("place", ["~nobody-at-all/castle.png", "c" * 300 + ".png"])
def test_a_place_that_can_not_be_is_one_plain_sentence(
    words: list[str], place: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code = main(["draw", "a castle", *words, "--no-video", "--out", place])
    said = capsys.readouterr().err
    assert (code == 0) == place.startswith("~")  # a folder of that name is as good as any other
    assert "Traceback" not in said


def test_resume_writes_only_beside_the_run_whatever_its_directory_says(words: list[str], run_json: Drawing) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    Path("castle.run/outputs.json").write_text(json.dumps({"picture": "../../evil.png", "film": "/tmp/evil.mp4"}))
    result = run_json("resume", "castle.run", "--iterations", "+1")
    assert (result["file"], result["video"]) == ("castle.png", None)


def test_a_drawing_that_cannot_begin_leaves_nothing(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["draw", "a castle", *words, "--model", "/nowhere"]) == 2
    assert "text2art: " in capsys.readouterr().err
    assert os.listdir(FOLDER) == []


@pytest.mark.parametrize("command", ["draw", "compare"])
def test_beside_the_programs_own_folder_pictures_have_another(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A clone is called text2art, too; nobody wants pictures between its files."""
    (FOLDER / "text2art_nb").mkdir(parents=True)
    options = ["--size", "32x32", "--iterations", "1", "--set", "num_cuts=1", "--drawer", "pixel"]
    if command == "compare":
        options = [*options[:-2], "--drawers", "pixel"]
    assert main([command, "a castle", *options]) == 0
    printed = Path(capsys.readouterr().out.splitlines()[0])
    assert printed.is_file()
    assert "text2art-pictures" in printed.parts
    assert [path.name for path in FOLDER.iterdir()] == ["text2art_nb"]


def test_every_setting_is_reached_with_set(words: list[str], run_json: Drawing) -> None:
    steering = json.dumps([{"iteration": 3, "prompts": "a tower"}])
    changes = ["--set", f"steering={steering}", "--set", "keep=best", "--set", "palette=[black,#ff0000]"]
    result = run_json("draw", "a castle", *words, *changes)
    settings = Artwork.open(result["file"], trusted=True).settings
    assert settings.keep == "best"
    assert settings.palette == "[black,#ff0000]"
    assert settings.steering[0].prompts == "a tower"


def test_draw_from_python_gives_the_picture_and_its_film(tiny: Callable[..., Settings]) -> None:
    from text2art_nb import draw

    seen: list[int] = []
    artwork = draw(tiny(), out="castle.png", watch=lambda frame: seen.append(frame.iteration))
    assert seen == [1, 2, 3, 4, 5, 6]
    assert artwork.image.size == (48, 32)
    artwork.save("castle.mp4")
    again = draw(Artwork.open("castle.png", trusted=True).settings)
    again.save("again.png")
    assert Path("again.png").read_bytes() == Path("castle.png").read_bytes()
    assert artwork.frames is not None
    assert len(artwork.frames) == 6


def test_draw_takes_a_setting_by_its_other_name(tiny: Callable[..., Settings]) -> None:
    from text2art_nb import draw

    asked = tiny(iterations=1)
    given = {name: getattr(asked, name) for name in asked.model_fields_set - {"prompts"}}
    assert draw(prompt="a castle", **given).settings.prompts == "a castle"
    with pytest.raises(SettingsError, match="give only one of them"):
        draw("a castle", prompt="a tower", **given)


@pytest.fixture
def interrupted_while_loading(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes while the models are loaded."""
    load = Run._build_loop

    def begun(run: Run, start: Checkpoint) -> Loop:
        os.kill(os.getpid(), signal.SIGINT)
        while not run.stopped:
            time.sleep(0.001)
        return load(run, start)

    monkeypatch.setattr(Run, "_build_loop", begun)


def test_ctrl_c_before_the_models_load_leaves_the_run_before_as_it_was(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_json("draw", "a castle", *words, "--out", "castle.png")
    before = there()

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Run, "__init__", interrupted)
    assert main(["draw", "a castle", *words, "--out", "castle.png"]) == 130
    assert there() == before


def there() -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}


@pytest.mark.usefixtures("interrupted_while_loading")
def test_ctrl_c_while_the_models_load_leaves_what_was_there_before(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    Path("castle.png").write_text("an earlier picture")
    Path("castle.mp4").write_text("its film")
    Path("castle.run/frames").mkdir(parents=True)
    Path("castle.run/checkpoint.safetensors").write_text("its run")
    before = there()
    assert main(["draw", "a castle", *words, "--out", "castle.png"]) == 130
    assert "stopped before the first iteration" in capsys.readouterr().err
    assert there() == before


def test_ctrl_c_while_weights_are_fetched_ends_it_at_once(
    words: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(file: File, where: Path, *, cancel: threading.Event | None, **_: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel is not None
        assert cancel.wait(30)
        raise Cancelled("it was stopped")

    locate = importlib.import_module("text2art_nb.models.locate")
    monkeypatch.setattr(locate, "fetch", fetch)
    monkeypatch.setattr(locate, "_in_hub_cache", lambda _: None)
    monkeypatch.setenv("TEXT2ART_CACHE", "cache")
    monkeypatch.delenv("TEXT2ART_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    assert main(["draw", "a castle", *words, "--set", "perceptors=ViT-B/32", "--out", "castle.png"]) == 130
    assert "stopped before the first iteration" in capsys.readouterr().err
    assert not Path("castle.run").exists()
    from text2art_nb import draw

    with pytest.raises(KeyboardInterrupt):
        draw(Settings(prompts="a castle", perceptors="ViT-B/32"), out="castle.png")
    assert not Path("castle.png").exists()


@pytest.mark.usefixtures("interrupted_while_loading")
def test_draw_from_python_writes_nothing_that_was_never_drawn(tiny: Callable[..., Settings]) -> None:
    from text2art_nb import draw

    draw(tiny(), out="castle.png", video="castle.mp4")
    assert there() == {}


def test_a_film_that_fails_does_not_cost_the_picture(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    result = run_json("draw", "a castle", *words)
    assert result["code"] == 0
    assert result["video"] is None
    assert "ffmpeg could not write the film" in result["said"]
    assert Path(result["file"]).exists()


def test_a_film_that_there_is_no_room_for_is_one_plain_sentence(
    words: list[str], run_json: Drawing, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(encoders, "_encode", full)
    result = run_json("draw", "a castle", *words)
    assert (result["code"], result["video"]) == (0, None)
    assert "the film cannot be made: No space left on device" in result["said"]


def test_an_mp4_without_ffmpeg_is_refused_before_it_is_drawn(
    refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def none() -> str:
        raise ArtworkError("an MP4 needs ffmpeg")

    monkeypatch.setattr(encoders, "ffmpeg_program", none)
    assert "an MP4 needs ffmpeg" in refused("draw", "a castle", "--out", "castle.mp4")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No checkpoint can be written; whatever else can."""

    def full(_: Checkpoint, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(Checkpoint, "write", full)


@pytest.mark.usefixtures("full_disk")
def test_a_checkpoint_that_cannot_be_written_does_not_cost_the_picture(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["draw", "a castle", *words, "--out", "castle.png", "--no-video"]) == 2
    said = capsys.readouterr()
    assert said.out == "castle.png\n"
    assert "the run can't be saved to castle.run/checkpoint.safetensors: No space left on device" in said.err
    assert Artwork.open("castle.png", trusted=True).image.size == (48, 32)


@pytest.mark.usefixtures("full_disk")
def test_draw_from_python_keeps_what_was_drawn_when_the_disk_is_full(tiny: Callable[..., Settings]) -> None:
    from text2art_nb import draw

    with pytest.warns(UserWarning, match="No space left on device"):
        artwork = draw(tiny(), out="castle.png", directory="castle.run")
    assert artwork.image.size == Artwork.open("castle.png", trusted=True).image.size == (48, 32)


embedded = pytest.mark.skipif(
    not all((WEIGHTS / kind / "config.json").is_file() for kind in ("clip", "vqgan")),
    reason="the embedded weights are not in this checkout",
)


@embedded
@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_the_embedded_models_draw_a_picture_that_any_stranger_can_draw_again(drawer: str, run_json: Drawing) -> None:
    common = ["--drawer", drawer, "--iterations", "4", "--seed", "3"]
    first = run_json("draw", "a red castle in the snow", *common)
    again = run_json("redraw", first["video"])  # from a file that is not trusted
    assert Path(again["file"]).read_bytes() == Path(first["file"]).read_bytes()
    assert min(Artwork.open(first["file"]).image.size) >= 256


@embedded
@pytest.mark.parametrize("eyes", [[], ["--set", "perceptors=embedded-2"], ["--set", "perceptors=embedded-3"]])
def test_words_that_the_embedded_model_was_never_taught_are_said(eyes: list[str], run_json: Drawing) -> None:
    result = run_json("draw", "a xylograph of a castle", "--iterations", "1", "--drawer", "pixel", "--no-video", *eyes)
    assert "the embedded model doesn't know 'xylograph'" in result["said"]
    assert "'castle'" not in result["said"]


def test_the_command_of_the_documentation_is_there() -> None:
    command = Path(sysconfig.get_path("scripts")) / "text2art"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.strip()


def test_a_list_of_prompts_is_a_picture_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("prompts.txt").write_text("# ideas\na red castle\n\n a blue fish \n", encoding="utf-8")
    words = ["draw", "@prompts.txt", "--out-dir", "art", "--size", "32x32", "--iterations", "1", "--drawer", "pixel"]
    assert main([*words, "--no-video", "--seed", "4"]) == 0
    said = capsys.readouterr()
    assert [Path(line).name for line in said.out.split()] == ["a-red-castle-4.png", "a-blue-fish-4.png"]
    assert "picture 2 of 2: a blue fish" in said.err
    assert Artwork.open("art/a-blue-fish-4.png").settings.prompts == "a blue fish"


def test_a_list_of_prompts_has_no_single_name(refused: Callable[..., str], tmp_path_factory: Any) -> None:
    file = tmp_path_factory.mktemp("lists") / "prompts.txt"
    file.write_text("a castle\na fish\n", encoding="utf-8")
    assert "--out-dir names their folder" in refused("draw", f"@{file}", "--out", "castle.png")


def test_it_says_how_a_prompt_is_understood(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["draw", "a (red:1.2) {castle|castle} --no fog", "--out", "castle.png", "--no-video"]
    assert main([*words, "--size", "32x32", "--iterations", "1", "--drawer", "pixel"]) == 0
    said = capsys.readouterr().err
    assert "'(red:1.2)': a weight inside a sentence isn't read" in said
    assert "pushes away 'fog' with weight -0.5" in said
    assert "the seed chose: a red castle | fog:-0.5" in said


def test_every_setting_is_an_option_and_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["draw", "--help"])
    said = capsys.readouterr().out
    for name in set(Settings.model_fields) - {"prompts", "steering"}:
        assert f"--{name.replace('_', '-')}" in said
