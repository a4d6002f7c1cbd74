"""The application: page, API, documentation, health and metrics on one port."""

import contextlib
import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.staticfiles import StaticFiles

from text2art_nb.serve import metrics
from text2art_nb.serve.access import Access
from text2art_nb.serve.api import Refusal, answer_with_problems, router
from text2art_nb.serve.config import Config
from text2art_nb.serve.jobs import Desk
from text2art_nb.serve.supervisor import Beside
from text2art_nb.version import __version__

SWAGGER: Final = Path(__file__).with_name("swagger")
ABOUT: Final = "A sentence becomes a picture while you watch. Errors are RFC 9457 problems."


def create_app(config: Config, *, workers: int = 0, page: bool | None = None) -> FastAPI:
    """The whole service as an ASGI application, its desk in `app.state.desk`.

    Args:
        config: what the operator decides.
        workers: so many worker processes run beside this one for as long as it does.
        page: whether the web page is at /ui; None: if gradio is installed.

    Raises:
        Text2ArtError: the database or the files can't be had, or notices can't be sent as they are configured.
    """
    desk = Desk(config)
    if config.notices.wanted:
        from text2art_nb.serve import notices

        notices.check(config.notices)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with contextlib.ExitStack() as ends:
            ends.callback(desk.close)
            beside = Beside(config, workers)
            beside.start()
            ends.callback(beside.stop)
            if config.firestore is not None:
                from text2art_nb.serve.firestore import Bridge, connect

                bridge = Bridge(desk, connect(config.firestore))
                bridge.start()
                ends.callback(bridge.stop)
            yield

    app = FastAPI(
        title="text2art", version=__version__, description=ABOUT, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.config, app.state.desk = config, desk
    app.include_router(router)
    app.include_router(metrics.router)
    answer_with_problems(app, router, metrics.router)
    _document(app, config)
    _mount_page(app, desk, config, page)
    app.add_middleware(Access, config=config)
    return app


def _document(app: FastAPI, config: Config) -> None:
    """Swagger UI at /docs from our own files, and an OpenAPI that has our problems and keys in it."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            parts = schema["components"]
            parts["schemas"]["Refusal"] = Refusal.model_json_schema()
            parts["schemas"].pop("HTTPValidationError", None)
            parts["schemas"].pop("ValidationError", None)
            if config.keys:
                parts["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
                schema["security"] = [{"key": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
    app.mount("/docs/files", StaticFiles(directory=SWAGGER, check_dir=False), name="swagger")

    @app.get("/docs", include_in_schema=False)
    def get_docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title="text2art: API",
            swagger_js_url="docs/files/swagger-ui-bundle.js",
            swagger_css_url="docs/files/swagger-ui.css",
            swagger_favicon_url="data:,",
        )


def _mount_page(app: FastAPI, desk: Desk, config: Config, page: bool | None) -> None:
    """The page at /ui, where gradio is; and what / leads to."""
    if page is None:
        page = importlib.util.find_spec("gradio") is not None
    if page:
        from text2art_nb.serve.page import mount

        mount(app, desk, config)

    @app.get("/", include_in_schema=False)
    def get_root() -> RedirectResponse:
        return RedirectResponse("ui/" if page else "docs")
