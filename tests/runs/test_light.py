"""model="light": any word without a GPU, in few views, from a proposal where that knows the words."""

from pathlib import Path

import pytest

from tests import tiny_models
from text2art_nb.cli import model_table
from text2art_nb.errors import SettingsError
from text2art_nb.models import find
from text2art_nb.runs import costs
from text2art_nb.runs.estimate import Paces
from text2art_nb.runs.light_offer import light_offer
from text2art_nb.runs.needed_weights import to_fetch
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings, stages
from text2art_nb.settings.presets import LIGHT_EYES, LIGHT_PRESETS
from text2art_nb.studio.model_choices import model_choices, names_of, offer_for
from text2art_nb.studio.prompt_preview import describe_prompts

UNKNOWN, KNOWN = "a zeppelin over a castle", "a red castle in the snow"


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache of weights."""
    import huggingface_hub.constants

    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture
def fetched(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache that has what light needs: small stand-ins of TinyCLIP and TAESD, in their places; and no network."""
    monkeypatch.setenv("TEXT2ART_OFFLINE", "1")
    tiny_models.save_clip(cache / "clip" / find("tinyclip").name.replace("/", "--"), size=32)
    tiny = tiny_models.save_taesd(cache / "taesd" / find("taesd").name.replace("/", "--"))
    tensors = find("taesd").files[-1]
    tiny_models.fill_up(tiny / tensors.path, tensors.size or 0)
    return cache


def light(prompt: str = UNKNOWN, **changes: object) -> Settings:
    return Settings(**{"prompts": prompt, "model": "light", "seed": 1, **changes})


@pytest.mark.parametrize("quality", LIGHT_PRESETS)
def test_a_quality_means_few_views_of_tinyclip_with_dropped_patches(quality: str) -> None:
    found, row = light(quality=quality).resolved(), LIGHT_PRESETS[quality]
    assert found.perceptors == LIGHT_EYES
    assert (found.iterations, found.num_cuts, found.token_drop) == (row.iterations, row.num_cuts, row.token_drop)
    assert found.model == "light"
    assert found.resolved() == found
    assert Settings.from_recipe(found.to_recipe()).resolved() == found


def test_what_is_given_beats_what_light_means() -> None:
    found = light(token_drop=0.0, num_cuts=20, perceptors="RN50").resolved()
    assert (found.token_drop, found.num_cuts, found.perceptors) == (0.0, 20, ("RN50",))


@pytest.mark.parametrize("model", ["embedded", "full"])
def test_other_models_leave_no_patches_out(model: str) -> None:
    assert Settings(prompts=KNOWN, model=model).resolved().token_drop == 0


@pytest.mark.parametrize(
    ("prompt", "start"),
    [
        (KNOWN, "proposal"),
        (UNKNOWN, "noise"),
        (f"{KNOWN} | zeppelin:-0.5", "proposal"),  # what is only avoided needn't be painted
        (f"{KNOWN} ^ a zeppelin", "noise"),
        (f"{KNOWN} | a zeppelin", "noise"),
        ("blurry:-1 | a castle:0", "noise"),
    ],
)
def test_it_starts_from_a_proposal_where_that_knows_every_word(prompt: str, start: str) -> None:
    assert light(prompt).resolved().start == start
    assert light(prompt, start="noise").resolved().start == "noise"


@pytest.mark.parametrize(
    ("drawer", "needed"),
    [
        ("vqgan", {"tinyclip"}),
        ("pixel", {"tinyclip"}),
        ("fft", {"tinyclip"}),
        ("strokes", {"tinyclip"}),
        ("taesd", {"tinyclip", "taesd"}),
        ("vqgan -> taesd", {"tinyclip", "taesd"}),
    ],
)
def test_little_is_fetched(cache: Path, drawer: str, needed: set[str]) -> None:
    assert {row.name for row in to_fetch(light(drawer=drawer))} == {find(name).name for name in needed}


@pytest.mark.parametrize("drawer", ["turbo", "generator", "vqgan -> turbo"])
def test_a_drawer_without_light_weights_is_refused_in_a_sentence(drawer: str) -> None:
    with pytest.raises(SettingsError, match=r"no light weights|needs a model"):
        light(drawer=drawer)


def test_another_stage_may_be_light_where_each_has_its_own() -> None:
    found = Settings(prompts=UNKNOWN, drawer="turbo -> pixel", model="sd-turbo -> light").resolved()
    assert stages.model_of(found.model, 1) == "light"


@pytest.mark.parametrize("prompt", [UNKNOWN, KNOWN])
@pytest.mark.parametrize("drawer", ["vqgan", "taesd", "pixel", "fft", "strokes", "vqgan -> pixel"])
def test_a_sentence_becomes_a_picture(fetched: Path, drawer: str, prompt: str) -> None:
    run = Run(light(prompt, drawer=drawer, size=(64, 48), iterations=4, num_cuts=3, strokes=12))
    assert len(list(run)) == 4
    assert run.artwork.image.size == (64, 48)
    assert run.artwork.settings.model == "light"


def test_the_offer_says_what_to_fetch_and_how_long_it_takes(cache: Path) -> None:
    offer = light_offer(Settings(prompts=UNKNOWN, device="cpu"), Paces(cache / "paces.json"))
    assert offer is not None
    assert (offer.words, offer.megabytes) == (("zeppelin",), 94)
    assert offer.sentence.startswith("fetch 94 MB and draw 'zeppelin': about ")
    assert offer.settings.resolved().perceptors == LIGHT_EYES
    seconds = offer.estimate.seconds + offer.estimate.start_seconds
    assert 30 < seconds < 600


