"""A service with authd: the same answer bare and protected."""

import os

from fastapi import FastAPI

from authd_fastapi import Authd, CurrentUser, User

auth = Authd(os.environ["LOGIN_URL"])
app = FastAPI(lifespan=auth.lifespan)
SOMEBODY = User(
    id="01a20340-7824-74ea-9efa-748856c74794",
    session_id="01a20340-79ff-7dc6-b5bb-528f8793d301",
    roles=("editor",),
    permissions=("posts:*",),
    amr=("pwd",),
)


@app.get("/bare")
async def bare() -> User:
    return SOMEBODY


@app.get("/protected")
async def protected(user: CurrentUser) -> User:
    return user


@app.get("/demanding", dependencies=[auth.require(role="editor", permission="posts:write")])
async def demanding() -> User:
    return SOMEBODY
