"""Before it draws, it says how long that will take and how much memory, by what it has seen of this machine."""

import json
import math
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from PIL import Image

from text2art_nb import Run, Settings
from text2art_nb.drawers import names
from text2art_nb.models import CATALOGUE
from text2art_nb.runs import costs
from text2art_nb.runs.estimate import MOST_ENTRIES, Estimate, Paces
from text2art_nb.runtime import machine
from text2art_nb.runtime.machine import PeakMemory

GB = 10**9
VARIED = ({"quality": "draft"}, {}, {"num_cuts": 32}, {"quality": "better"})
OTHERS = (
    {"quality": "supreme"},
    {"num_cuts": 7},
    {"num_cuts": 11, "batches": 4},
    {"candidates": 4},
    {"size": "192x108"},
    {"size": "400x300", "num_cuts": 20},
)


def wanted(**changes: object) -> Settings:
    return Settings(**{"prompts": "a cat", "seed": 1, "device": "cpu", **changes}).resolved()


@pytest.fixture
def paces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Paces:
    """An empty book, and a process that holds next to nothing, other than this one."""
    monkeypatch.setattr(machine, "held_bytes", lambda: 1_000_000)
    return Paces(tmp_path / "paces.json", name="this machine")


class Machine:
    """A pretended machine: what an iteration costs on it by itself, for a view and for a megapixel, of each candidate.

    Each time it takes up to 5 % more or less.
    """

    def __init__(self, seed: int, drawer: str) -> None:
        self.random = random.Random(f"{seed} {drawer}")
        usual = {"vqgan": (0.04, 0.0035, 1.4), "pixel": (0.008, 0.0035, 0.16)}[drawer]
        self.costs = [cost * math.exp(self.random.uniform(-math.log(3), math.log(3))) for cost in usual]
        self.memory = [self.random.uniform(0.2, 0.9) * GB, self.random.uniform(0.5, 4) * 1e6, 0.5 * GB]

    def pace(self, settings: Settings) -> float:
        """Seconds that an iteration takes on the average."""
        return self._cost(settings, self.costs)

    def memory_of(self, settings: Settings) -> float:
        return self._cost(settings, self.memory)

    def draw(self, paces: Paces, settings: Settings, iterations: int = 20) -> None:
        """Draw, and note what it took."""
        seconds = self.pace(settings) * iterations * self.random.uniform(0.95, 1.05)
        peak = self.memory_of(settings) * self.random.uniform(0.95, 1.05)
        paces.note(settings, iterations, seconds, round(peak), start_seconds=3.0)

    @staticmethod
    def _cost(settings: Settings, costs: list[float]) -> float:
        width, height = settings.picture_size
        assert settings.num_cuts
        assert settings.batches
        views = settings.num_cuts * settings.batches + 1
        return costs[0] + settings.candidates * (costs[1] * views + costs[2] * width * height / 1e6)


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
@pytest.mark.parametrize("change", OTHERS)
def test_after_one_run_its_settings_are_known_within_a_quarter(
    paces: Paces, drawer: str, change: dict[str, object]
) -> None:
    settings = wanted(drawer=drawer, **change)
    for seed in range(3):
        here = Paces(paces.path.with_name(f"{seed}.json"), name="this machine")
        pretended = Machine(seed, drawer)
        pretended.draw(here, settings)
        guess = here.guess(settings)
        assert guess.measured == "this"
        assert guess.seconds == pytest.approx(pretended.pace(settings) * (settings.iterations or 0), rel=0.25)
        assert guess.bytes == pytest.approx(pretended.memory_of(settings), rel=0.25)


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
@pytest.mark.parametrize("seed", range(8))
def test_after_a_few_runs_other_sizes_and_views_are_known_within_a_quarter(
    paces: Paces, drawer: str, seed: int
) -> None:
    pretended = Machine(seed, drawer)
    for change in VARIED:
        pretended.draw(paces, wanted(drawer=drawer, **change))
    for change in OTHERS:
        settings = wanted(drawer=drawer, **change)
        guess = paces.guess(settings)
        assert guess.measured == "like"
        assert guess.seconds == pytest.approx(pretended.pace(settings) * (settings.iterations or 0), rel=0.25), change
        assert guess.bytes == pytest.approx(pretended.memory_of(settings), rel=0.25), change


