"""The web page at /ui: a form, the growing picture, and the gallery.

Gradio renders the form. `page.js` renders the picture and the gallery from the API, like any other client: visitors'
texts arrive as JSON and are only ever inserted as text. No component takes a file, so Gradio neither fetches nor stores
one: the browser reads the initial picture and sends it in the request.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from pydantic import ValidationError

from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest
from text2art_nb.settings.modifiers import MODIFIERS, add_modifier

if TYPE_CHECKING:
    import gradio
    from fastapi import FastAPI

    from text2art_nb.serve.config import Config

PATH: Final = "/ui"
HERE: Final = Path(__file__).parent

KINDS: Final = [("Image", "image"), ("Strokes", "painting"), ("Pixel art", "pixel art")]
QUALITIES: Final = ["draft", "normal", "better", "best", "supreme"]
ASPECTS: Final = ["square", "portrait", "widescreen", "retain"]
FEATURED_STYLES: Final = MODIFIERS["text2art.com"]
MORE_STYLES: Final = tuple(word for group, words in MODIFIERS.items() if group != "text2art.com" for word in words)
NUMBERS: Final = {"seed": "random", "iterations": "by quality", "candidates": "1"}
"""Settings that are a number, and what an empty field means."""
IDEA: Final = "a lighthouse in a storm"


class Form(NamedTuple):
    """The values of the form, in the order of its fields."""

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


def mount(app: "FastAPI", service: JobService, config: "Config") -> None:
    """Mount the page at `/ui`. Takes some seconds, since it imports gradio."""
    import gradio as gr
    from starlette.responses import Response

    gr.mount_gradio_app(
        app,
        page(service, config),
        PATH,
        server_name=config.host,
        server_port=config.port,
        footer_links=[],
        run_history=False,
        show_error=False,
        max_file_size=1,  # no upload: no component takes a file
        ssr_mode=False,
        theme=_theme(),
        css=(HERE / "page.css").read_text(encoding="utf-8"),
        head=f"<script>{(HERE / 'page.js').read_text(encoding='utf-8')}</script>",
    )

    @app.get("/favicon.ico", include_in_schema=False)
    def get_icon() -> Response:
        return Response(ICON, media_type="image/svg+xml")


def page(service: JobService, config: "Config") -> "gradio.Blocks":
    """Build the page as Blocks, without mounting it."""
    import gradio as gr

    with gr.Blocks(title="text2art", analytics_enabled=False, fill_width=True) as blocks:
        _script("header", HEADER)
        with gr.Row(elem_id="t2a-columns"):
            with gr.Column(scale=5, min_width=320, elem_id="t2a-form"):
                form, draw, note = _form(config)
            with gr.Column(scale=6, min_width=320, elem_id="t2a-stage-column"):
                stage = _script("stage")
        gallery = _script("gallery")

        # Gradio passes handlers further arguments by their type annotations.
        def submit(request: gr.Request, *values: Any) -> tuple[dict[str, str | None], str]:
            return _submit(service, Form(*values), str(request.state.visitor))

        def draw_again(event: gr.EventData) -> list[object]:
            return [*_form_for(event._data), ""]

        at_once: dict[str, Any] = {"queue": False, "api_visibility": "private", "show_progress": "hidden"}
        for event in (draw.click, form[0].submit):
            event(submit, form, [stage, note], **at_once)
        gallery.click(draw_again, None, [*form, note], **at_once)
    return blocks


def _form(config: "Config") -> tuple[list["gradio.components.Component"], "gradio.Button", "gradio.HTML"]:
    """Build the fields in the order of `Form`, the button, and the place for errors."""
    import gradio as gr

    prompt = gr.Textbox(
        label="What should I draw?",
        placeholder=IDEA,
        lines=2,
        max_lines=6,
        max_length=2000,
        autofocus=True,
        elem_id="t2a-prompt",
    )
    keywords = gr.CheckboxGroup(list(FEATURED_STYLES), label="Style", elem_classes="t2a-pills")
    with gr.Accordion("More styles", open=False):
        more_keywords = gr.CheckboxGroup(list(MORE_STYLES), show_label=False, container=False, elem_classes="t2a-pills")
    kind = gr.Radio(KINDS, value="image", label="Kind", elem_classes="t2a-choice")
    with gr.Row():
        quality = gr.Radio(QUALITIES, value="normal", label="Quality", elem_classes="t2a-choice", min_width=300)
        aspect = gr.Radio(ASPECTS, value="square", label="Shape", elem_classes="t2a-choice", min_width=240)
    init_image = _script("picker", f'<div data-most="{min(5_000_000, config.limits.upload * 3 // 4 - 20_000)}"></div>')
    with gr.Row(elem_id="t2a-consent"):
        public = gr.Checkbox(
            False, label="Show it in the gallery", visible=config.public, container=False, min_width=200
        )
        email = gr.Textbox(
            label="Email it to me",
            placeholder="ada@example.org (optional)",
            type="email",
            max_length=254,
            visible=config.notices.mail is not None,
            min_width=200,
            elem_id="t2a-email",
        )
    with gr.Accordion("More", open=False, elem_id="t2a-more"):
        with gr.Row():
            # Not gr.Number: an empty one turns to 0 once it was focused.
            seed, iterations, candidates = (
                gr.Textbox(label=name.capitalize(), placeholder=empty, max_length=19, min_width=110)
                for name, empty in NUMBERS.items()
            )
        others = gr.Textbox(
            label="Other settings, one per line",
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


def _script(name: str, template: str = "", value: object = None) -> "gradio.HTML":
    """Build a part of the page that the function `name` of page.js renders; values travel as JSON, never as HTML."""
    import gradio as gr

    return gr.HTML(
        value,
        html_template=template or f'<div class="t2a-{name}"></div>',
        js_on_load=f"window.text2art?.{name}?.(element, props, trigger, watch);",
        elem_id=f"t2a-{name}",
        apply_default_css=False,
    )


def _submit(service: JobService, form: Form, visitor: str) -> tuple[dict[str, str | None], str]:
    """Submit the form. Return the stage's value, and the error or nothing."""
    try:
        job = service.submissions.submit(_request(form), visitor)
    except Problem as problem:
        return {"id": None}, problem.detail
    except ValidationError as error:
        return {"id": None}, "; ".join(each["msg"].removeprefix("Value error, ") for each in error.errors())
    return {"id": job.id}, ""


