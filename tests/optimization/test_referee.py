"""Many cheap starts, of which the referee lets the best be drawn to their end."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from text2art_nb import perceptors
from text2art_nb.errors import ModelError, SettingsError
from text2art_nb.optimization import referee as referees
from text2art_nb.runs.drawing import draw
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings, halving

Tiny = Callable[..., Settings]


@pytest.fixture
def many(tiny: Tiny, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """Settings of a tournament of 8 for 2 places, whose referee is another tiny CLIP."""
    from tests import tiny_models

    referee = tiny_models.save_clip(tmp_path_factory.getbasetemp() / "referee", seed=5)

    def make(**changes: object) -> Settings:
        given: dict[str, object] = {
            "candidates": 8,
            "finalists": 2,
            "iterations": 10,
            "referee": str(referee),
            "num_cuts": 8,
            "drawer": "pixel",
        }
        return tiny(**(given | changes))

    return make


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("candidates", "finalists", "counts"),
    [(16, 4, [8, 4]), (16, 1, [8, 4, 2, 1]), (7, 3, [4, 3]), (4, 4, []), (5, None, [])],
)
def test_each_round_halves_until_the_finalists_are_left(
    candidates: int, finalists: int | None, counts: list[int]
) -> None:
    rounds = halving.rounds(candidates, finalists, 100)
    assert [count for _, count in rounds] == counts
    assert all(0 < end <= 30 for end, _ in rounds)


def test_the_finalists_are_drawn_to_their_end(many: Tiny) -> None:
    frames = list(Run(many()))
    assert [frame.candidates for frame in frames] == [8, 8, 4, 2, 2, 2, 2, 2, 2, 2]


def test_a_round_costs_about_as_much_as_the_final(many: Tiny) -> None:
    settings = many(num_cuts=32, iterations=100).resolved()
    final_alone = 100 * 2 * 33
    assert (
        final_alone
        <= halving.views(
            settings.candidates, settings.finalists, (settings.num_cuts or 1) * (settings.batches or 1), 100
        )
        < 1.1 * final_alone
    )


def test_the_winner_comes_first_and_the_others_are_there(many: Tiny) -> None:
    run = Run(many())
    picture = finish(run)
    artwork = run.artwork
    assert [image.tobytes() for image, _ in run.candidates] == [picture, artwork.others[0].image.tobytes()]
    assert len(artwork.others) == 1


def test_the_referee_ranks_and_not_who_guides(many: Tiny) -> None:
    run = Run(many())
    finish(run)
    loop = run._prepare()
    canvas, scores = loop.final_images()
    ranks = loop.ranking_scores(canvas)
    assert [round(score, 6) for _, score in run.candidates] == [
        round(float(scores[k]), 6) for k in sorted(range(2), key=lambda k: -ranks[k])
    ]
    guided = loop.guidance.score(canvas, 1.0)
    assert ranks != pytest.approx(guided.tolist(), abs=1e-4)


def test_only_the_best_of_a_round_go_on(many: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from text2art_nb.optimization.loop import Loop

    ranked: list[tuple[list[float], list[int]]] = []
    ranks, choose = Loop.ranking_scores, Loop.choose
    monkeypatch.setattr(
        Loop, "ranking_scores", lambda self, canvas: ranked.append((ranks(self, canvas), [])) or ranked[-1][0]
    )
    monkeypatch.setattr(Loop, "choose", lambda self, *which: ranked[-1][1].extend(which) or choose(self, *which))
    run = Run(many())
    for _ in range(3):
        next(run)
    assert [len(scores) for scores, _ in ranked] == [8, 4]
    for scores, chosen in ranked:
        assert min(scores[k] for k in chosen) >= max(scores[k] for k in range(len(scores)) if k not in chosen)


@pytest.mark.parametrize("after", [1, 2, 3, 6])
def test_a_tournament_goes_on_after_a_kill_to_the_byte_identical_pictures(
    many: Tiny, tmp_path: Path, after: int
) -> None:
    run = Run(many(keep="best"))
    for _ in range(after):
        next(run)
    run.save(tmp_path / "killed.safetensors")
    loaded = Run.load(tmp_path / "killed.safetensors")
    finish(run), finish(loaded)
    assert [image.tobytes() for image, _ in run.candidates] == [image.tobytes() for image, _ in loaded.candidates]


def test_a_tournament_and_its_second_are_drawn_again_from_their_recipes(many: Tiny) -> None:
    run = Run(many())
    picture = finish(run)
    artwork = run.artwork
    assert finish(Run(artwork.settings)) == picture
    assert finish(Run(artwork.others[0].settings)) == artwork.others[0].image.tobytes() != picture


@pytest.mark.parametrize("iteration", [2, 3, 7])
def test_a_branch_leaves_a_tournament_in_any_round(many: Tiny, tmp_path: Path, iteration: int) -> None:
    run = Run(many(), directory=tmp_path)
    frames = list(run)
    branch = run.branch(iteration, prompts="a dog")
    assert next(branch).pixels.tobytes() == frames[iteration - 1].pixels.tobytes()
    picture = finish(branch)
    assert finish(Run(branch.artwork.settings)) == picture


def test_one_may_choose_in_the_middle_of_a_tournament(many: Tiny) -> None:
    run = Run(many())
    for _ in range(2):
        next(run)
    with pytest.raises(SettingsError, match="candidate must be less than 4"):
        run.steer(candidate=4)
    run.steer(candidate=3)
    picture = finish(run)
    assert run._prepare().count == 1
    assert finish(Run(run.artwork.settings)) == picture


def test_a_tournament_goes_through_a_chain(many: Tiny) -> None:
    run = Run(many(drawer="vqgan:20 -> pixel:80"))
    picture = finish(run)
    assert len(run.candidates) == 2
    assert finish(Run(run.artwork.settings)) == picture


def test_keep_as_a_number_means_finalists(many: Tiny) -> None:
    artwork = draw(many(finalists=None, iterations=4), keep=3)
    assert artwork.settings.finalists == 3
    assert len(artwork.others) == 2


def test_more_finalists_than_candidates_get_one_sentence(tiny: Tiny) -> None:
    with pytest.raises(SettingsError, match="finalists may be at most the candidates, 2; got 3"):
        tiny(candidates=2, finalists=3)


def test_the_embedded_judge_is_the_referee_of_the_embedded_eye() -> None:
    settings = Settings(prompts="a castle", candidates=4, finalists=2).resolved()
    assert referees.usual_referee(settings) == "judge"
    judge, guide = (perceptors.load(name, torch.device("cpu")) for name in ("judge", "embedded"))
    assert judge.read(["a castle"]).shape[0] == guide.read(["a castle"]).shape[0] == 1
    assert not torch.equal(judge.read(["a castle"]), guide.read(["a castle"]))


def test_where_nobody_else_is_there_the_guides_choose_and_it_is_said(
    many: Tiny, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HOME", str(tmp_path))
    run = Run(many(referee=None))
    assert run.settings.referee == referees.GUIDES
    assert "choose the finalists themselves" in run.notices[0]
    finish(run)
    assert len(run.candidates) == 2


def test_a_strangers_recipe_may_name_no_directory_as_referee() -> None:
    recipe = Settings(prompts="a cat").to_recipe() | {"referee": "/home/me/clip"}
    with pytest.raises(SettingsError, match="referee in a recipe from elsewhere must be a plain name"):
        Settings.from_recipe(recipe)


@pytest.mark.parametrize("iterations", [1, 2, 3])
def test_a_tournament_of_very_few_iterations_ends_with_a_picture(many: Tiny, iterations: int) -> None:
    run = Run(many(candidates=16, finalists=4, iterations=iterations))
    picture = finish(run)
    others = run.artwork.others
    assert len(others) == run.count - 1
    assert finish(Run(run.artwork.settings)) == picture
    assert finish(Run(others[-1].settings)) == others[-1].image.tobytes()


def test_a_tournament_that_goes_on_counts_the_round_that_had_not_ended(many: Tiny) -> None:
    run = Run(many(candidates=16, finalists=4, iterations=2))
    finish(run)
    run.steer(iterations=4)
    run.steer(candidate=7)
    picture = finish(run)
    assert [entry.candidate for entry in run.settings.steering] == [None, 7]
    assert finish(Run(run.artwork.settings)) == picture


def test_a_choice_that_a_round_has_overtaken_is_refused(many: Tiny) -> None:
    run = Run(many())
    next(run)
    loop = run._prepare()
    run.steer(candidate=3)
    loop.choose(0, 4, 6, 7)  # what a round would do after the click and before the next iteration
    finish(run)
    assert run.settings.steering == ()
    assert "candidate 3 was one of 8, and 4 are left" in run.notices


def test_a_referee_ranks_also_without_a_tournament(many: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    from text2art_nb.optimization.loop import Loop

    monkeypatch.setattr(Loop, "ranking_scores", lambda self, canvas: [0.1, 0.3, 0.2])
    run = Run(many(candidates=3, finalists=None, iterations=1))
    finish(run)
    _, scores, _ = run._prepare().finish()
    assert [score for _, score in run.candidates] == [scores[k] for k in (1, 2, 0)]


@pytest.mark.parametrize("finalists", [None, 2])
def test_a_referee_that_nobody_knows_is_refused_before_anything_is_drawn(many: Tiny, finalists: int | None) -> None:
    run = Run(many(finalists=finalists, referee="ViT-B/23"))
    with pytest.raises(ModelError, match="ViT-B/23"):
        next(run)


def test_one_picture_needs_no_referee(many: Tiny) -> None:
    assert finish(Run(many(candidates=1, finalists=None, iterations=1, referee="ViT-B/23")))