def test_one_run_in_a_busy_moment_does_not_mislead_all_that_follow(paces: Paces) -> None:
    """Half as slow again as the others: that says something of the moment, not of what a pixel costs."""
    pretended = Machine(1, "pixel")
    pretended.costs = [0.008, 0.0035, 0.16]
    for change in VARIED:
        pretended.draw(paces, wanted(drawer="pixel", **change))
    busy = wanted(drawer="pixel", size="300x300")
    paces.note(busy, 20, 20 * pretended.pace(busy) * 1.5, GB, 3.0)
    for change in OTHERS:
        settings = wanted(drawer="pixel", **change)
        said = paces.guess(settings).seconds
        assert said == pytest.approx(pretended.pace(settings) * (settings.iterations or 0), rel=0.25), change


def test_a_machine_on_which_only_the_iteration_itself_costs_is_understood(paces: Paces) -> None:
    """Such as a fast card, which spends its time on being told what to do."""
    for change in VARIED:
        paces.note(wanted(device="cuda", **change), 20, 20 * 0.03, GB, 3.0)
    for change in OTHERS:
        settings = wanted(device="cuda", **change)
        assert paces.guess(settings).seconds == pytest.approx(0.03 * (settings.iterations or 0), rel=0.25), change


def test_more_work_is_never_said_to_take_less(paces: Paces) -> None:
    """Not even where what was measured says so, for the machine was busy with something else meanwhile."""
    paces.note(wanted(quality="draft"), 20, 40.0, GB, 3.0)
    paces.note(wanted(quality="better"), 20, 4.0, GB, 3.0)
    small, large = (paces.guess(wanted(size=size, iterations=100)).seconds for size in ("200x200", "800x800"))
    assert 0 < small <= large


def test_half_the_iterations_take_half_the_time(paces: Paces) -> None:
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted(iterations=30)).seconds == pytest.approx(7.5)
    assert paces.guess(wanted(iterations=60)).seconds == pytest.approx(15.0)


@pytest.mark.parametrize(
    "change", [{"prompts": "a dog | fog:-1"}, {"seed": 2}, {"iterations": 7}, {"palette": "pico-8"}]
)
def test_what_costs_nothing_leaves_the_settings_the_same(paces: Paces, change: dict[str, object]) -> None:
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted(**change)).measured == "this"


@pytest.mark.parametrize(
    ("change", "measured"),
    [
        ({"size": "160x160"}, "like"),
        ({"num_cuts": 5}, "like"),
        ({"candidates": 2}, "like"),
        ({"losses": "smoothness"}, "like"),
        ({"filters": "mirror"}, "like"),
        ({"keep": "average"}, "like"),
        ({"micro_batch": 2}, "like"),
        ({"init_weight_dist": 1}, "like"),
        ({"token_drop": 0.5}, "like"),
        ({"drawer": "pixel"}, "none"),
        ({"model": "full"}, "none"),
        ({"perceptors": "ViT-B/32"}, "none"),
        ({"precision": "bfloat16"}, "none"),
        ({"device": "cuda:0"}, "none"),
    ],
)
def test_what_changes_the_cost_is_not_taken_for_the_same(
    paces: Paces, change: dict[str, object], measured: str
) -> None:
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted(**change)).measured == measured


def test_the_newest_run_leads(paces: Paces) -> None:
    for seconds in (10.0, 10.0, 10.0, 20.0):
        paces.note(wanted(), 100, seconds, GB, 3.0)
    assert 15.0 < paces.guess(wanted(iterations=100)).seconds < 20.0


def test_a_few_iterations_hardly_move_what_many_have_shown(paces: Paces) -> None:
    """The first iterations are slow, and a run of three, as in CI, has no others."""
    paces.note(wanted(), 120, 12.0, GB, 3.0)
    paces.note(wanted(), 3, 0.9, GB, 3.0)
    assert paces.guess(wanted(iterations=100)).seconds == pytest.approx(10.0, rel=0.1)


