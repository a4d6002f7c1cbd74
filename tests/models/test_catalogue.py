"""The rows hold together: every address is whole, every digest is one, every alias leads somewhere."""

import re
from urllib.parse import urlsplit

import pytest

from text2art_nb.errors import ModelError
from text2art_nb.models import ALIASES, CATALOGUE, File, find

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