def test_settings_that_are_resolved_already_get_the_same_offer(cache: Path) -> None:
    asked = Settings(prompts=UNKNOWN, device="cpu", seed=3)
    first, second = (light_offer(each, Paces(cache / "paces.json")) for each in (asked, asked.resolved()))
    assert first is not None
    assert second is not None
    assert second.settings.resolved().with_(size=None) == first.settings.resolved().with_(size=None)


def test_what_is_here_already_needs_no_fetching(fetched: Path) -> None:
    assert offer_for(Settings(prompts=UNKNOWN, device="cpu")).startswith("draw 'zeppelin': about ")


@pytest.mark.parametrize(
    "settings",
    [
        {"prompts": KNOWN},
        {"prompts": UNKNOWN, "device": "cuda"},
        {"prompts": UNKNOWN, "model": "light"},
        {"prompts": UNKNOWN, "model": "full"},
        {"prompts": UNKNOWN, "drawer": "turbo"},
    ],
)
def test_there_is_no_offer_where_there_is_nothing_to_gain(cache: Path, settings: dict[str, str]) -> None:
    assert offer_for(Settings(**{"device": "cpu", **settings})) == ""


def test_many_unknown_words_are_counted(cache: Path) -> None:
    assert "'zeppelin', 'Vienna', 'Danube' and 2 more" in offer_for(
        Settings(prompts="zeppelin Vienna Danube Budapest gramophone", device="cpu")
    )


def test_the_reading_passes_the_offer_on(cache: Path) -> None:
    said = describe_prompts(UNKNOWN, True, offer="fetch 94 MB & draw")
    assert "fetch 94 MB &amp; draw</span>: More settings, Model, light" in said
    assert "Model, full" in describe_prompts(UNKNOWN, True)


def test_the_panel_can_choose_it_where_it_can_draw() -> None:
    for drawer in ("vqgan", "pixel", "taesd", "fft", "strokes", "vqgan -> pixel"):
        assert model_choices(Settings(prompts="a", drawer=drawer))[:3] == ["embedded", "light", "full"]
    assert "light" not in model_choices(Settings(prompts="a", drawer="turbo"))
    assert names_of("clip")[0] == "robust"
    assert {"tinyclip", "robust-ViT-B/32", "robust-ViT-L/14", "pickscore", "datacomp-ViT-L/14"} <= set(names_of("clip"))


def test_a_guess_counts_the_patches_that_are_left_out() -> None:
    whole, half = (costs.time(light(token_drop=drop).resolved())[1] for drop in (0.0, 0.5))
    assert half == pytest.approx(0.6 * whole)
    resnet = [costs.time(light(token_drop=drop, perceptors="RN50").resolved())[1] for drop in (0.0, 0.5)]
    assert resnet[0] == resnet[1]
    assert costs.image_encoder("TinyCLIP-40M/32") != costs.image_encoder("ViT-B/32")
    assert costs.image_encoder("wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M") == costs.image_encoder("tinyclip")


# -- robust, and the other new names


@pytest.mark.parametrize("quality", ["draft", "normal", "better", "best", "supreme"])
def test_robust_means_adversarially_trained_eyes(quality: str) -> None:
    found = Settings(prompts="a", model="full", perceptors="robust", quality=quality).resolved()
    assert "robust-ViT-B/32" in (found.perceptors or ())
    assert {find(name).kind for name in found.perceptor_names} == {"clip"}
    assert all("robust" in find(name).note for name in found.perceptor_names)
    assert found.resolved() == found


def test_robust_has_a_weight_cuts_and_company() -> None:
    found = Settings(prompts="a", model="full", perceptors="Robust:0.5:12, RN50").resolved()
    assert found.perceptors == ("robust-ViT-B/32:0.5:12", "robust-ViT-L/14:0.5:12", "RN50")


def test_a_row_in_open_clips_layout_has_its_config_first_and_openais_words() -> None:
    for name in ("robust-ViT-B/32", "robust-ViT-L/14"):
        config, words, tensors = find(name).files
        assert config.path == "open_clip_config.json"
        assert "openai/clip-vit-base-patch32" in words.url
        assert [each.path for each in tensors.choices()] == [
            "open_clip_model.safetensors",
            "open_clip_pytorch_model.bin",
        ]


def test_pickscore_reads_with_the_tokenizer_of_the_model_that_it_was_made_of() -> None:
    urls = {file.path: file.url for file in find("pickscore").files}
    assert "CLIP-ViT-H-14-laion2B" in urls["tokenizer.json"]
    assert "PickScore" in urls["config.json"]
    assert "PickScore" in urls["model.safetensors"]


def test_pickscore_ranks_where_it_is_here_and_nobody_is_named(fetched: Path, tmp_path: Path) -> None:
    from text2art_nb.optimization.referee import GUIDES, usual_referee

    asked = Settings(prompts="a", model="full", candidates=4).resolved()
    assert usual_referee(asked) in (GUIDES, find("tinyclip").name)
    tiny_models.save_clip(fetched / "clip" / find("pickscore").name.replace("/", "--"))
    assert usual_referee(asked) == find("pickscore").name


def test_the_list_of_models_explains_the_names_that_stand_for_several(cache: Path) -> None:
    said = model_table.text()
    assert "model=light is vqgan: embedded, taesd: taesd; it looks with tinyclip" in said
    assert "perceptors=robust is robust-ViT-B/32, robust-ViT-L/14" in said
    for name in ("chs20/fare2-clip", "yuvalkirstain/PickScore_v1", "TinyCLIP-40M/32", "TinyCLIP-39M/16"):
        assert name in said