def test_with_nothing_drawn_it_says_what_is_usual_and_that_it_is_no_more_than_that(paces: Paces) -> None:
    guess = paces.guess(wanted())
    assert guess.measured == "none"
    assert 3 < guess.seconds < 120
    assert 0.2 * GB < guess.bytes < 2 * GB
    assert "nothing like it has been drawn here yet" in str(guess)


@pytest.mark.parametrize(
    ("little", "much"),
    [
        ({"drawer": "pixel"}, {"drawer": "fft"}),
        ({"drawer": "fft"}, {"drawer": "taesd"}),
        ({"drawer": "taesd"}, {"drawer": "turbo"}),
        ({"drawer": "strokes", "strokes": 64}, {"drawer": "strokes", "strokes": 1024}),
        ({"perceptors": "ViT-B/32"}, {"perceptors": "RN50x4"}),
        ({"perceptors": "openai/clip-vit-large-patch14"}, {"perceptors": "ViT-L/14@336px"}),
        ({"perceptors": "ViT-B-16.pt"}, {"perceptors": "ViT-L/14"}),
        ({}, {"losses": "style", "style_image": Image.new("RGB", (8, 8))}),
    ],
)
def test_what_costs_more_is_said_to_cost_more_before_anything_was_drawn(
    paces: Paces, little: dict[str, object], much: dict[str, object]
) -> None:
    less, more = (paces.guess(wanted(size="256x256", iterations=10, **change)) for change in (little, much))
    assert less.measured == more.measured == "none"
    assert less.seconds < more.seconds
    assert less.bytes <= more.bytes


def test_each_of_turbos_candidates_costs_as_much_as_one(paces: Paces) -> None:
    one, four = (paces.guess(wanted(drawer="turbo", candidates=count)) for count in (1, 4))
    assert four.seconds == pytest.approx(4 * one.seconds, rel=0.05)
    assert four.bytes - one.bytes == pytest.approx(3 * 0.93 * GB, rel=0.1)  # as docs/drawers/turbo.md has counted


def test_turbo_costs_the_same_whatever_size_the_next_of_its_chain_draws_at(paces: Paces) -> None:
    chain = {"drawer": "turbo -> pixel", "model": "full -> embedded", "perceptors": "embedded"}
    small, large = (paces.guess(wanted(size=size, **chain)).seconds for size in ("128x128", "512x512"))
    assert small == pytest.approx(large, rel=0.05)


def test_an_encoder_of_many_small_views_at_once_makes_anothers_no_dearer(paces: Paces) -> None:
    alone, together = (paces.guess(wanted(perceptors=names)).bytes for names in ("RN50x16", "RN50x16, embedded"))
    assert alone <= together < 1.1 * alone


def test_every_drawer_and_every_clip_has_its_own_costs() -> None:
    assert {*names()} <= {*costs.DRAWERS}
    known = [each.name for each in CATALOGUE.values() if each.kind == "clip" and "siglip" not in each.name]
    assert {costs.image_encoder(name) for name in known} == {*costs.IMAGE_ENCODERS}
    assert costs.image_encoder("embedded") not in costs.IMAGE_ENCODERS


def test_one_kind_tells_how_fast_the_machine_is_for_another(paces: Paces) -> None:
    before = paces.guess(wanted(drawer="pixel")).seconds
    usual = paces.guess(wanted()).seconds
    tenth = (wanted().iterations or 0) // 10
    paces.note(wanted(), tenth, usual / 10 * 3, GB, 3.0)  # three times as slow as is usual
    after = paces.guess(wanted(drawer="pixel"))
    assert after.measured == "none"
    assert after.seconds == pytest.approx(3 * before)


def test_a_cpu_says_nothing_about_a_card(paces: Paces) -> None:
    before = paces.guess(wanted(device="cuda"))
    paces.note(wanted(), 10, 100.0, GB, 3.0)
    assert Paces(paces.path, paces.machine).guess(wanted(device="cuda")) == before


def test_what_another_machine_took_does_not_count(paces: Paces) -> None:
    """A book in a home that several machines share."""
    before = paces.guess(wanted())
    Paces(paces.path, name="another").note(wanted(), 10, 100.0, GB, 3.0)
    assert paces.guess(wanted()) == before


