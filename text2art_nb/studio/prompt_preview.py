"""Explain to the user how a prompt is parsed."""

import html
import math
from collections.abc import Callable

from text2art_nb.models import nearest_word, unknown_words
from text2art_nb.settings.dialects import understand
from text2art_nb.settings.prompts import Prompt, parse_prompts

CountTokens = Callable[[str], int]


def describe_prompts(
    line: str, embedded: bool, longest: int | None = None, count: CountTokens | None = None, offer: str = ""
) -> str:
    """Describe how an image-text encoder reads a prompt line, as HTML.

    Args:
        line: the line; may be empty or unreadable.
        embedded: whether the embedded CLIP reads it, which doesn't know every word.
        longest: how many tokens of a prompt are read at once; None where that isn't known yet.
        count: how many tokens a text has.
        offer: what can be done about unknown words here, as `runs.light_offer` says it; "" where that is model="full".
    """
    if not line.strip(" |\n"):
        return ""
    try:
        understood = understand(line)
        prompts = parse_prompts(understood.line)
    except ValueError:
        return ""  # the error is shown under the field
    parts = [html.escape(note) for note in understood.notes]
    parts += [_part(prompt, longest, count) for prompt in prompts]
    if embedded and (unknown := unknown_words(" ".join(text for prompt in prompts for text in prompt.texts))):
        parts.append(_unknown(unknown, offer))
    return f'<div class="t2a-prompt-preview">{"<br>".join(parts)}</div>'


def _part(prompt: Prompt, longest: int | None, count: CountTokens | None) -> str:
    words = _words(prompt)
    if prompt.weight < 0:
        text = f'<span class="push">pushes away</span> {words}, weight {prompt.weight:g}'
    else:
        weight = "" if prompt.weight == 1 else f", weight {prompt.weight:g}"
        text = f'<span class="pull">pulls towards</span> {words}{weight}'
    if prompt.stop != -math.inf:
        text += f", until the distance is {prompt.stop:g}"
    if longest is not None and count is not None and (tokens := count(prompt.text)) > longest:
        text += f" ({tokens} tokens: more than the {longest} that are read at once, so it is read in parts)"
    return text


def _words(prompt: Prompt) -> str:
    """The texts of a prompt, in order, and the region it applies to."""
    said = [f"<b>{html.escape(text)}</b>" for text in (prompt.text, *prompt.schedule)]
    words = ", then ".join(said)
    if prompt.origin is not None:
        words = f"the way from <b>{html.escape(prompt.origin)}</b> to {words}"
    return f"{words}, in the region {html.escape(prompt.region)}" if prompt.region else words


def _unknown(words: list[str], offer: str) -> str:
    named = []
    for word in words[:6]:
        near = nearest_word(word)
        named.append(f"'{html.escape(word)}'" + (f" (it knows '{html.escape(near)}')" if near else ""))
    more = f" and {len(words) - 6} more" if len(words) > 6 else ""
    return f'<span class="push">the embedded model doesn\'t know</span> {", ".join(named)}{more}; {_remedy(offer)}'


def _remedy(offer: str) -> str:
    """Name a model that knows the words."""
    if offer:
        return f'<span class="t2a-offer">{html.escape(offer)}</span>: More settings, Model, light'
    return "a real CLIP does: More settings, Model, full"
