"""The card decides how good a picture is: what it has the speed and the memory for, and no more."""

import re
from pathlib import Path

import pytest

from text2art_nb.runs import costs
from text2art_nb.runs.estimate import Paces
from text2art_nb.runtime.cards import CARDS, NEEDS, QUALITIES, choose
from text2art_nb.settings import Settings

GB = 1_000_000_000


@pytest.mark.parametrize(
    ("name", "free", "quality"),
    [
        ("Tesla T4", 15.6, "normal"),
        ("NVIDIA L4", 23.4, "better"),
        ("NVIDIA A100-SXM4-40GB", 42.0, "best"),
        ("NVIDIA A100-SXM4-80GB", 84.0, "best"),
        ("NVIDIA A100 80GB PCIe", 84.0, "best"),
        ("NVIDIA H100 80GB HBM3", 84.0, "supreme"),
        ("NVIDIA H100 PCIe", 84.0, "supreme"),
        ("NVIDIA H200", 149.0, "supreme"),
        ("NVIDIA GH200 480GB", 100.0, "supreme"),
        ("NVIDIA B200", 190.0, "supreme"),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition", 100.0, "supreme"),
        ("Tesla V100-SXM2-16GB", 16.0, "better"),
        ("NVIDIA L40S", 47.0, "supreme"),
        ("NVIDIA L40", 47.0, "best"),
        ("NVIDIA A10", 23.0, "better"),
    ],
)
def test_a_known_card_draws_what_suits_it(name: str, free: float, quality: str) -> None:
    assert choose(name, int(free * GB)).quality == quality


@pytest.mark.parametrize("name", ["Tesla K80", "NVIDIA T400", "NVIDIA A1000", "Quadro P4000", "NVIDIA L400", "", "T4x"])
def test_a_card_that_nobody_knows_draws_as_a_t4_does(name: str) -> None:
    assert choose(name, 80 * GB).quality == "normal"


@pytest.mark.parametrize(
    ("name", "free", "quality"),
    [
        ("NVIDIA H100 80GB HBM3", 16.0, "best"),
        ("NVIDIA H100 80GB HBM3", 10.0, "better"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", 4.9, "draft"),
        ("NVIDIA L4", 6.5, "normal"),
        ("NVIDIA GeForce GTX 1650", 4.1, "draft"),
        ("Tesla T4", 3.0, None),
        ("NVIDIA H200", 0.0, None),
    ],
)
def test_what_others_hold_of_the_memory_counts(name: str, free: float, quality: str | None) -> None:
    choice = choose(name, int(free * GB))
    assert choice.quality == quality
    assert "memory" in choice.why


def full(quality: str) -> Settings:
    return Settings(prompts="a picture", model="full", quality=quality, device="cpu").resolved()


def work(quality: str) -> float:
    """Seconds of one thread for a picture."""
    settings = full(quality)
    by_itself, view, megapixel = costs.time(settings)
    views = (settings.num_cuts or 0) * (settings.batches or 0)
    width, height = settings.picture_size
    return (settings.iterations or 0) * (by_itself + views * view + width * height / 1e6 * megapixel)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.pattern)
def test_no_card_works_much_longer_than_a_t4_for_its_usual_picture(card: object) -> None:
    t4 = next(each for each in CARDS if re.search(each.pattern, "Tesla T4"))
    fast_enough = [
        quality
        for quality in QUALITIES
        if work(quality) / work("normal") <= 1.1 * card.teraflops / t4.teraflops  # type: ignore[attr-defined]
    ]
    assert card.quality == fast_enough[-1]  # type: ignore[attr-defined]


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_memory_is_what_the_measured_picture_says_of_the_others(
    quality: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5.3 GB were measured for `normal`; the estimate knows how much more or less another quality needs."""
    monkeypatch.setattr("text2art_nb.runtime.machine.held_bytes", lambda: 0)
    book = Paces(tmp_path / "paces.json")
    reckoned = book.guess(full(quality)).bytes / book.guess(full("normal")).bytes * 5.3 * GB
    assert reckoned <= NEEDS[quality] <= reckoned + 1.2 * GB


def test_the_documents_table_names_what_the_table_has() -> None:
    text = (Path(__file__).parents[2] / "docs" / "colab.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| `(\w+)` \| (\d+) \|$", text, re.MULTILINE)
    told = {name: quality for names, quality, _ in rows for name in names.split(", ") if "every card" not in name}
    for name, quality in told.items():
        assert choose(f"NVIDIA {name} x", 200 * GB).quality == quality, name
    assert len(told) == 12
    assert {quality: int(side) for _, quality, side in rows} == {
        quality: full(quality).picture_size[0] for quality in QUALITIES if quality != "draft"
    }
    [needs] = re.findall(r"^\| GB of memory \| (.+) \|$", text, re.MULTILINE)
    assert [int(each) * GB for each in needs.split(" | ")] == list(NEEDS.values())