def test_models_that_are_loaded_are_not_waited_for_again(paces: Paces) -> None:
    paces.note(wanted(), 20, 5.0, GB, start_seconds=4.0)
    paces.note(wanted(), 20, 5.0, GB, start_seconds=0.5)
    assert paces.guess(wanted()).start_seconds == 0.5
    assert Paces(paces.path, paces.machine).guess(wanted()).start_seconds == 4.0


def test_what_another_kind_has_imported_is_not_waited_for_again(paces: Paces) -> None:
    paces.note(wanted(), 20, 5.0, GB, start_seconds=8.0)
    assert paces.guess(wanted(drawer="pixel")).start_seconds < 1.0


def test_a_start_that_another_kind_has_made_short_is_not_taken_for_that_of_a_fresh_process(paces: Paces) -> None:
    paces.note(wanted(), 20, 5.0, GB, start_seconds=8.0)
    paces.note(wanted(drawer="pixel"), 20, 5.0, GB, start_seconds=0.1)
    assert Paces(paces.path, paces.machine).guess(wanted(drawer="pixel")).start_seconds > 1.0


def test_a_run_that_drew_nothing_is_not_noted(paces: Paces) -> None:
    paces.note(wanted(), 0, 0.0, GB, 3.0)
    assert not paces.path.exists()


def test_memory_that_is_not_known_is_taken_from_others_of_the_kind(paces: Paces) -> None:
    paces.note(wanted(num_cuts=11), 20, 5.0, 5 * GB, 3.0)
    paces.note(wanted(), 20, 5.0, 0, 3.0)
    assert paces.guess(wanted()).bytes == pytest.approx(5 * GB, rel=0.1)


def test_the_least_memory_that_was_enough_counts(paces: Paces) -> None:
    """A process that has drawn something large before holds more than a small picture needs."""
    paces.note(wanted(), 20, 5.0, 3 * GB, 3.0)
    paces.note(wanted(), 20, 5.0, 1 * GB, 3.0)
    assert paces.guess(wanted()).bytes == 1 * GB


def test_memory_that_grows_is_noticed_in_the_end(paces: Paces) -> None:
    for gigabytes in (1, 2, 2, 2, 2, 2, 2):
        paces.note(wanted(), 20, 5.0, gigabytes * GB, 3.0)
    assert paces.guess(wanted()).bytes == pytest.approx(2 * GB, rel=0.25)


def test_what_the_process_holds_already_is_part_of_the_memory(paces: Paces, monkeypatch: pytest.MonkeyPatch) -> None:
    paces.note(wanted(), 20, 5.0, 1 * GB, 3.0)
    monkeypatch.setattr(machine, "held_bytes", lambda: 5 * GB)
    assert paces.guess(wanted()).bytes == 5 * GB
    assert paces.guess(wanted(device="cuda")).bytes < 1 * GB


def test_with_loaded_models_a_larger_picture_starts_later(paces: Paces) -> None:
    for seconds in (4.0, 0.5):
        paces.note(wanted(size="200x200"), 20, 5.0, GB, start_seconds=seconds)
    assert 0.5 < paces.guess(wanted(size="400x400")).start_seconds < 4.0


# --- the file


def test_the_book_lies_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    Paces().note(wanted(), 20, 5.0, GB, 3.0)
    assert (tmp_path / "cache" / "paces.json").is_file()
    assert Paces().guess(wanted()).measured == "this"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{torn",
        b"\xff\xfe\x00",
        b"[1, 2]",
        b'{"text2art_paces": 2, "entries": []}',
        b'{"text2art_paces": 1, "entries": [{"pace": "fast"}]}',
        b'{"text2art_paces": 1, "entries": [' + b"1," * 10**6 + b"1]}",
    ],
    ids=["empty", "torn", "binary", "a list", "of the future", "nonsense", "huge"],
)
def test_a_damaged_or_foreign_file_counts_as_empty_and_is_replaced(paces: Paces, content: bytes) -> None:
    paces.path.write_bytes(content)
    assert paces.guess(wanted()).measured == "none"
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted()).measured == "this"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-1", "0"])
def test_a_pace_that_none_can_have_makes_the_file_a_damaged_one(paces: Paces, number: str) -> None:
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    text = paces.path.read_text()
    assert '"pace": 0.25' in text
    paces.path.write_text(text.replace('"pace": 0.25', f'"pace": {number}'))
    assert paces.guess(wanted()).measured == "none"


