"""With the embedded models a sentence becomes a picture that another CLIP recognises, out of the box."""

import pytest
import torch

from tests.bench.prompts import PROMPTS
from tests.bench.recognisable import TEXTS, judge, look
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

ASKED = ("a purple jellyfish", "a yellow submarine underwater")


@pytest.mark.parametrize("drawer", ["pixel", pytest.param("vqgan", marks=pytest.mark.nightly)])
def test_the_judge_likes_the_last_frame_better_than_the_first(drawer: str) -> None:
    first, last = [], []
    for text in ASKED:
        run = Run(Settings(prompts=text, drawer=drawer, seed=0, quality="draft", start="noise", device="cpu"))
        first.append(next(run).image)
        list(run)
        last.append(run.artwork.image)
    wanted = torch.tensor([TEXTS.index(text) for text in ASKED])[:, None]
    before, after = (look(judge(), pictures).gather(1, wanted) for pictures in (first, last))
    assert (after > before).all()
    assert (after - before).mean() > 0.15


@pytest.mark.nightly
@pytest.mark.parametrize("drawer", ["pixel", "vqgan"])
def test_eight_prompts_are_recognised_from_a_proposal_on(drawer: str) -> None:
    """The quick version of tests/bench/recognisable.py, no picking: every fourth of its 32 prompts."""
    first, last = [], []
    for text in TEXTS[::4]:
        run = Run(Settings(prompts=text, drawer=drawer, seed=0, quality="draft", iterations=12, device="cpu"))
        first.append(next(run).image)
        list(run)
        last.append(run.artwork.image)
    own = torch.arange(len(TEXTS))[::4]
    before, after = look(judge(), first), look(judge(), last)
    assert (after.argmax(1) == own).sum() >= 5
    assert after.gather(1, own[:, None]).mean() > before.gather(1, own[:, None]).mean()


def test_the_judge_knows_rendered_pictures_of_the_prompts() -> None:
    """A judge that is often wrong about perfect pictures is no judge."""
    from PIL import Image

    from text2art_nb.training import world

    renders = [Image.fromarray(world.render(asked.scene(variant), 128)) for variant in range(4) for asked in PROMPTS]
    right = look(judge(), renders).argmax(1) == torch.arange(len(PROMPTS)).repeat(4)
    assert right.float().mean() >= 0.85


def test_the_default_picture_is_large_enough_to_send_to_a_friend() -> None:
    run = Run(Settings(prompts="a red castle", iterations=1, seed=0))
    list(run)
    assert min(run.artwork.image.size) >= 256
