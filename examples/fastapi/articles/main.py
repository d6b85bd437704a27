"""The application: `uvicorn articles.main:app`, behind a proxy that leads authd's paths to authd."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response
from fastapi.staticfiles import StaticFiles

from authd_fastapi import Problem

from . import api, pages
from .login import auth

# FastAPI's own pages load scripts from elsewhere, which the policy below forbids; the document itself stays.
app = FastAPI(title="Articles", lifespan=auth.lifespan, docs_url=None, redoc_url=None)
app.include_router(api.router)
app.include_router(pages.router)
app.mount("/static", StaticFiles(directory=pages.HERE / "static"), name="static")
app.add_exception_handler(Problem, pages.refused)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


@app.middleware("http")
async def guard(request: Request, proceed: Callable[[Request], Awaitable[Response]]) -> Response:
    response = await proceed(request)
    response.headers.update(HEADERS)
    return response