def test_the_file_keeps_to_the_newest(paces: Paces) -> None:
    paces.note(wanted(num_cuts=1), 20, 5.0, GB, 3.0)
    text = json.loads(paces.path.read_text())
    [entry] = text["entries"]
    text["entries"] = [{**entry, "key": f"old {number}"} for number in range(MOST_ENTRIES)]
    paces.path.write_text(json.dumps(text))
    paces.note(wanted(num_cuts=2), 20, 5.0, GB, 3.0)
    keys = [entry["key"] for entry in json.loads(paces.path.read_text())["entries"]]
    assert len(keys) == MOST_ENTRIES
    assert "old 0" not in keys
    assert keys[-2] == f"old {MOST_ENTRIES - 1}"


def test_several_may_write_at_once_and_nothing_is_lost(paces: Paces) -> None:
    def write(number: int) -> None:
        Paces(paces.path, paces.machine).note(wanted(num_cuts=number), 20, 5.0, GB, 3.0)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [paces.guess(wanted(num_cuts=number)).measured for number in range(1, 13)] == ["this"] * 12


def test_a_place_that_can_not_be_written_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    paces = Paces(tmp_path / "file" / "paces.json")
    paces.note(wanted(), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted()).measured == "none"


# --- in words


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(17.6, 2.0, round(1.1 * GB), "this"), "about 20 s and 1.1 GB, as measured here"),
        (Estimate(38.0, 2.0, round(1.3 * GB), "like"), "about 40 s and 1.3 GB, judging by other runs here"),
        (Estimate(50.0, 5.0, 1 * GB, "none"), "perhaps a minute and 1 GB: nothing like it has been drawn here yet"),
        (Estimate(0.2, 0.0, round(0.43 * GB), "this"), "about a second and 0.4 GB, as measured here"),
        (Estimate(7.4, 0.0, GB, "this"), "about 7 s and 1.0 GB, as measured here"),
        (Estimate(150.0, 0.0, 12 * GB, "like"), "about 2.5 min and 12 GB, judging by other runs here"),
        (Estimate(2000.0, 0.0, GB, "this"), "about 33 min and 1.0 GB, as measured here"),
        (Estimate(9000.0, 0.0, GB, "this"), "about 2.5 h and 1.0 GB, as measured here"),
        (Estimate(0.0, 0.0, GB // 2, "none"), "perhaps a few seconds and 0.5 GB: nothing like it"),
        (Estimate(20000.0, 0.0, 14 * GB, "none"), "perhaps 6 hours and 14 GB: nothing like it"),
    ],
)
def test_the_estimate_in_words(estimate: Estimate, said: str) -> None:
    assert str(estimate).startswith(said)


@pytest.mark.parametrize("measured", ["this", "like"])
def test_rounding_leaves_the_time_well_within_a_quarter(measured: str) -> None:
    for tenths in range(20, 50_000, 7):
        seconds = tenths / 10
        words = str(Estimate(seconds, 0.0, GB, measured)).split()  # type: ignore[arg-type]
        assert float(words[1]) * {"s": 1, "min": 60, "h": 3600}[words[2]] == pytest.approx(seconds, rel=0.2)


# --- the machine


@pytest.fixture
def on_linux() -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("only Linux can forget a peak")


@pytest.mark.usefixtures("on_linux")
def test_the_peak_is_that_of_the_block_and_of_no_other() -> None:
    with PeakMemory("cpu") as large:
        held = bytearray(300_000_000)
        del held
    with PeakMemory("cpu") as small:
        pass
    assert large.bytes - small.bytes > 200_000_000
    assert small.bytes > 20_000_000  # what is held anyway counts


@pytest.mark.usefixtures("on_linux")
def test_the_peak_can_be_read_on_the_way() -> None:
    with PeakMemory("cpu") as peak:
        before = peak.bytes
        held = bytearray(100_000_000)
        assert peak.bytes > before + 50_000_000
    del held


