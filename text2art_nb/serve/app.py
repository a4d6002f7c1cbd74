"""The ASGI application: page, API, documentation, health and metrics on one port."""

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
from text2art_nb.serve.api import ProblemDetails, add_problem_handlers, router
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.supervisor import Supervisor
from text2art_nb.version import __version__

SWAGGER: Final = Path(__file__).with_name("swagger")
DESCRIPTION: Final = "Turn a sentence into a picture while you watch. Errors are RFC 9457 problems."


def create_app(config: Config, *, workers: int = 0, page: bool | None = None) -> FastAPI:
    """Build the whole service as an ASGI application, with its `JobService` in `app.state.service`.

    Args:
        config: the operator's configuration.
        workers: number of worker processes to run beside this one.
        page: whether to serve the web page at /ui; None: if gradio is installed.

    Raises:
        Text2ArtError: the database or the store is not available, or the notices are misconfigured.
    """
    service = JobService(config)
    if config.notices.wanted:
        from text2art_nb.serve import notices

        notices.check(config.notices)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        with contextlib.ExitStack() as ends:
            ends.callback(service.close)
            supervisor = Supervisor(config, workers)
            supervisor.start()
            ends.callback(supervisor.stop)
            if config.firestore is not None:
                from text2art_nb.serve.firestore import Bridge, connect

                bridge = Bridge(service, connect(config.firestore))
                bridge.start()
                ends.callback(bridge.stop)
            yield

    app = FastAPI(
        title="text2art", version=__version__, description=DESCRIPTION, docs_url=None, redoc_url=None, lifespan=lifespan
    )
    app.state.config, app.state.service = config, service
    app.include_router(router)
    app.include_router(metrics.router)
    add_problem_handlers(app, router, metrics.router)
    _add_docs(app, config)
    _mount_page(app, service, config, page)
    app.add_middleware(Access, config=config)
    return app


def _add_docs(app: FastAPI, config: Config) -> None:
    """Serve Swagger UI at /docs from local files; add problems and keys to the OpenAPI schema."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = generate()
            parts = schema["components"]
            parts["schemas"]["ProblemDetails"] = ProblemDetails.model_json_schema()
            parts["schemas"].pop("HTTPValidationError", None)
            parts["schemas"].pop("ValidationError", None)
            if config.keys:
                parts["securitySchemes"] = {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}
                schema["security"] = [{"key": []}]
            app.openapi_schema = schema
        return app.openapi_schema

    vars(app)["openapi"] = openapi  # FastAPI's documented way to extend the schema
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


def _mount_page(app: FastAPI, service: JobService, config: Config, page: bool | None) -> None:
    """Mount the page at /ui if gradio is installed, and redirect / to it or to /docs."""
    if page is None:
        page = importlib.util.find_spec("gradio") is not None
    if page:
        from text2art_nb.serve.page import mount

        mount(app, service, config)

    @app.get("/", include_in_schema=False)
    def get_root() -> RedirectResponse:
        return RedirectResponse("ui/" if page else "docs")
