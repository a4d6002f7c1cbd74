"""What prompts pull a picture towards: the distances, and schedules, directions, labels, noise and writing."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.optimization import cutouts, rng
from text2art_nb.optimization import views as perceptor_views
from text2art_nb.optimization.guidance import Moment
from text2art_nb.optimization.loop import Loop
from text2art_nb.optimization.targets import (
    TEXT_OFF,
    EncodedPrompts,
    Targets,
    encode_prompts,
    slerp,
    spherical_distance,
)
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.prompts import Prompt, parse_prompts

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")


def unit(*values: float) -> Tensor:
    vector = torch.tensor(values, dtype=torch.float32)
    return vector / vector.norm()


class Reader:
    """Reads every text as another random unit vector."""

    name, size, augmentation, longest = "reader", 8, 1.0, 77

    def read(self, texts: Sequence[str]) -> Tensor:
        return torch.stack([self.one(text) for text in texts])

    def one(self, text: str) -> Tensor:
        generator = torch.Generator().manual_seed(sum(ord(letter) * 31**k for k, letter in enumerate(text)) % 2**40)
        return F.normalize(torch.randn(16, generator=generator), dim=0)

    def see(self, views: Tensor) -> Tensor:
        raise AssertionError("nothing is to be seen here")

    def count_tokens(self, text: str) -> int:
        return len(text.split())


def heard(line: str | list[Prompt], text_off: bool = False) -> EncodedPrompts:
    prompts = parse_prompts(line) if isinstance(line, str) else line
    return encode_prompts(prompts, Reader(), CPU, lambda _: unit(*[1.0] * 16), text_off)


def asked(line: str | list[Prompt], progress: float = 0.0, text_off: bool = False) -> Targets:
    return heard(line, text_off).at(progress)[None]


# ---- distances ----


@pytest.mark.parametrize("angle", [0.01, 0.5, math.pi / 2, 3.0])
def test_the_spherical_distance_is_half_the_squared_angle(angle: float) -> None:
    there = torch.tensor([math.cos(angle), math.sin(angle)])
    assert spherical_distance(unit(1, 0), there).item() == pytest.approx(angle**2 / 2, rel=1e-3)


def test_the_spherical_distance_has_a_finite_gradient_where_both_agree() -> None:
    here = unit(1, 0).requires_grad_()
    spherical_distance(here, unit(1, 0)).backward()
    assert here.grad is not None
    assert torch.isfinite(here.grad).all()


def targets(weight: float, stop: float = -math.inf) -> Targets:
    return Targets(unit(1, 0)[None], torch.tensor([weight]), torch.tensor([stop]))


def test_a_positive_prompt_pulls_and_a_negative_one_pushes() -> None:
    for weight, sign in ((2.0, -1), (-0.5, 1)):
        seen = unit(0.5, 0.8)[None, None].requires_grad_()
        targets(weight).distance(seen).sum().backward()
        assert seen.grad is not None
        assert torch.sign(seen.grad[0, 0, 0]) == sign


def test_below_its_stop_a_prompt_no_longer_pulls() -> None:
    near, far = unit(1, 0.1), unit(0, 1)
    seen = torch.stack([near, far])[None].requires_grad_()
    targets(1.0, stop=0.3).distance(seen).sum().backward()
    assert seen.grad is not None
    assert seen.grad[0, 0].abs().sum() == 0
    assert seen.grad[0, 1].abs().sum() > 0


def test_the_score_is_the_weighted_cosine() -> None:
    both = Targets(torch.stack([unit(1, 0), unit(0, 1)]), torch.tensor([3.0, -1.0]), torch.full((2,), -math.inf))
    assert both.score(unit(1, 0)[None]).item() == pytest.approx(0.75)
    assert both.score(unit(0, 1)[None]).item() == pytest.approx(-0.25)


def test_weights_that_sum_to_zero_or_less_still_pull() -> None:
    for line in ("a:1 | b:-1", "a:-1 | b:-2"):
        seen = torch.stack([Reader().one("c")])[None].requires_grad_()
        asked(line).distance(seen).sum().backward()
        assert seen.grad is not None
        assert 0 < seen.grad.abs().sum() < math.inf


# ---- schedules ----


def test_between_two_vectors_the_way_is_along_the_circle() -> None:
    half = slerp(unit(1, 0), unit(0, 1), 0.5)
    assert torch.allclose(half, unit(1, 1))
    third = slerp(unit(1, 0), unit(0, 1), 1 / 3)
    assert math.degrees(math.acos(float(third[0]))) == pytest.approx(30, abs=0.01)


@pytest.mark.parametrize("other", [(1, 0), (-1, 0), (1, 1e-6)])
def test_between_the_same_and_between_opposites_is_a_unit_vector(other: tuple[float, float]) -> None:
    middle = slerp(unit(1, 0), unit(*other), 0.25)
    assert middle.norm().item() == pytest.approx(1)


@pytest.mark.parametrize(
    ("progress", "near"),
    [(0.0, "a seed"), (0.1, "a seed"), (0.3, "a sprout"), (0.8, "a flower"), (1.0, "a flower")],
)
def test_a_schedule_says_each_text_in_its_time(progress: float, near: str) -> None:
    said = asked("a seed @10% ^ a sprout @30% ^ a flower @80%", progress).vectors[0]
    assert torch.allclose(said, Reader().one(near), atol=1e-6)


def test_between_its_times_a_schedule_is_a_blend() -> None:
    said = asked("a seed ^ a sprout @30% ^ a flower @80%", 0.55).vectors[0]
    sprout, flower = Reader().one("a sprout"), Reader().one("a flower")
    assert torch.allclose(said, slerp(sprout, flower, 0.5), atol=1e-6)


def test_prompts_without_a_schedule_are_the_same_all_the_time() -> None:
    ears = heard("a | b:-0.5")
    assert ears.at(0.0) is ears.at(0.7)


# ---- directions ----


def test_a_direction_rewards_going_its_way_and_no_other() -> None:
    to = asked("a face -> a smiling face")
    way = F.normalize(Reader().one("a smiling face") - Reader().one("a face"), dim=0)
    initial = Reader().one("somewhere")[None]
    along, against = (initial + sign * way for sign in (0.5, -0.5))
    distances = [to.distance(F.normalize(there, dim=-1)[None], initial).item() for there in (along, initial, against)]
    assert distances[0] < 0.25
    assert distances[1] == pytest.approx(1, abs=1e-4)
    assert distances[2] > 1.75


def test_where_nothing_has_moved_yet_a_direction_has_a_finite_gradient_its_way() -> None:
    initial = Reader().one("somewhere")[None]
    seen = initial[None].clone().requires_grad_()
    asked("a face -> a smiling face").distance(seen, initial).sum().backward()
    assert seen.grad is not None
    way = F.normalize(Reader().one("a smiling face") - Reader().one("a face"), dim=0)
    assert F.cosine_similarity(-seen.grad[0, 0], way, dim=0) > 0.99
    assert seen.grad.norm() < 100


def test_the_score_of_a_direction_is_how_near_its_end_is() -> None:
    end = Reader().one("a smiling face")[None]
    assert asked("a face -> a smiling face").score(end).item() == pytest.approx(1)


# ---- labels, noise, images, writing ----


def test_a_label_is_the_mean_of_seven_phrases() -> None:
    label = asked([Prompt("tabby cat", label=True)]).vectors[0]
    assert label.norm().item() == pytest.approx(1)
    photo = Reader().one("a photo of the small tabby cat.")
    assert (label @ photo).item() > 0.15  # seven random vectors of 16 numbers: near each of them, equal to none
    assert (label @ photo).item() < 0.9


def test_noise_is_another_unit_vector_for_each_seed_and_doesnt_count_in_the_score() -> None:
    said = asked([Prompt("a"), Prompt("", 2, noise=3), Prompt("", 1, noise=4)])
    assert torch.equal(said.vectors[1], asked([Prompt("", noise=3)]).vectors[0])
    assert abs(float(said.vectors[1] @ said.vectors[2])) < 0.9
    assert said.votes is not None
    assert said.votes.tolist() == [1, 0, 0]


def test_an_image_prompt_among_texts_keeps_its_place() -> None:
    said = asked([Prompt("a"), Prompt("", image="data:"), Prompt("b")])
    assert torch.allclose(said.vectors[1], unit(*[1.0] * 16))
    assert torch.allclose(said.vectors[2], Reader().one("b"))


def test_writing_is_pushed_away_a_little_and_doesnt_count_in_the_score() -> None:
    plain, off = asked("a"), asked("a", text_off=True)
    assert off.weights.tolist() == pytest.approx([1, -TEXT_OFF])
    seen = Reader().one("c")[None]
    assert torch.equal(plain.score(seen), off.score(seen))
    assert off.distance(seen[None]) < plain.distance(seen[None])


def test_writing_is_pushed_out_of_every_region_and_not_more_than_once_in_all() -> None:
    said = heard("[left] a | [right] b", text_off=True).at(0)
    assert set(said) == {"left", "right"}
    assert sum(float(each.weights[-1]) for each in said.values()) == pytest.approx(-TEXT_OFF)


@pytest.mark.parametrize("eye", ["tiny", "embedded"])
def test_only_an_eye_that_has_seen_writing_pushes_it_away(tiny: Tiny, eye: str) -> None:
    changes = {} if eye == "tiny" else {"perceptors": "embedded"}
    loop = Loop(tiny(prompts="a cat", **changes).resolved())
    (only,) = loop.guidance.encoders
    assert len(only.prompts.at(0)[None].weights) == (2 if eye == "tiny" else 1)
    off = Loop(tiny(prompts="a cat", text_off=False, **changes).resolved())
    assert len(off.guidance.encoders[0].prompts.at(0)[None].weights) == 1


# ---- in a run ----


def drawn(settings: Settings) -> bytes:
    run = Run(settings)
    list(run)
    return run.artwork.image.tobytes()


def plainly(loop: Loop, leaf: Tensor, number: int) -> tuple[Tensor, Tensor]:
    """Distance and score, [B] each, of VQGAN+CLIP's method as it was before there was anything beside text:weight:stop;
    `leaf` gets the gradient."""
    settings, seen = loop.settings, []
    for name in settings.perceptor_names:
        eye = perceptors.load(name, CPU)
        generator = rng.generator(settings.seed or 0, number, eye.size)
        views = cutouts.draw_views(
            (settings.num_cuts or 0) + 1, loop.drawer.canvas, number, generator, eye.augmentation
        )
        field = cutouts.draw_field(eye.size, generator)
        pyramid = cutouts.Pyramid(leaf, eye.size)
        read = eye.read([prompt.text for prompt in settings.parsed])
        weights = torch.tensor([prompt.weight for prompt in settings.parsed])
        vectors = eye.see(pyramid.see(views, field).flatten(0, 1)).unflatten(0, (len(leaf), len(views)))
        distances = spherical_distance(vectors[..., None, :], read) * weights.sign()
        distance = (distances * weights.abs()).mean(1).sum(-1)
        distance.sum().backward()
        pyramid.backward()
        seen.append((distance.detach(), (vectors[:, -1].detach() @ read.T) @ weights / weights.abs().sum()))
    distances, scores = zip(*seen, strict=True)
    return torch.stack(distances).sum(0), torch.stack(scores).mean(0)


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_plain_prompts_are_seen_byte_for_byte_as_the_plain_method_sees_them(
    tiny: Tiny, tiny_clip: Path, drawer: str
) -> None:
    eyes = (str(tiny_clip), str(tiny_clip))
    settings = tiny(drawer=drawer, text_off=False, perceptors=eyes, candidates=2, micro_batch=100)
    loop = Loop(settings.resolved())
    ours, reference = (loop.render().detach().requires_grad_() for _ in range(2))
    looked = loop.evaluate(ours, Moment(1, 0.0))
    assert looked is not None
    distance, score = plainly(loop, reference, 1)
    assert torch.equal(looked[1]["prompts"], distance)
    assert torch.equal(looked[0], score)
    assert ours.grad is not None
    assert reference.grad is not None
    assert torch.equal(ours.grad, reference.grad)


def test_equal_weights_of_perceptors_are_no_weights(tiny: Tiny, tiny_clip: Path) -> None:
    eye = str(tiny_clip)
    assert drawn(tiny(perceptors=(eye, eye))) == drawn(tiny(perceptors=(f"{eye}:0.5", f"{eye}:0.5")))
    assert drawn(tiny(perceptors=(eye,))) == drawn(tiny(perceptors=(f"{eye}:7",)))


def test_a_heavier_perceptor_has_more_to_say_and_cuts_of_its_own(tiny: Tiny, tiny_clip: Path) -> None:
    loop = Loop(tiny(perceptors=(f"{tiny_clip}:3", f"{tiny_clip}:1:9"), num_cuts=4).resolved())
    assert [eye.share for eye in loop.guidance.encoders] == [1.5, 0.5]
    batches = loop.guidance.draw_views(loop.render(), 1)
    assert sorted(len(each.views) for each in batches.values()) == [5, 10]


def test_tokens_are_left_out_by_those_who_can_and_never_from_the_view_that_is_scored() -> None:
    class Some(Reader):
        def see(self, views: Tensor) -> Tensor:
            return torch.ones(len(views), 2)

        def see_some(self, views: Tensor, share: float, generator: torch.Generator) -> Tensor:
            return torch.full((len(views), 2), share)

    views = torch.zeros(2, 3, 3, 8, 8)
    chance = torch.Generator()
    assert perceptor_views.encode_views(Some(), views, 0.5, chance, True)[0, :, 0].tolist() == [0.5, 0.5, 1]
    assert perceptor_views.encode_views(Some(), views, 0.5, chance, False)[0, :, 0].tolist() == [0.5, 0.5, 0.5]
    assert perceptor_views.encode_views(Some(), views, 0.0, chance, False)[0, :, 0].tolist() == [1, 1, 1]
    assert perceptor_views.encode_views(Some(), views[:, :1], 0.5, chance, True).shape == (2, 1, 2)


def nearness(canvas: Tensor, eye: Path, texts: list[str]) -> Tensor:
    perceptor = perceptors.load(str(eye), CPU)
    with torch.no_grad():
        return perceptor_views.encode_straight(perceptor, canvas) @ perceptor.read(texts).T


def test_late_frames_of_a_schedule_are_nearer_to_its_last_text(tiny: Tiny, tiny_clip: Path) -> None:
    settings = tiny(prompts="a cat ^ zzz 999", drawer="pixel", text_off=False, iterations=40, learning_rate=0.1)
    frames = list(Run(settings))
    early, late = (nearness(frames[k]._canvas, tiny_clip, ["a cat", "zzz 999"])[0] for k in (10, -1))
    assert late[1] > early[1]
    assert late[1] - late[0] > early[1] - early[0] + 0.05


def test_a_direction_moves_the_picture_along(tiny: Tiny, tiny_clip: Path) -> None:
    settings = tiny(prompts="a cat -> zzz 999", drawer="pixel", iterations=40, text_off=False, learning_rate=0.1)
    frames = list(Run(settings))
    eye = perceptors.load(str(tiny_clip), CPU)
    start, way = eye.read(["a cat", "zzz 999"])
    with torch.no_grad():
        first, last = (perceptor_views.encode_straight(eye, frame._canvas)[0] for frame in (frames[0], frames[-1]))
    assert F.cosine_similarity(last - first, way - start, dim=0) > 0.3
    assert frames[-1].loss < frames[0].loss


@pytest.mark.parametrize("killed_at", [1, 4])
def test_a_direction_survives_a_kill_byte_for_byte(tiny: Tiny, tmp_path: Path, killed_at: int) -> None:
    settings = tiny(prompts="[left] a cat -> a dog | a ^ b", candidates=2)
    run = Run(settings)
    for _ in range(killed_at):
        next(run)
    run.save(tmp_path / "kept.run")
    again = Run.load(tmp_path / "kept.run")
    list(again)
    assert again.artwork.image.tobytes() == drawn(settings)


def test_a_direction_goes_on_with_one_candidate(tiny: Tiny) -> None:
    run = Run(tiny(prompts="a cat -> a dog", candidates=3))
    for frame in run:
        if frame.iteration == 2:
            run.steer(candidate=1)
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes()


def test_all_kinds_of_prompts_draw_together(tiny: Tiny) -> None:
    settings = tiny(
        labels="cat", noise_prompt_seeds=(1, 2), noise_prompt_weights=0.2, prompts="a -> b ^ c:2 | [top] d:-1"
    )
    assert drawn(settings) == drawn(settings) != drawn(settings.with_(noise_prompt_seeds=(1, 3)))
