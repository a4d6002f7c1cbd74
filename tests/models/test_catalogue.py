"""The rows hold together: every address is whole, every digest is one, every alias leads somewhere."""

import re
from urllib.parse import urlsplit

import pytest

from text2art_nb.errors import ModelError
from text2art_nb.models import ALIASES, CATALOGUE, File, find
from text2art_nb.models.weights import HUB, UNPINNED, is_commit

FILES = [choice for row in CATALOGUE.values() for file in row.files for choice in file.choices()]


def test_every_address_is_a_whole_one_over_https() -> None:
    for file in FILES:
        for url in (file.url, *file.mirrors):
            parts = urlsplit(url)
            assert parts.scheme == "https", url
            assert parts.netloc.count(".") >= 1, url
            assert len(parts.path) > 1, url


def test_every_published_digest_is_a_sha256() -> None:
    digests = [file.sha256 for file in FILES if file.sha256]
    assert len(digests) >= 20
    assert all(re.fullmatch(r"[0-9a-f]{64}", digest) for digest in digests)


def test_every_address_on_the_hub_names_a_commit_or_learns_it() -> None:
    """The rule of a pinned digest: it is of a pinned commit. No address follows a branch."""
    addresses = [url for file in FILES for url in (file.url, *file.mirrors) if url.startswith(f"{HUB}/")]
    commits = [url.removeprefix(f"{HUB}/").split("/")[3] for url in addresses]
    assert len(commits) > 100
    assert {commit for commit in commits if not is_commit(commit)} == {UNPINNED}


def test_every_digest_of_a_repository_is_of_the_commit_that_its_own_address_names() -> None:
    for row in CATALOGUE.values():
        for file in (choice for each in row.files for choice in each.choices()):
            if row.repository and file.sha256:
                assert is_commit(file.url.split("/resolve/")[1].split("/")[0]), file.url
                assert is_commit(row.revision), row.name


def test_few_commits_are_still_to_be_learned() -> None:
    """Those of which no project names one, or the beginning alone; whoever knows one writes it down."""
    unknown = {row.name for row in CATALOGUE.values() if row.repository and not is_commit(row.revision)}
    assert unknown == {
        "xvjiarui/taming-vq-f16-n16384",
        "caidas/swin2SR-classical-sr-x4-64",
        "wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M",
        "wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M",
        "chs20/FARE4-ViT-B-32-laion2B-s34B-b79K",
        "chs20/fare2-clip",
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        "yuvalkirstain/PickScore_v1",
    }


def test_no_address_elsewhere_follows_a_branch() -> None:
    for file in FILES:
        for url in (file.url, *file.mirrors):
            assert not {"main", "master", "HEAD"} & set(re.split(r"[/?=&]|%2F", url)), url


def test_the_published_files_have_their_own_digests() -> None:
    """The names of which a digest of another file stood here once, and refused every download."""
    tensors = {name: find(name).files[-1] for name in ("taesd", "taesdxl", "taesd3", "taef1", "sd-turbo", "sdxl-turbo")}
    assert {name: (file.size, file.sha256[:12]) for name, file in tensors.items()} == {  # type: ignore[index]
        "taesd": (9_793_292, "db169d69145e"),
        "taesdxl": (9_793_292, "ff4824aca94d"),
        "taesd3": (9_848_636, "6f79c1397cb9"),
        "taef1": (9_848_636, "47a6c2bff850"),
        "sd-turbo": (1_731_904_736, "40ec400881e2"),
        "sdxl-turbo": (None, "48fa46161a74"),
    }


def test_no_digest_stands_for_two_files() -> None:
    """A digest copied to the wrong row is of some other file."""
    named = {(file.path.rsplit("/", 1)[-1], file.sha256) for file in FILES if file.sha256}
    assert len({digest for _, digest in named}) == len(named)


def test_what_a_row_falls_back_to_is_of_its_kind_and_ready() -> None:
    assert find("full").fallbacks
    for row in CATALOGUE.values():
        for name in row.fallbacks:
            assert CATALOGUE[name].kind == row.kind
            assert CATALOGUE[name].loadable
            assert not CATALOGUE[name].fallbacks


def test_the_default_and_openais_archives_have_several_places() -> None:
    original = find(find("full").fallbacks[0])
    hosts = {urlsplit(url).netloc for file in original.files for url in (file.url, *file.mirrors)}
    assert len(hosts) >= 2
    assert all(len(file.mirrors) >= 2 and file.sha256 for file in original.files)
    for name in ("RN50", "RN50x16", "ViT-L-14.pt"):
        archive = find(name).files[-1]
        assert archive.mirrors
        assert f"/{archive.sha256}/" in archive.mirrors[0]


def test_no_file_leaves_its_directory() -> None:
    for file in FILES:
        assert not file.path.startswith(("/", "\\"))
        assert ".." not in file.path.split("/")


def test_openai_addresses_carry_their_own_digest() -> None:
    files = [file for file in FILES if "openaipublic" in file.url]
    assert len(files) == 8
    assert all(f"/{file.sha256}/" in file.url for file in files)


def test_every_row_says_what_a_user_must_know() -> None:
    for row in CATALOGUE.values():
        assert row.licence
        assert row.files
        assert row.size is not None
        assert row.size > 1_000
        assert bool(row.repository) == bool(row.revision)


@pytest.mark.parametrize("alias", ALIASES)
def test_every_alias_leads_to_a_row(alias: str) -> None:
    assert find(alias).name == ALIASES[alias]


@pytest.mark.parametrize("name", ["ViT-B/32", "vit-b/32", "ViT-B-32"])
def test_capitals_and_slashes_do_not_matter(name: str) -> None:
    assert find(name).name == "openai/clip-vit-base-patch32"


def test_pixrays_names_are_known() -> None:
    names = "imagenet_f16_16384 imagenet_f16_1024 openimages_f16_8192 wikiart_16384 wikiart_1024 coco faceshq sflckr"
    assert {find(name).kind for name in names.split()} == {"vqgan"}
    for name in ("RN50", "RN101", "RN50x4", "RN50x16", "ViT-B/32", "ViT-B/16", "ViT-L/14", "ViT-L/14@336px"):
        assert find(name).kind == "clip"


def test_nonsense_is_refused_without_a_wild_guess() -> None:
    with pytest.raises(ModelError, match="`python -m text2art_nb models` lists all"):
        find("qqqq-zzzz-1")


def test_alternatives_come_in_order() -> None:
    file = File("https://a.example/1", "1", otherwise=File("https://a.example/2", "2"))
    assert [choice.path for choice in file.choices()] == ["1", "2"]
