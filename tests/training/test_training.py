"""The training programs: small ones run, go on after a kill as if nothing had been, and export ordinary checkpoints."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from text2art_nb.errors import RunError
from text2art_nb.perceptors.dual_encoder import flatten_pooling
from text2art_nb.training import card, classifier, clip, data, metrics, proposal, tiny, train, vqgan, world
from text2art_nb.training.arithmetic import has_bfloat16_units
from text2art_nb.training.data import Pool, PoolPlan, load_pool, misspell
from text2art_nb.training.dual_encoder import matching_loss
from text2art_nb.training.loop import Trainer, load_state, read_curve, run
from text2art_nb.training.tokenizer import train_tokenizer
from text2art_nb.training.train import WEIGHTS, publish

if TYPE_CHECKING:
    from transformers import VisionTextDualEncoderModel

STEPS = 20


@pytest.fixture(autouse=True)
def one_thread() -> None:
    """Training is byte-identical on the same number of threads only."""
    torch.set_num_threads(1)


def tiny_dual(pieces: int) -> "VisionTextDualEncoderModel":
    """A dual encoder of the guide's kind, a hundredth as large."""
    from transformers import BertConfig, ResNetConfig, VisionTextDualEncoderConfig, VisionTextDualEncoderModel

    eye = ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[1, 1], layer_type="basic")
    eye.hidden_size = 16
    reader = BertConfig(
        vocab_size=pieces,
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    config = VisionTextDualEncoderConfig.from_vision_text_configs(eye, reader, projection_dim=32)
    return flatten_pooling(VisionTextDualEncoderModel(config))


def small_clip(folder: Path, relations: float = 0.17) -> clip.ClipTrainer:
    """A CLIP training that takes seconds."""
    pool = load_pool(PoolPlan(count=64, size=64, seed=1, group=8, relations=relations), folder)
    rng = np.random.default_rng(0)
    words = [world.caption(scene, rng)[0] for scene in world.sample_scenes(rng, 300)]
    exam = metrics.Exam(
        metrics.make_line_up(1, 1),
        metrics.make_album(32, 2, False),
        metrics.make_album(32, 3, True),
        metrics.make_swaps(16, 4),
    )
    plan = replace(clip.smaller(clip.GUIDE_PLAN, STEPS), build=tiny_dual)
    return clip.ClipTrainer(plan, pool, exam, train_tokenizer(words, 600))


def small_vqgan(folder: Path) -> vqgan.VqganTrainer:
    """A VQGAN training that takes seconds."""
    pool = load_pool(PoolPlan(count=16, size=96, seed=1), folder)
    return vqgan.VqganTrainer(vqgan.smaller(vqgan.VQGAN_PLAN, STEPS), pool, pool)


def small_tiny(folder: Path) -> tiny.TinyTrainer:
    """A training of a tiny autoencoder that takes a second."""
    pool = load_pool(PoolPlan(count=16, size=96, seed=1), folder)
    return tiny.TinyTrainer(tiny.smaller(tiny.TINY_PLAN, 8), pool, pool)


def small_proposal() -> proposal.ProposalTrainer:
    """A training of a proposal that takes a second."""
    tokenizer = train_tokenizer(proposal.sentences(np.random.default_rng(0), 300)[0], 600)
    return proposal.ProposalTrainer(proposal.smaller(proposal.PROPOSAL_PLAN, 8), tokenizer)


def few_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command train its decoders on a few pictures."""
    for name in ("DETAILED", "DETAILED_TEST"):
        monkeypatch.setattr(train, name, PoolPlan(count=16, size=96, seed=1))


def same(one: object, other: object) -> bool:
    """Whether nested states are equal to the byte."""
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return isinstance(other, list | tuple) and len(one) == len(other) and all(map(same, one, other))
    return one == other


@pytest.mark.nightly
def test_clip_training_killed_at_any_moment_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = small_clip(tmp_path / "pools")
    run(whole, tmp_path / "whole")
    program = f"""
import os, signal, sys, threading, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import torch; torch.set_num_threads(1)
from test_training import small_clip
from text2art_nb.training.loop import run
folder = Path({str(tmp_path / "killed")!r})
def kill():
    while not (folder / "checkpoint.pt").exists(): time.sleep(0.01)
    time.sleep(0.05)
    os.kill(os.getpid(), signal.SIGKILL)
threading.Thread(target=kill, daemon=True).start()
trainer = small_clip(Path({str(tmp_path / "pools")!r}))
advance = trainer.advance
def slowly():
    time.sleep(0.1)
    return advance()
trainer.advance = slowly
run(trainer, folder, save_every=0)
"""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    killed = subprocess.run([sys.executable, "-c", program], env=environment, check=False, timeout=200)
    assert killed.returncode == -signal.SIGKILL
    assert 0 < load_state(tmp_path / "killed" / "checkpoint.pt")["trainer"]["step"] < STEPS
    resumed = small_clip(tmp_path / "pools")
    run(resumed, tmp_path / "killed", resume=True)
    assert same(whole.state_dict(), resumed.state_dict())


@pytest.mark.nightly
def test_vqgan_training_stopped_and_resumed_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = small_vqgan(tmp_path / "pools")
    run(whole, tmp_path / "whole")
    stopped = small_vqgan(tmp_path / "pools")
    for _ in range(STEPS // 2 + 3):
        stopped.advance()
    stopped.total = stopped.step
    run(stopped, tmp_path / "stopped")
    resumed = small_vqgan(tmp_path / "pools")
    run(resumed, tmp_path / "stopped", resume=True)
    assert same(whole.state_dict(), resumed.state_dict())


@pytest.mark.nightly
def test_tiny_training_stopped_and_resumed_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = small_tiny(tmp_path / "pools")
    run(whole, tmp_path / "whole")
    stopped = small_tiny(tmp_path / "pools")
    stopped.total = 5
    run(stopped, tmp_path / "stopped")
    resumed = small_tiny(tmp_path / "pools")
    run(resumed, tmp_path / "stopped", resume=True)
    assert same(whole.state_dict(), resumed.state_dict())


@pytest.mark.nightly
def test_a_checkpoint_of_another_recipe_is_not_gone_on_with(tmp_path: Path) -> None:
    run(small_tiny(tmp_path / "pools"), tmp_path / "work")
    other = small_tiny(tmp_path / "pools")
    other.plan = replace(other.plan, batch=2)
    with pytest.raises(RunError, match="of another recipe; without --resume"):
        run(other, tmp_path / "work", resume=True)


@pytest.mark.nightly
def test_proposal_training_stopped_and_resumed_ends_in_the_same_weights(tmp_path: Path) -> None:
    whole = small_proposal()
    run(whole, tmp_path / "whole")
    stopped = small_proposal()
    stopped.total = 5
    run(stopped, tmp_path / "stopped")
    resumed = small_proposal()
    run(resumed, tmp_path / "stopped", resume=True)
    assert same(whole.state_dict(), resumed.state_dict())
    assert {"picture", "read", "psnr", "read_right"} <= read_curve(tmp_path / "whole" / "curve.jsonl")[-1].keys()


@pytest.mark.nightly
def test_exported_proposal_paints_as_the_trained_one(tmp_path: Path) -> None:
    from text2art_nb.optimization import proposals

    trainer = small_proposal()
    trainer.advance()
    trainer.tokenizer.save_pretrained(tmp_path / "guide")
    proposal.export(trainer, tmp_path / "proposal", tmp_path / "guide")
    loaded = proposals.load(str(tmp_path / "proposal"), torch.device("cpu"))
    made = loaded.propose([("a red castle", 1.0)], 4, torch.Generator().manual_seed(0))
    texts = [trainer.propose(trainer.exported(), "a red castle", variant) for variant in range(4)]
    ours = torch.cat([*texts, *(picture.flip(-1) for picture in texts)])
    nearest = (made[:, None] - ours[None]).abs().mean((2, 3, 4)).min(1)
    assert nearest.values.max() < 0.01
    assert len(set((nearest.indices % 4).tolist())) == 4


def test_the_teacher_never_shows_held_out_pairs_and_knows_a_place_for_every_thing() -> None:
    rng = np.random.default_rng(0)
    scenes, variants = proposal.lesson(rng, 400)
    assert not any(map(world.is_held_out, scenes))
    assert all(scene.variant == proposal.SEEDS[variant] for scene, variant in zip(scenes, variants, strict=True))
    assert proposal.NATURAL_PLACES.keys() == set(world.ATTRIBUTES["thing"])
    alone = {name for name, places in proposal.NATURAL_PLACES.items() if " " not in places}
    for thing, name in enumerate(world.ATTRIBUTES["thing"]):
        place = world.ATTRIBUTES["place"][proposal.usual_scene(thing, 0).place]
        assert name in alone or (name, place) not in world.HELD_OUT


@pytest.mark.parametrize(("flags", "has"), [("fpu avx2 avx512_bf16", True), ("amx_bf16", True), ("fpu avx2", False)])
def test_half_precision_is_for_cpus_with_units_for_it(tmp_path: Path, flags: str, has: bool) -> None:
    (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags\t\t: {flags}\nprocessor : 1\n")
    assert has_bfloat16_units(tmp_path / "cpuinfo") == has
    assert not has_bfloat16_units(tmp_path / "none")


@pytest.mark.nightly
def test_a_time_limit_stops_training_with_a_checkpoint_and_a_curve(tmp_path: Path) -> None:
    trainer = small_vqgan(tmp_path / "pools")
    run(trainer, tmp_path, minutes=0.0)
    assert load_state(tmp_path / "checkpoint.pt")["trainer"]["step"] == 0
    assert {"psnr_64", "psnr_128"} <= read_curve(tmp_path / "curve.jsonl")[-1].keys()


class Falling:
    """A trainer that always learns."""

    step, total = 0, 3

    def advance(self) -> dict[str, float]:
        self.step += 1
        return {"loss": 1 / self.step}

    def measure(self) -> dict[str, float]:
        return {}

    def state_dict(self) -> dict[str, object]:
        return {"step": self.step}

    def load_state_dict(self, state: dict[str, object]) -> None:
        self.step = int(str(state["step"]))


def test_the_curve_reports_the_mean_of_the_losses_since_the_last_point(tmp_path: Path) -> None:
    trainer: Trainer = Falling()
    run(trainer, tmp_path)
    assert read_curve(tmp_path / "curve.jsonl")[-1]["loss"] == pytest.approx((1 + 1 / 2 + 1 / 3) / 3, abs=1e-4)


def test_a_torn_line_of_the_curve_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "curve.jsonl").write_text('{"step": 1}\n{"step": 2, "lo')
    assert read_curve(tmp_path / "curve.jsonl") == [{"step": 1}]


@pytest.mark.nightly
def test_exported_clip_is_an_ordinary_dual_encoder(tmp_path: Path) -> None:
    from transformers import AutoTokenizer, VisionTextDualEncoderModel

    trainer = small_clip(tmp_path / "pools")
    trainer.advance()
    publish(lambda directory: clip.export(trainer, directory), tmp_path / "clip")
    loaded = flatten_pooling(VisionTextDualEncoderModel.from_pretrained(tmp_path / "clip")).eval()
    texts = ["a red castle", "two blue fish at night #pixelart"]
    read = metrics.read(loaded, AutoTokenizer.from_pretrained(tmp_path / "clip"), texts)
    assert torch.allclose(read, metrics.read(trainer.exported(), trainer.tokenizer, texts), atol=0.01)
    assert loaded.dtype == torch.float32
    assert "castle" in json.loads((tmp_path / "clip" / "vocabulary.json").read_text())


@pytest.mark.nightly
def test_exported_vqgan_is_an_ordinary_vqmodel(tmp_path: Path) -> None:
    from diffusers import VQModel

    trainer = small_vqgan(tmp_path / "pools")
    trainer.advance()
    publish(lambda directory: vqgan.export(trainer, directory), tmp_path / "vqgan")
    loaded = VQModel.from_pretrained(tmp_path / "vqgan", torch_dtype=torch.float32).eval()
    picture = torch.rand(1, 3, 32, 32) * 2 - 1
    ours = trainer.exported().encode(picture).latents
    assert torch.allclose(loaded.encode(picture).latents, ours, atol=0.05)
    assert loaded.decode(ours).sample.shape == (1, 3, 32, 32)


@pytest.mark.nightly
def test_exported_taesd_is_an_ordinary_autoencoder_tiny_with_a_card(tmp_path: Path) -> None:
    from diffusers import AutoencoderTiny

    trainer = small_tiny(tmp_path / "pools")
    trainer.advance()

    def write(directory: Path) -> None:
        tiny.export(trainer, directory)
        card.write_tiny(directory, trainer, 60.0, tmp_path / "curve.jsonl")

    (tmp_path / "curve.jsonl").write_text('{"step": 1, "threads": 2}\n{"step": 1, "threads": 1}\n')
    publish(write, tmp_path / "taesd")
    loaded = AutoencoderTiny.from_pretrained(tmp_path / "taesd", torch_dtype=torch.float32).eval()
    latents = loaded.encode(torch.rand(1, 3, 32, 32) * 2 - 1).latents
    assert loaded.decode(latents).sample.shape == (1, 3, 32, 32)
    said = (tmp_path / "taesd" / "README.md").read_text()
    assert "PSNR" in said
    assert "1 minutes of 2 threads" in said  # those of the training, not those of the export


@pytest.mark.nightly
def test_in_a_group_of_pictures_mostly_the_thing_differs() -> None:
    from text2art_nb.training.data import scenes_of

    scenes = scenes_of(PoolPlan(count=320, size=64, seed=5, group=8))
    groups = [scenes[start : start + 8] for start in range(0, 320, 8)]
    by_thing = sum(len({scene.thing for scene in group}) >= 7 for group in groups)
    assert by_thing >= len(groups) // 2
    assert all(len({(s.place, s.style) for s in group}) == 1 for group in groups if len({s.thing for s in group}) == 8)


def test_training_pools_never_show_held_out_pairs() -> None:
    from text2art_nb.training.data import scenes_of

    assert not any(map(world.is_held_out, scenes_of(PoolPlan(count=800, size=64, seed=6, group=8))))


def test_a_misspelt_caption_keeps_all_its_words() -> None:
    rng = np.random.default_rng(0)
    text = "a red castle underwater"
    variants = {misspell(text, rng) for _ in range(300)}
    assert len(variants) > 10
    assert all(len(variant.split()) == len(text.split()) for variant in variants)


@pytest.mark.nightly
def test_a_caption_with_two_things_exchanged_counts_against_a_picture_though_it_belongs_to_none() -> None:
    seen = torch.eye(3)
    scale, true = torch.tensor(10.0), torch.eye(3, 4, dtype=torch.bool)
    near, far = (torch.cat([torch.eye(3), other[None]]) for other in (torch.eye(3)[0], -torch.ones(3) / 3**0.5))
    assert matching_loss(seen, near, scale, true) > matching_loss(seen, far, scale, true) + 0.05
    true[0, 3] = True
    assert matching_loss(seen, near, scale, true) < matching_loss(seen, far, scale, true) + 0.01


@pytest.mark.nightly
def test_a_second_guide_starts_from_the_reader_of_the_first_which_rests_until_the_eye_has_learnt_to_see(
    tmp_path: Path,
) -> None:
    first = small_clip(tmp_path / "pools")
    reader = {name: torch.full_like(value, 0.01) for name, value in clip.reader_of(first.average.tensors).items()}
    plan = replace(first.plan, seed=7, resting=2)
    second = clip.ClipTrainer(plan, first.pool, first.test, first.tokenizer, reader)

    def now() -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        weights = {name: value.clone() for name, value in second.pupil.dual.state_dict().items()}
        words = {name: value for name, value in weights.items() if name.startswith("text_")}
        return words, {name: value for name, value in weights.items() if name.startswith("vision_")}

    words, eye = now()
    assert same(words, {name: value for name, value in reader.items() if name.startswith("text_")})
    second.advance()
    second.advance()
    rested, learnt = now()
    assert same(words, rested)
    assert not same(eye, learnt)
    second.advance()
    assert not same(words, now()[0])


@pytest.mark.nightly
def test_the_first_guide_learns_to_see_what_the_second_one_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`train clip` leaves an ordinary guide that has the second one's reader, and a card that says so."""
    from safetensors.torch import load_file

    other = small_clip(tmp_path / "pools")
    publish(lambda directory: clip.export(other, directory), tmp_path / "out" / "clip2")
    monkeypatch.setattr(clip, "FIRST_PLAN", replace(clip.smaller(clip.FIRST_PLAN, 2), build=tiny_dual, resting=2))
    monkeypatch.setattr(train, "FIRSTING", PoolPlan(count=32, size=64, seed=1, group=4))
    monkeypatch.setattr(metrics, "make_exam", lambda: other.test)
    train.main(["clip", "--work", str(tmp_path), "--out", str(tmp_path / "out")])
    before, after = (load_file(tmp_path / "out" / name / "model.safetensors") for name in ("clip2", "clip"))
    assert before.keys() == after.keys()
    assert {name for name in before if not same(before[name], after[name])}.isdisjoint(
        name for name in before if name.startswith("text_")
    )
    assert not same(before["visual_projection.weight"], after["visual_projection.weight"])
    said = (tmp_path / "out" / "clip" / "README.md").read_text()
    assert "began as another guide's and rested for 2 steps" in said


@pytest.mark.nightly
def test_batches_hold_captions_in_which_two_things_have_changed_places(tmp_path: Path) -> None:
    trainer = small_clip(tmp_path / "pools", relations=1.0)
    batch = trainer.batch(0)
    contrary = batch.true[:, len(batch.views) :]
    assert contrary.shape[1] == len(batch.views)
    assert contrary.float().mean() < 0.25  # now and then such a caption says too little to be wrong


@pytest.fixture(scope="module")
def line_up() -> metrics.LineUp:
    """One ground, every thing: at least 64 rendered pictures that no training saw."""
    return metrics.make_line_up(1, 77)


@pytest.mark.parametrize("name", ["clip", "clip2", "clip3", "judge"])
def test_shipped_dual_encoder_names_things_as_its_card_says(name: str, line_up: metrics.LineUp) -> None:
    from transformers import AutoTokenizer, VisionTextDualEncoderModel

    figures = json.loads((WEIGHTS / name / "figures.json").read_text())
    model = flatten_pooling(VisionTextDualEncoderModel.from_pretrained(WEIGHTS / name, dtype=torch.float32)).eval()
    right = metrics.name_things([(model, AutoTokenizer.from_pretrained(WEIGHTS / name))], line_up).float().mean()
    assert f"{figures['things']:.3f}" in (WEIGHTS / name / "README.md").read_text()
    assert right >= figures["things"] - 0.15
    assert figures["things"] >= 0.6


@pytest.mark.parametrize("side", [64, 128])
@pytest.mark.parametrize(("name", "kind"), [("vqgan", "VQModel"), ("taesd", "AutoencoderTiny")])
def test_shipped_decoders_reconstruct_as_their_cards_say(name: str, kind: str, side: int) -> None:
    import diffusers

    from text2art_nb.training.views import to_tensor

    promised = json.loads((WEIGHTS / name / "figures.json").read_text())[f"psnr_{side}"]
    model = getattr(diffusers, kind).from_pretrained(WEIGHTS / name, torch_dtype=torch.float32).eval()
    scenes = world.sample_scenes(np.random.default_rng(78), 12)
    wanted = to_tensor(world.render_many(scenes, side)) * 2 - 1
    with torch.no_grad():
        made = model.decode(model.encode(wanted).latents).sample.clamp(-1, 1)
    psnr = -10 * ((made - wanted) / 2).square().mean((1, 2, 3)).log10().mean()
    assert f"{promised:.2f}" in (WEIGHTS / name / "README.md").read_text()
    assert psnr >= promised - 2.0


def test_the_shipped_vqgan_is_clean_at_any_size_and_shape() -> None:
    """A large or wide picture is rebuilt as well as a small one: nothing in the decoder depends on where a code is."""
    from diffusers import VQModel

    from text2art_nb.training.views import to_tensor

    model = VQModel.from_pretrained(WEIGHTS / "vqgan", torch_dtype=torch.float32).eval()
    scenes = world.sample_scenes(np.random.default_rng(79), 6)
    errors = {}
    for size in ((128, 128), (256, 256), (256, 112)):
        wanted = to_tensor(world.render_many(scenes, size)) * 2 - 1
        with torch.no_grad():
            made = model.decode(model.encode(wanted).latents).sample.clamp(-1, 1)
        errors[size] = float(((made - wanted) / 2).square().mean())
    assert max(errors[256, 256], errors[256, 112]) < 1.3 * errors[128, 128]


def test_the_shipped_classifier_names_things_as_its_card_says(line_up: metrics.LineUp) -> None:
    from text2art_nb.training.views import to_tensor

    figures = json.loads((WEIGHTS / "classifier" / "figures.json").read_text())
    with torch.no_grad():
        found = classifier.name_things(classifier.load(WEIGHTS / "classifier"), to_tensor(line_up.pictures)).argmax(1)
    right = (found == torch.arange(len(world.ATTRIBUTES["thing"]))).float().mean()
    assert f"{figures['things']:.3f}" in (WEIGHTS / "classifier" / "README.md").read_text()
    assert right >= figures["things"] - 0.1


def test_shipped_weights_fit_in_the_package() -> None:
    assert sum(file.stat().st_size for file in WEIGHTS.rglob("*") if file.is_file()) <= 40_000_000


@pytest.mark.nightly
def test_a_pool_is_rendered_once(tmp_path: Path) -> None:
    plan = PoolPlan(count=8, size=32, seed=1)
    first: Pool = load_pool(plan, tmp_path)
    stamp = (tmp_path / plan.name / "pictures.npy").stat().st_mtime_ns
    again = load_pool(replace(plan), tmp_path)
    assert (tmp_path / plan.name / "pictures.npy").stat().st_mtime_ns == stamp
    assert np.array_equal(first.pictures, again.pictures)
    assert first.scenes == again.scenes


@pytest.mark.nightly
def test_two_trainings_that_want_a_pool_at_once_get_the_same_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = PoolPlan(count=40, size=32, seed=1)
    (tmp_path / f"{plan.name}.torn").mkdir()  # of a third one, which was killed
    made = []
    make = data._make_pool
    monkeypatch.setattr(data, "_make_pool", lambda *given: [made.append(given), time.sleep(0.2), make(*given)])
    with ThreadPoolExecutor(2) as both:
        one, other = both.map(lambda _: load_pool(plan, tmp_path), range(2))
    assert len(made) == 1
    assert np.array_equal(one.pictures, other.pictures)
    assert np.array_equal(one.pictures[-1], world.render(one.scenes[-1], 32))
    assert not (tmp_path / f"{plan.name}.torn").exists()


@pytest.mark.nightly
def test_a_pool_of_an_older_world_is_not_taken_for_todays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = PoolPlan(count=8, size=32, seed=1)
    load_pool(plan, tmp_path)
    monkeypatch.setattr(data, "fingerprint", lambda: "00000000")
    load_pool(plan, tmp_path)
    assert len(list(tmp_path.glob("*/pictures.npy"))) == 2


@pytest.mark.nightly
def test_a_disk_without_room_for_the_pictures_is_one_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(RunError, match=r"need 0.1 GB in .*No space left.*--work"):
        load_pool(PoolPlan(count=250, size=400, seed=1), tmp_path)
    assert not list(tmp_path.glob("*/*"))


@pytest.mark.nightly
def test_without_resume_nothing_of_an_older_training_is_left_to_go_on_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object) -> None:
        raise RunError("killed")

    monkeypatch.setattr(train, "JOBS", {"one": killed, "other": killed})
    older = [tmp_path / name / "checkpoint.pt" for name in train.JOBS]
    for path in older:
        path.parent.mkdir()
        path.touch()
    for flag, left in (("--resume", 2), ("--export-only", 2), ("--threads=1", 0)):
        with pytest.raises(SystemExit, match="one: killed"):
            train.main(["all", flag, "--work", str(tmp_path)])
        assert sum(path.exists() for path in older) == left


