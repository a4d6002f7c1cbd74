"""What the studio looks like: one style sheet, in the page wherever a part of the studio is."""

from functools import cache
from pathlib import Path


@cache
def style() -> str:
    """The style sheet as an element of HTML."""
    sheet = Path(__file__).with_name("look.css").read_text(encoding="utf-8")
    return f"<style>{sheet}</style>"
