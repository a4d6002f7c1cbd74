"""The turbo drawer: noise is what is drawn with, words reach the UNet, the real pipelines would paint the same."""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor

from tests import tiny_models
from tests.bench import turbo_memory
from text2art_nb import drawers
from text2art_nb.drawers import one_step
from text2art_nb.drawers.turbo import TurboDrawer, norm_prior, on_the_sphere
from text2art_nb.errors import ModelError
from text2art_nb.optimization import rng
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.prompts import Prompt, parse_prompts

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def tiny_xl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_sd_turbo(tmp_path_factory.mktemp("tiny") / "sdxl-turbo", xl=True)


def build(settings: Settings, seed: int = 0) -> TurboDrawer:
    built = drawers.build(settings, CPU, torch.Generator().manual_seed(seed))
    assert isinstance(built, TurboDrawer)
    return built


def told(drawer: TurboDrawer, line: str, progress: float = 0.0) -> Tensor:
    """What the UNet hears of a prompt line, [L,D]."""
    drawer.hear(parse_prompts(line))
    drawer.anneal(progress)
    return drawer._words.tokens[0]


# -- the picture


def test_the_gradient_reaches_the_noise_and_nothing_else(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    drawer.render().square().sum().backward()
    assert list(dict(drawer.named_parameters())) == ["noise"]
    assert drawer.noise.grad is not None
    assert drawer.noise.grad.abs().min() > 0
    model = drawer._model
    assert all(part.grad is None for network in (model.unet, model.vae) for part in network.parameters())


@pytest.mark.parametrize("xl", [False, True])
def test_it_makes_of_noise_what_diffusers_own_pipeline_makes(tiny_turbo: Path, tiny_xl: Path, xl: bool) -> None:
    import diffusers

    directory = tiny_xl if xl else tiny_turbo
    extra: dict[str, Any] = {} if xl else {"safety_checker": None, "feature_extractor": None}
    kind = diffusers.StableDiffusionXLPipeline if xl else diffusers.StableDiffusionPipeline
    pipeline = kind.from_pretrained(directory, local_files_only=True, **extra)
    pipeline.set_progress_bar_config(disable=True)
    noise = torch.randn(1, 4, 6, 10, generator=torch.Generator().manual_seed(3))
    theirs = pipeline(
        "a cat", num_inference_steps=1, guidance_scale=0.0, latents=noise, width=80, height=48, output_type="latent"
    ).images
    model = one_step.load(directory, CPU, torch.float32)
    ours = model.latents(noise, model.readers.hear([Prompt("a cat")]).at(0.0))
    torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("predicts", ["epsilon", "v_prediction"])
def test_the_one_step_is_the_schedulers(predicts: str) -> None:
    from diffusers import EulerAncestralDiscreteScheduler

    scheduler = EulerAncestralDiscreteScheduler(timestep_spacing="trailing", prediction_type=predicts)
    step = one_step.one_step(scheduler)
    noise, answer = torch.randn(2, 1, 4, 5, 5, generator=torch.Generator().manual_seed(0))
    sample = noise * scheduler.init_noise_sigma
    shown = scheduler.scale_model_input(sample, scheduler.timesteps[0])
    torch.testing.assert_close(step.before(noise), shown)
    for seed in (0, 1):  # the sampler's own noise has no weight in a single step
        chance = torch.Generator().manual_seed(seed)
        scheduler._step_index = 0
        after = scheduler.step(answer, scheduler.timesteps[0], sample, generator=chance).prev_sample
        torch.testing.assert_close(step.after(noise, answer), after, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("spacing", ["leading", "linspace", "trailing"])
def test_the_one_step_is_the_last_of_the_schedule_whatever_a_config_says(spacing: str) -> None:
    """With `leading` the UNet would be told of timestep 0 or 1, where there is next to no noise."""
    from diffusers import EulerAncestralDiscreteScheduler

    shape = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    trained = one_step.one_step(EulerAncestralDiscreteScheduler(**shape, timestep_spacing="trailing"))
    given = EulerAncestralDiscreteScheduler(**shape, timestep_spacing=spacing, steps_offset=1)
    assert one_step.one_step(given) == trained
    assert trained.timestep == 999
    assert trained.sigma == pytest.approx(14.6146, abs=1e-3)


def test_the_last_picture_is_the_full_vaes(tiny: Tiny) -> None:
    run = Run(tiny(drawer="turbo", iterations=2, size=(80, 48)))
    frames = list(run)
    drawer = run._prepare().drawer
    assert isinstance(drawer, TurboDrawer)
    with torch.no_grad():
        latents = drawer._latents()
        painted = drawer._model.vae.decode(latents / drawer._model.vae.config["scaling_factor"]).sample
    torch.testing.assert_close(drawer.finish(), (painted / 2 + 0.5).clamp(0, 1))
    assert run.artwork.image.tobytes() != frames[-1].image.tobytes()


def test_candidates_do_not_touch_each_other(tiny: Tiny) -> None:
    together = build(tiny(drawer="turbo", candidates=3))
    alone = build(tiny(drawer="turbo"))
    with torch.no_grad():
        alone.noise.copy_(together.noise[1:2])
    together.render().square().sum().backward()
    alone.render().square().sum().backward()
    assert together.noise.grad is not None
    assert alone.noise.grad is not None
    torch.testing.assert_close(together.noise.grad[1:2], alone.noise.grad, atol=1e-4, rtol=1e-4)


# -- the norm prior


def test_the_prior_pulls_the_length_of_the_noise_to_that_of_noise() -> None:
    noise = torch.randn(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    noise *= torch.tensor([0.3, 1.0, 2.0]).view(-1, 1, 1, 1)
    noise.requires_grad_()
    sgd = torch.optim.SGD([noise], lr=0.1)
    for _ in range(200):
        sgd.zero_grad()
        norm_prior(noise).sum().backward()
        sgd.step()
    lengths = noise.detach().flatten(1).norm(dim=1)
    torch.testing.assert_close(lengths, torch.full((3,), math.sqrt(255)), atol=1e-2, rtol=0)
    assert norm_prior(noise).abs().max() < 1e-3


def test_the_prior_is_renos_but_for_a_constant() -> None:
    noise = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(0)) * 1.2
    length = noise.flatten(1).norm(dim=1)
    theirs = 0.5 * length**2 - 255 * length.log()
    least = 255 / 2 - 255 * math.log(math.sqrt(255))
    torch.testing.assert_close(norm_prior(noise), theirs - least, atol=1e-2, rtol=0)


def test_the_loop_counts_the_prior_and_holds_gradients_short(tiny: Tiny) -> None:
    run = Run(tiny(drawer="turbo", iterations=1))
    frame = next(run)
    drawer = run._prepare().drawer
    assert isinstance(drawer, TurboDrawer)
    assert frame.losses["norm"] == pytest.approx(0.01 * float(norm_prior(run_start(run))), rel=1e-3)
    assert drawer.noise.grad is not None
    assert drawer.noise.grad.norm() <= 0.1 * 1.001


def run_start(run: Run) -> Tensor:
    """The noise that a run began with."""
    loop = run._prepare()
    return build(loop.settings, seed=rng.generator(loop.settings.seed or 0, 0).initial_seed()).noise.detach()


# -- words


def test_prompts_are_blended_by_their_weights(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    cat, dog = told(drawer, "a cat"), told(drawer, "a dog")
    torch.testing.assert_close(told(drawer, "a cat:3 | a dog:1"), cat * 0.75 + dog * 0.25)


def test_negative_prompts_and_pictures_are_the_perceptors_alone(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    assert torch.equal(told(drawer, "a cat | fog:-2"), told(drawer, "a cat"))
    drawer.hear([Prompt("", image="data:image/png;base64,")])
    assert torch.equal(drawer._words.tokens, drawer._model.readers.hear(()).at(0).tokens)


def test_a_schedule_is_blended_as_the_perceptors_blend_it(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    seed, flower = told(drawer, "a seed"), told(drawer, "a flower")
    line = "a seed ^ a flower"
    assert torch.equal(told(drawer, line, 0.0), seed)
    torch.testing.assert_close(told(drawer, line, 0.5), (seed + flower) / 2)
    assert torch.equal(told(drawer, line, 1.0), flower)


def test_a_text_of_more_tokens_than_the_encoder_takes_is_read_to_its_end(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    long = "a very long sentence about a cat who sat on a "
    one, other = told(drawer, long + "mat"), told(drawer, long + "hat")
    assert one.shape == (64, 32)  # two pieces of the tiny encoder's 32 tokens
    assert not torch.equal(one, other)
    assert told(drawer, f"{long} mat | a dog").shape == (64, 32)


def test_a_prompt_that_is_steered_reaches_the_unet(tiny: Tiny) -> None:
    run = Run(tiny(drawer="turbo", iterations=4))
    next(run)
    drawer = run._prepare().drawer
    assert isinstance(drawer, TurboDrawer)
    before, picture = drawer._words, drawer.render()
    run.steer(prompts="a green house")
    next(run)
    assert torch.equal(drawer._words.tokens, drawer._model.readers.hear([Prompt("a green house")]).at(0).tokens)
    assert not torch.equal(drawer._words.tokens, before.tokens)
    assert not torch.equal(drawer.render(), picture)


def test_sdxl_hears_the_whole_text_and_the_size(tiny: Tiny, tiny_xl: Path) -> None:
    drawer = build(tiny(drawer="turbo", model=str(tiny_xl)))
    words = drawer._words
    assert words.whole is not None
    assert (words.tokens.shape, words.whole.shape) == ((1, 32, 64), (1, 16))
    other = one_step.Words(words.tokens, words.whole + 1)
    noise = drawer.noise.detach()
    assert not torch.equal(drawer._model.latents(noise, other), drawer._model.latents(noise, words))


# -- starting, going on


def test_it_starts_near_a_picture(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo", candidates=2))
    picture = torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(5))
    wanted = drawer._coder.encode(one_step_size(picture, drawer)).latents

    def away() -> Tensor:
        with torch.no_grad():
            return (drawer._latents() - wanted).square().mean((1, 2, 3))

    before, noise = away(), drawer.noise.detach().clone()
    drawer.start_from(picture)
    assert (away() < 0.9 * before).all()
    assert not torch.equal(drawer.noise[0], drawer.noise[1])
    torch.testing.assert_close(drawer.noise.detach(), on_the_sphere(drawer.noise.detach()))
    assert not torch.equal(drawer.noise, noise)
    assert drawer.noise.grad is None


def one_step_size(picture: Tensor, drawer: TurboDrawer) -> Tensor:
    from text2art_nb.imaging.tensors import resize

    return resize(picture, drawer.canvas) * 2 - 1


def test_a_run_that_is_gone_on_with_ends_in_the_same_bytes(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(drawer="turbo", prompts="a seed ^ a flower | fog:-0.3", iterations=6, candidates=2)
    whole = Run(settings)
    for frame in whole:
        if frame.iteration == 3:
            whole.steer(prompts="a tree")
        if frame.iteration == 4:
            whole.save(tmp_path / "checkpoint")
    rest = Run.load(tmp_path / "checkpoint")
    assert [frame.iteration for frame in rest] == [5, 6]
    assert rest.artwork.image.tobytes() == whole.artwork.image.tobytes()
    assert Run(whole.settings).settings.keep == "best"


def test_one_candidate_can_be_gone_on_with(tiny: Tiny) -> None:
    run = Run(tiny(drawer="turbo", iterations=4, candidates=3))
    next(run)
    run.steer(candidate=2)
    assert len(list(run)) == 3
    assert len(run.candidates) == 1


# -- settings


def test_without_being_told_it_keeps_the_best_at_its_own_size_in_renos_steps() -> None:
    resolved = Settings(prompts="a cat", drawer="turbo").resolved()
    assert (resolved.keep, resolved.iterations, resolved.size) == ("best", 50, (512, 512))
    assert (resolved.model, resolved.start) == ("sd-turbo", "noise")
    assert resolved.perceptors == ("ViT-B/32", "ViT-B/16")
    assert Settings(prompts="a cat", drawer="turbo", keep="last").resolved().keep == "last"
    assert resolved.resolved() == resolved


@pytest.mark.parametrize(("aspect", "size"), [("portrait", (448, 576)), ("widescreen", (704, 384))])
def test_its_sizes_are_the_shapes_of_the_aspects_in_multiples_of_64(aspect: str, size: tuple[int, int]) -> None:
    assert Settings(prompts="a cat", drawer="turbo", aspect=aspect).picture_size == size


def test_a_small_picture_is_drawn_at_the_models_size_and_shrunk(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo", size=(32, 32)))
    assert drawer.canvas == (64, 64)
    assert drawer.enlarge(drawer.finish(), (32, 32)).shape == (1, 3, 32, 32)


# -- loading


def test_half_the_bytes_are_read_where_there_are_half_files(tmp_path: Path) -> None:
    directory = tiny_models.save_sd_turbo(tmp_path / "half", half=True)
    assert not list(directory.glob("unet/diffusion_pytorch_model.safetensors"))
    model = one_step.load(directory, CPU, torch.float32)
    assert model.unet.dtype == model.vae.dtype == torch.float32


def test_a_bin_is_not_even_opened(tmp_path: Path) -> None:
    directory = tiny_models.save_sd_turbo(tmp_path / "model")
    weights = directory / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ModelError, match="no one-step diffusion model"):
        one_step.load(directory, CPU, torch.float32)


@pytest.mark.parametrize(("part", "ending"), [("unet", "conv_in.weight"), ("text_encoder", "fc1.weight")])
def test_a_part_that_lacks_some_of_its_weights_is_refused(tmp_path: Path, part: str, ending: str) -> None:
    directory = tiny_models.save_sd_turbo(tmp_path)
    [file] = (directory / part).glob("*.safetensors")
    tiny_models.without_a_weight(file, ending)
    with pytest.raises(ModelError, match=rf"{part} holds no \w+ as its config\.json says: \S*{ending} is missing"):
        one_step.load(directory, CPU, torch.float32)


def test_an_embedded_model_is_no_diffusion_model(tiny: Tiny, tiny_clip: Path) -> None:
    with pytest.raises(ModelError, match=r"model_index\.json"):
        build(tiny(drawer="turbo", model=str(tiny_clip)))


# -- half precision and memory


def test_small_gradients_survive_half_precision() -> None:
    start = torch.ones(2, 5, requires_grad=True)
    pull = torch.tensor([[1e-9], [3e-3]]).expand(2, 5)
    first, last = one_step.scaled_gradients(torch.float16)
    last((first(start).half() * 2).float()).backward(pull)
    assert start.grad is not None
    torch.testing.assert_close(start.grad, pull * 2, rtol=1e-3, atol=0)
    lost = torch.ones(2, 5, requires_grad=True)
    (lost.half() * 2).float().backward(pull)
    assert lost.grad is not None
    assert lost.grad[0].abs().max() == 0


def test_a_float16_unet_moves_the_noise_as_a_float32_one_does(tiny: Tiny) -> None:
    drawer = build(tiny(drawer="turbo"))
    half = copy.copy(drawer._model)
    half.unet = copy.deepcopy(drawer._model.unet).half()
    gradients = []
    for model in (drawer._model, half):
        drawer._model = model
        drawer.noise.grad = None
        (drawer.render().square().sum() * 1e-7).backward()
        assert drawer.noise.grad is not None
        gradients.append(drawer.noise.grad.flatten())
    assert torch.cosine_similarity(*gradients, dim=0) > 0.99


def test_the_architectures_have_the_sizes_that_are_published() -> None:
    assert turbo_memory.parameters(turbo_memory.SD_TURBO) == pytest.approx(866e6, rel=0.001)
    assert turbo_memory.parameters(turbo_memory.SDXL_TURBO) == pytest.approx(2.567e9, rel=0.001)


def test_what_lives_is_counted() -> None:
    with turbo_memory.Counted() as counted:
        first = torch.zeros(1000)
        second = first + 1
        del first
        third = second.view(10, 100) * 2
    assert counted.peak == 8000
    assert counted.now == 8000
    assert third.shape == (10, 100)


@pytest.mark.nightly
@pytest.mark.slow
def test_full_size_fits_a_t4() -> None:
    found = turbo_memory.measured(turbo_memory.SD_TURBO, torch.float16)
    # Two CLIPs with what they see, CUDA and its workspaces take some 4 GB more.
    assert max(found["iteration"], found["last picture"]) < 15 - 4


def test_from_noise_it_can_be_held_near_a_picture(tiny: Tiny) -> None:
    picture = Image.new("RGB", (8, 8), "red")
    settings = tiny(drawer="turbo", start="noise", init_image=picture, init_weight_dist=1.0, iterations=2)
    assert [frame.losses["init_dist"] > 0 for frame in Run(settings)] == [True, True]
