"""The documents hold together: relative links lead to files that are there, and the site builds without a warning."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/*.md")])
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"^```.*?^```$|`[^`\n]*`", re.MULTILINE | re.DOTALL)


def links(document: Path) -> Iterator[str]:
    """The relative targets of a document's links, without their anchors."""
    for target in _LINK.findall(_CODE.sub("", document.read_text(encoding="utf-8"))):
        if not re.match(r"[a-z]+:|#", target):
            yield target.partition("#")[0]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(document: Path) -> None:
    dead = [target for target in links(document) if not (document.parent / target).exists()]
    assert not dead


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = {path.parent.name for path in ROOT.glob("text2art_nb/*/__init__.py")}
    assert packages
    assert not {name for name in packages if f"(../text2art_nb/{name})" not in text}


class Fetched(HTMLParser):
    """Collects the addresses that a browser fetches to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        names = {"link": "href", "script": "src", "img": "src", "iframe": "src", "source": "src"}
        is_fetched = tag in names and not (tag == "link" and given.get("rel") in ("canonical", "next", "prev"))
        if is_fetched and (address := given.get(names[tag])):
            self.addresses.append(address)


@pytest.mark.timeout(900)
def test_the_site_builds_and_fetches_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs", reason="needs the extra docs")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=800, check=False)
    assert done.returncode == 0, done.stderr
    pages = sorted(tmp_path.rglob("*.html"))
    assert tmp_path / "index.html" in pages
    assert tmp_path / "settings" / "index.html" in pages
    for page in pages:
        parser = Fetched()
        parser.feed(page.read_text(encoding="utf-8"))
        assert not [each for each in parser.addresses if re.match(r"(https?:)?//", each)], page
    styles = "".join(path.read_text(encoding="utf-8") for path in tmp_path.rglob("*.css"))
    assert not re.findall(r"(?:url\(|@import )['\"]?(?:https?:)?//[^)\s]+", styles)