def test_where_the_system_forgets_nothing_the_peak_is_that_of_the_whole_life(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_SELF", tmp_path / "nothing")
    with PeakMemory("cpu") as peak:
        held = bytearray(200_000_000)
    assert 200_000_000 < peak.bytes < 100 * GB
    del held


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A torch that has begun to use a card, on which 7 GB have been taken at most."""
    asked: list[object] = []
    cuda = SimpleNamespace(
        asked=asked,
        is_available=lambda: True,
        is_initialized=lambda: True,
        reset_peak_memory_stats=asked.append,
        max_memory_allocated=lambda device: 7 * GB if not device else 8 * GB,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))  # type: ignore[misc]
    return cuda


@pytest.mark.parametrize(
    ("device", "peak_gb", "asked"), [("auto", 7, None), ("cuda", 7, None), ("cuda:1", 8, "cuda:1")]
)
def test_on_a_card_the_peak_is_the_cards(card: SimpleNamespace, device: str, peak_gb: int, asked: str | None) -> None:
    with PeakMemory(device) as peak:
        pass
    assert peak.bytes == peak_gb * GB
    assert card.asked == [asked]


@pytest.mark.usefixtures("card")
def test_a_run_on_the_cpu_is_not_measured_by_the_card() -> None:
    with PeakMemory("cpu") as peak:
        pass
    assert peak.bytes != 7 * GB


@pytest.mark.usefixtures("card")
def test_auto_is_the_card_where_torch_has_one(paces: Paces) -> None:
    paces.note(wanted(device="auto"), 20, 5.0, GB, 3.0)
    assert paces.guess(wanted(device="cuda")).measured == "this"
    assert paces.guess(wanted(device="cpu")).measured == "none"


def test_a_torch_that_another_thread_is_importing_is_not_asked(
    card: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = SimpleNamespace(__spec__=SimpleNamespace(_initializing=True))
    monkeypatch.setitem(sys.modules, "torch", half)  # type: ignore[misc]
    assert machine.pick_device("auto") in ("cpu", "cuda", "mps")
    with PeakMemory() as peak:
        pass
    assert peak.bytes > 0


def test_the_number_of_threads_is_part_of_what_a_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = machine.describe()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert machine.describe() != one


def test_cards_are_named_before_torch_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "0000:00:04.0").mkdir()
    (tmp_path / "0000:00:04.0" / "information").write_text("Model: \t\t Tesla T4\nIRQ:   \t\t 10\n")
    monkeypatch.setattr(machine, "_CARDS", tmp_path)
    assert machine.describe().endswith(", Tesla T4")


def test_an_estimate_needs_neither_torch_nor_jupyter() -> None:
    code = (
        "import sys; from text2art_nb.runs.estimate import Paces; from text2art_nb.settings import Settings; "
        "print(Paces('paces.json').guess(Settings(prompts='a cat'))); "
        "print(sorted({'torch', 'IPython', 'ipywidgets', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    words, modules = done.stdout.splitlines()
    assert words.startswith("perhaps ")
    assert modules == "[]"


# --- for real


@pytest.fixture
def one_thread() -> Iterator[None]:
    """CPU-time then says what was computed, and not how long threads have waited for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def drawn(settings: Settings) -> tuple[int, float, float]:
    """Draws. Iterations after the first one, their CPU-seconds, and those up to the first one's end."""
    began = time.process_time()
    run = Run(settings)
    next(run)
    first = time.process_time()
    count = sum(1 for _ in run)
    return count, time.process_time() - first, first - began


@pytest.mark.usefixtures("one_thread")
def test_a_real_picture_takes_what_was_said_before(paces: Paces, tiny: Callable[..., Settings]) -> None:
    settings = tiny(iterations=81, size=(96, 96), num_cuts=8).resolved()
    with PeakMemory(settings.device) as peak:
        count, seconds, start = drawn(settings)
    paces.note(settings, count, seconds, peak.bytes, start)
    guess = paces.guess(settings)
    with PeakMemory(settings.device) as again:
        count, seconds, _ = drawn(settings)
    assert guess.measured == "this"
    assert guess.seconds / (settings.iterations or 0) == pytest.approx(seconds / count, rel=0.25)
    assert guess.bytes == pytest.approx(again.bytes, rel=0.25)
