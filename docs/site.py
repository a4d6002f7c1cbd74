"""A hook of mkdocs: the documents of the root become pages, and links hold on the site as on GitHub."""

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]

PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files of the repository's root, and the pages that they become."""

_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^()\s]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of the repository's root."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=links_for_site(text, "", page, config.repo_url)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Mend the links of a page of docs/ that lead out of docs/."""
    source = page.file.src_uri
    return markdown if source in PAGES.values() else links_for_site(markdown, "docs/", source, config.repo_url)


def links_for_site(markdown: str, folder: str, page: str, repository: str | None) -> str:
    """`markdown` whose relative links are those of the site.

    folder: "docs/" where the page's path `page` lies in docs/, "" where the text is a file of the repository's root.
    A link to a file that is no page leads to the repository, or where its address isn't known becomes plain text.
    """

    def mended(link: re.Match[str]) -> str:
        image, text, address = link.groups()
        if re.match(r"[a-z]+:|#|/", address):
            return link.group()
        path, mark, anchor = address.partition("#")
        base = posixpath.dirname(folder + page) if folder else ""
        target = posixpath.normpath(posixpath.join(base, path))
        if target.startswith("docs/") or target in PAGES:
            on_site = PAGES.get(target, target.removeprefix("docs/"))
            return f"{image}[{text}]({posixpath.relpath(on_site, posixpath.dirname(page) or '.')}{mark}{anchor})"
        return f"[{text}]({repository.rstrip('/')}/blob/main/{target}{mark}{anchor})" if repository else text

    return _LINK.sub(mended, markdown)