def _request(form: Form) -> JobRequest:
    """Read the form as a request. Raises ValidationError, Problem."""
    settings = _read_others(form.others or "")
    for name, text in zip(NUMBERS, (form.seed, form.iterations, form.candidates), strict=True):
        if text and text.strip():
            settings[name] = _number(name, text.strip())
    fields: dict[str, Any] = {
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
    return JobRequest(**fields)


def _read_others(text: str) -> dict[str, object]:
    """Parse settings written as name=value, one per line. Raises Problem 422."""
    settings: dict[str, object] = {}
    for line in filter(None, map(str.strip, text.splitlines())):
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or not name:
            raise Problem(422, f"write other settings as name=value, such as palette=pico-8; got {line[:60]!r}")
        settings[name.replace("-", "_")] = _value(value)
    return settings


def _number(name: str, text: str) -> int:
    """Parse a whole number. Raises Problem 422."""
    if not text.isascii() or not text.isdigit():
        raise Problem(422, f"{name} must be a whole number, or empty; got {text[:40]!r}", fields={name: "not a number"})
    return int(text)


def _value(text: str) -> object:
    """Parse lists, objects and booleans as JSON; `Settings` reads everything else itself."""
    if text[:1] in ("[", "{") or text in ("true", "false"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text  # a palette, for example, looks like a list
    return text


def _form_for(given: object) -> Form:
    """Build the form for a gallery item's request. It comes from a browser, so invalid parts are dropped."""
    try:
        request = JobRequest(**given) if isinstance(given, dict) else JobRequest()
    except ValidationError:
        request = JobRequest()
    settings = dict(request.settings)
    numbers = {name: _whole_number_text(settings.pop(name, None)) for name in NUMBERS}
    return Form(
        prompt=_with_keywords(
            request.prompt, [word for word in request.keywords if word not in FEATURED_STYLES + MORE_STYLES]
        ),
        keywords=[word for word in request.keywords if word in FEATURED_STYLES],
        more_keywords=[word for word in request.keywords if word in MORE_STYLES],
        type=request.type,
        quality=request.quality,
        aspect=request.aspect,
        public=request.public,
        email="",
        init_image=request.init_image,
        seed=numbers["seed"],
        iterations=numbers["iterations"],
        candidates=numbers["candidates"],
        others="\n".join(f"{name}={_setting_text(value)}" for name, value in settings.items()),
    )


def _with_keywords(prompt: str, words: Sequence[str]) -> str:
    for word in words:
        try:
            prompt = add_modifier(prompt, word)
        except ValueError:
            return prompt  # an invalid prompt: submitting it shows the error
    return prompt


def _whole_number_text(value: object) -> str:
    """A whole number as typed, or nothing."""
    text = str(value)
    return text if text.isascii() and text.isdigit() and len(text) < 20 else ""


def _setting_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _theme() -> "gradio.themes.Base":
    """Gradio's base theme in our colors, with system fonts: none is downloaded."""
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
  <p>Write a sentence and watch a picture grow.</p>
  <nav><a href="#t2a-gallery">Gallery</a> <a class="t2a-docs">API</a></nav>
</header>
"""
