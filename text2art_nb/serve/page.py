"""The web page at /ui: a form, the picture while it grows, and the gallery.

The form is Gradio's. The picture and the gallery are drawn by `page.js`, which asks the API for them like any other
client: what visitors wrote comes to the page as JSON and is only ever put there as text. There is no component that
takes a file, so Gradio neither fetches nor keeps one: a picture to start from is read by the browser, and comes in the
request itself.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from text2art_nb.serve.jobs import Desk
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest
from text2art_nb.settings.modifiers import MODIFIERS, add_modifier

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI

    from text2art_nb.serve.config import Config

PATH: Final = "/ui"
HERE: Final = Path(__file__).parent

TYPES: Final = [("Image", "image"), ("Painting", "painting"), ("Pixel art", "pixel art")]
QUALITIES: Final = ["draft", "normal", "better", "best", "supreme"]
ASPECTS: Final = ["square", "portrait", "widescreen", "retain"]
PROMISED: Final = MODIFIERS["text2art.com"]
OTHERS: Final = tuple(word for group, words in MODIFIERS.items() if group != "text2art.com" for word in words)
NUMBERS: Final = {"seed": "a new one", "iterations": "by quality", "candidates": "1"}
"""The settings that are a number, and what an empty field means."""
IDEA: Final = "a lighthouse in a storm"


class Form(NamedTuple):
    """What stands in the form, in the order of its fields."""

    prompt: str
    keywords: list[str]
    more_keywords: list[str]
    type: str
    quality: str
    aspect: str
    public: bool
    email: str
    init_image: str | None
    seed: str
    iterations: str
    candidates: str
    others: str


def mount(app: "FastAPI", desk: Desk, config: "Config") -> None:
    """Put the page at `/ui` of the application. Takes some seconds: it imports gradio."""
    import gradio as gr
    from starlette.responses import Response

    gr.mount_gradio_app(
        app,
        page(desk, config),
        PATH,
        server_name=config.host,
        server_port=config.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,  # nobody is to leave files here: no component takes one
        ssr_mode=False,
        theme=_theme(),
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        head=f"<script>{(HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )

    @app.get("/favicon.ico", include_in_schema=False)
    def get_icon() -> Response:
        return Response(ICON, media_type="image/svg+xml")


def page(desk: Desk, config: "Config") -> "gradio.Blocks":
    """The page as Blocks, not yet anywhere."""
    import gradio as gr

    with gr.Blocks(title="text2art", analytics_enabled=False, fill_width=True) as blocks:
        _script("header", HEADER)
        with gr.Row(elem_id="t2a-columns"):
            with gr.Column(scale=5, min_width=320, elem_id="t2a-form"):
                form, draw, note = _form(gr, config)
            with gr.Column(scale=6, min_width=320, elem_id="t2a-stage-column"):
                stage = _script("stage")
        gallery = _script("gallery")

        # Gradio finds out by their types what handlers want beside the fields.
        def submit(request: gr.Request, *values: Any) -> tuple[dict[str, Any], str]:
            return _submit(desk, Form(*values), str(request.state.visitor))

        def again(event: gr.EventData) -> list[Any]:
            return [*_again(event._data), ""]

        at_once: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        for asked in (draw.click, form[0].submit):
            asked(submit, form, [stage, note], **at_once)
        gallery.click(again, None, [*form, note], **at_once)
    return blocks


def _form(gr: Any, config: "Config") -> tuple[list[Any], Any, Any]:
    """The fields in the order of `Form`, the button, and the place for what is wrong."""
    prompt = gr.Textbox(
        label="What shall be drawn?",
        placeholder=IDEA,
        lines=2,
        max_lines=6,
        max_length=2000,
        autofocus=True,
        elem_id="t2a-prompt",
    )
    keywords = gr.CheckboxGroup(list(PROMISED), label="Style", elem_classes="t2a-pills")
    with gr.Accordion("More styles", open=False):
        more_keywords = gr.CheckboxGroup(list(OTHERS), show_label=False, container=False, elem_classes="t2a-pills")
    kind = gr.Radio(TYPES, value="image", label="Type", elem_classes="t2a-choice")
    with gr.Row():
        quality = gr.Radio(QUALITIES, value="normal", label="Quality", elem_classes="t2a-choice", min_width=300)
        aspect = gr.Radio(ASPECTS, value="square", label="Shape", elem_classes="t2a-choice", min_width=240)
    init_image = _script("picker", f'<div data-most="{min(5_000_000, config.limits.upload * 3 // 4 - 20_000)}"></div>')
    with gr.Row(elem_id="t2a-consent"):
        public = gr.Checkbox(
            False, label="Hang it in the gallery", visible=config.public, container=False, min_width=200
        )
        email = gr.Textbox(
            label="Mail it to me",
            placeholder="ada@example.org (optional)",
            type="email",
            max_length=254,
            visible=config.notices.mail is not None,
            min_width=200,
            elem_id="t2a-email",
        )
    with gr.Accordion("More", open=False, elem_id="t2a-more"):
        with gr.Row():
            # Not gr.Number: one that is empty says 0 once it has been looked at.
            seed, iterations, candidates = (
                gr.Textbox(label=name.capitalize(), placeholder=empty, max_length=19, min_width=110)
                for name, empty in NUMBERS.items()
            )
        others = gr.Textbox(
            label="Other settings, one a line",
            placeholder="palette=pico-8",
            lines=2,
            max_lines=8,
            max_length=4000,
            elem_id="t2a-others",
        )
    draw = gr.Button("Draw", variant="primary", size="lg", elem_id="t2a-draw")
    note = _script("note", value="")
    fields = [prompt, keywords, more_keywords, kind, quality, aspect, public, email, init_image]
    return [*fields, seed, iterations, candidates, others], draw, note


def _script(name: str, template: str = "", value: Any = None) -> Any:
    """A part of the page that the function `name` of page.js makes; the value comes and goes as JSON, never as HTML."""
    import gradio as gr

    return gr.HTML(
        value,
        html_template=template or f'<div class="t2a-{name}"></div>',
        js_on_load=f"window.text2art?.{name}?.(element, props, trigger, watch);",
        elem_id=f"t2a-{name}",
        apply_default_css=False,
    )


def _submit(desk: Desk, form: Form, visitor: str) -> tuple[dict[str, Any], str]:
    """Hand the form in: what the stage is to show, and what is wrong (or nothing)."""
    try:
        job = desk.submit(_request(form), visitor)
    except Problem as problem:
        return {"id": None}, problem.detail
    except ValidationError as error:
        return {"id": None}, "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
    return {"id": job.id}, ""


def _request(form: Form) -> JobRequest:
    """What the form asks for. Raises ValidationError, Problem."""
    settings = _read_others(form.others or "")
    for name, text in zip(NUMBERS, (form.seed, form.iterations, form.candidates), strict=True):
        if text and text.strip():
            settings[name] = _number(name, text.strip())
    asked: dict[str, Any] = {
        "prompt": form.prompt or "",
        "keywords": [*(form.keywords or ()), *(form.more_keywords or ())],
        "type": form.type,
        "quality": form.quality,
        "aspect": form.aspect,
        "public": bool(form.public),
        "email": (form.email or "").strip() or None,
        "init_image": form.init_image or None,
        "settings": settings,
    }
    return JobRequest(**asked)


def _read_others(text: str) -> dict[str, Any]:
    """Settings written as name=value, one a line. Raises Problem 422."""
    settings: dict[str, Any] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise Problem(422, f"other settings are written as name=value, such as palette=pico-8; got {line[:60]!r}")
        settings[name.replace("-", "_")] = _value(value)
    return settings


def _number(name: str, text: str) -> int:
    """Raises Problem 422."""
    if not text.isascii() or not text.isdigit():
        raise Problem(422, f"{name} must be a whole number, or empty; got {text[:40]!r}", fields={name: "not a number"})
    return int(text)


def _value(text: str) -> Any:
    """Lists, objects, and yes or no are JSON; all else `Settings` reads itself."""
    if text[:1] in ("[", "{") or text in ("true", "false"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text  # a palette, for one, is written like a list
    return text


def _again(asked: object) -> Form:
    """The form for a request as the gallery has it. It came back from a browser: what it can't be is left out."""
    try:
        request = JobRequest(**asked) if isinstance(asked, dict) else JobRequest()
    except ValidationError:
        request = JobRequest()
    settings = dict(request.settings)
    numbers = {name: _whole(settings.pop(name, None)) for name in NUMBERS}
    return Form(
        prompt=_with_words(request.prompt, [word for word in request.keywords if word not in PROMISED + OTHERS]),
        keywords=[word for word in request.keywords if word in PROMISED],
        more_keywords=[word for word in request.keywords if word in OTHERS],
        type=request.type,
        quality=request.quality,
        aspect=request.aspect,
        public=request.public,
        email="",
        init_image=request.init_image,
        seed=numbers["seed"],
        iterations=numbers["iterations"],
        candidates=numbers["candidates"],
        others="\n".join(f"{name}={_written(value)}" for name, value in settings.items()),
    )


def _with_words(prompt: str, words: Sequence[str]) -> str:
    for word in words:
        try:
            prompt = add_modifier(prompt, word)
        except ValueError:
            return prompt  # a line that can't be read: its visitor will hear so
    return prompt


def _whole(value: object) -> str:
    """A whole number as it would be typed, or nothing."""
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) < 20 else ""


def _written(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _theme() -> Any:
    """Gradio's plainest, in our colours, with the fonts that are there: none is fetched."""
    import gradio as gr

    return gr.themes.Base(
        primary_hue=gr.themes.colors.violet,
        secondary_hue=gr.themes.colors.violet,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_lg,
        font=["system-ui", "-apple-system", "Segoe UI", "Roboto", "sans-serif"],
        font_mono=["ui-monospace", "monospace"],
    )


ICON: Final = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><circle cx="4.5" cy="4.5" r="4" fill="#6a4cf0"/></svg>'
)
HEADER: Final = """
<header class="t2a-header">
  <h1>text2art</h1>
  <p>Write a sentence, watch a picture grow.</p>
  <nav><a href="#t2a-gallery">Gallery</a> <a class="t2a-docs">API</a></nav>
</header>
"""