@pytest.mark.nightly
def test_a_new_training_that_is_told_to_resume_begins_a_new_curve(tmp_path: Path) -> None:
    (tmp_path / "curve.jsonl").write_text('{"step": 9000}\n')
    run(Falling(), tmp_path, resume=True)
    assert [point["step"] for point in read_curve(tmp_path / "curve.jsonl")] == [3]


@pytest.mark.nightly
def test_a_training_that_can_not_begin_gives_up_nothing_of_an_older_one(tmp_path: Path) -> None:
    older = tmp_path / "proposal" / "checkpoint.pt"
    older.parent.mkdir()
    older.touch()
    with pytest.raises(SystemExit, match="train clip first"):
        train.main(["proposal", "--work", str(tmp_path)])
    assert older.exists()


@pytest.mark.nightly
def test_a_training_leaves_the_installed_models_as_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiny, "TINY_PLAN", tiny.smaller(tiny.TINY_PLAN, 1))
    few_pictures(monkeypatch)
    before = {path: path.stat().st_mtime_ns for path in WEIGHTS.rglob("*")}
    train.main(["taesd", "--work", str(tmp_path)])
    assert (tmp_path / "weights" / "taesd" / "config.json").is_file()
    assert {path: path.stat().st_mtime_ns for path in WEIGHTS.rglob("*")} == before


@pytest.mark.nightly
@pytest.mark.parametrize(("name", "first"), [("clip2", "clip3"), ("vqgan", "clip"), ("proposal", "clip")])
def test_a_training_says_which_one_has_to_come_first(tmp_path: Path, name: str, first: str) -> None:
    with pytest.raises(SystemExit, match=f"{name}: it needs the {first}, .*: train {first} first, or copy"):
        train.main([name, "--work", str(tmp_path)])


@pytest.mark.nightly
def test_a_vqgan_goes_on_with_the_eye_that_it_began_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vqgan, "VQGAN_PLAN", vqgan.smaller(vqgan.VQGAN_PLAN, 2))
    monkeypatch.setattr(vqgan.VqganTrainer, "measure", lambda *_: {})
    monkeypatch.setattr(train, "publish", lambda *_: None)
    few_pictures(monkeypatch)
    guide = small_clip(tmp_path / "pools")
    eye, command = tmp_path / "vqgan" / "eye", ["vqgan", "--minutes", "0", "--work", str(tmp_path)]

    def teach() -> bytes:
        guide.average.tensors["logit_scale"].add_(1)
        publish(lambda directory: clip.export(guide, directory), tmp_path / "weights" / "clip")
        return (tmp_path / "weights" / "clip" / "model.safetensors").read_bytes()

    first = teach()
    train.main(command)
    second = teach()
    train.main([*command, "--resume"])
    assert (eye / "model.safetensors").read_bytes() == first
    shutil.rmtree(eye)  # as if it had begun without one
    train.main([*command, "--resume"])
    assert not eye.exists()
    train.main(command)
    assert (eye / "model.safetensors").read_bytes() == second
