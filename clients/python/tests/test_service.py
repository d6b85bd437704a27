"""What an application sees of the package: its OpenAPI document, its handlers, and fake users."""

from collections.abc import Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import pytest
from conftest import by, get, is_problem, service
from fastapi import Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient

from authd_fastapi import Authd, CurrentUser, InvalidToken, Problem, Unavailable, User
from authd_fastapi.testing import Account, AuthdServer, fake_user, find_program


@pytest.fixture
def auth() -> Authd:
    return Authd("http://127.0.0.1:1", api_key="authd_key_x")


def test_the_document_says_how_to_sign_in(auth: Authd) -> None:
    document = get(service(auth), "/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert {name: (one["type"], one.get("in"), one.get("name")) for name, one in schemes.items()} == {
        "authd": ("http", None, None),
        "authd_access": ("apiKey", "cookie", "__Host-authd_access"),
        "authd_session": ("apiKey", "cookie", "__Host-authd_session"),
    }
    assert (schemes["authd"]["scheme"], schemes["authd"]["bearerFormat"]) == ("bearer", "JWT")
    any_of_them = [{name: []} for name in schemes]
    for path, method in (("/me", "get"), ("/me", "post"), ("/maybe", "get"), ("/posts/{id}", "delete")):
        assert document["paths"][path][method]["security"] == any_of_them
    assert "security" not in document["paths"]["/bare"]["get"]
    assert "User" in document["components"]["schemas"]


def test_a_user_is_frozen_and_is_read_as_it_is_written() -> None:
    user = User(id="x", session_id="y", roles=("editor",), auth_time=datetime.now(UTC))
    assert User.model_validate_json(user.model_dump_json()) == user
    with pytest.raises(ValueError, match="frozen"):
        user.roles = ("admin",)  # type: ignore[misc]


def test_a_handler_of_ones_own_is_asked_first(auth: Authd) -> None:
    for of, named in ((Problem, True), (HTTPException, False), (401, True)):
        app = service(auth)

        async def handler(request: Request, error: Any) -> JSONResponse:
            return JSONResponse({"mine": error.code}, error.status_code)

        app.add_exception_handler(of, handler)
        assert get(app, "/me").json() == {"mine": "unauthenticated"}, named


def test_another_http_exception_is_answered_as_ever(auth: Authd) -> None:
    app = service(auth)

    @app.get("/teapot")
    async def teapot(user: CurrentUser) -> None:
        raise HTTPException(418, "short and stout")

    with fake_user(app, auth):
        assert get(app, "/teapot").json() == {"detail": "short and stout"}
    is_problem(get(app, "/teapot"), 401, "unauthenticated")
    assert get(app, "/nothing").json() == {"detail": "Not Found"}


def test_a_request_keeps_its_sane_id(auth: Authd) -> None:
    app = service(auth)
    assert get(app, "/me", {"X-Request-Id": "abc-123"}).json()["request_id"] == "abc-123"
    for odd in ("a b", "x" * 65, "<script>", "é".encode()):
        answer = get(app, "/me", {"X-Request-Id": odd})
        is_problem(answer, 401, "unauthenticated")
        assert answer.json()["request_id"] != odd


def test_two_authds_in_one_application(authd_server: AuthdServer, editor: Account) -> None:
    ours, theirs = Authd(authd_server.url), Authd(authd_server.url, audience="billing")
    app = FastAPI(lifespan=ours.lifespan)

    @app.get("/ours")
    async def our(user: Annotated[User, Depends(ours.user)]) -> str:
        return user.id

    @app.get("/theirs")
    async def their(user: Annotated[User, Depends(theirs.user)]) -> str:
        return user.id

    token = by(authd_server.token_for(editor))
    with TestClient(app) as client:
        assert client.get("/ours", headers=token).json() == editor.id
        is_problem(client.get("/theirs", headers=token), 401, "invalid_token")


def test_a_lifespan_of_ones_own_holds_authds(
    authd_server: AuthdServer, token_for: Callable[[Account], str]
) -> None:
    auth = Authd(authd_server.url)
    events = []

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> Any:
        async with auth.lifespan(app):
            events.append("up")
            yield
        events.append("down")

    app = FastAPI(lifespan=lifespan)

    @app.get("/me")
    async def me(user: CurrentUser) -> User:
        return user

    ann = authd_server.add_user("lifespan@example.com")
    with TestClient(app) as client:
        assert client.get("/me", headers=by(token_for(ann))).json()["id"] == ann.id
    assert events == ["up", "down"]


def test_a_websocket_takes_the_token_as_its_first_message(authd_server: AuthdServer, editor: Account) -> None:
    auth = Authd(authd_server.url)
    app = FastAPI(lifespan=auth.lifespan)

    @app.websocket("/talk")
    async def talk(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            user = await auth.verify(await websocket.receive_text())
        except InvalidToken:
            await websocket.close(1008)
        else:
            await websocket.send_text(user.id)

    with TestClient(app) as client:
        with client.websocket_connect("/talk") as socket:
            socket.send_text(authd_server.token_for(editor))
            assert socket.receive_text() == editor.id
        with client.websocket_connect("/talk") as socket:
            socket.send_text("nonsense")
            with pytest.raises(WebSocketDisconnect):
                socket.receive_text()


def test_fake_users_are_held_to_every_demand(auth: Authd) -> None:
    app = service(auth)

    @app.get("/live", dependencies=[auth.require(role="editor", live=True, fresh=60)])
    async def live(user: Annotated[User, Depends(auth.user)], too: CurrentUser) -> list[str]:
        return [user.id, too.id]

    long_ago = datetime.now(UTC) - timedelta(seconds=301)
    client = TestClient(app)
    with fake_user(app, auth, roles=["editor"], permissions=["posts:*"]) as user:
        assert client.get("/me").json() == user.model_dump(mode="json")
        assert client.get("/maybe").json() == user.id
        assert client.get("/live").json() == [user.id, user.id]
        assert client.post("/fresh").status_code == 200
        assert client.delete("/posts/1").status_code == 200
        with fake_user(app, auth, roles=["author"], id="other", auth_time=long_ago):
            assert client.get("/me").json()["id"] == "other"
            is_problem(client.get("/live"), 403, "forbidden")
            is_problem(client.delete("/posts/1"), 403, "forbidden")
            is_problem(client.post("/fresh"), 403, "fresh_login_required")
        assert client.get("/me").json()["id"] == user.id
        with fake_user(app, auth, roles=["editor"]):
            is_problem(client.delete("/posts/1"), 403, "forbidden")
        with fake_user(app, auth, roles=["editor"], auth_time=long_ago):
            is_problem(client.get("/live"), 403, "fresh_login_required")
    assert app.dependency_overrides == {}
    is_problem(client.get("/me"), 401, "unauthenticated")


def test_an_override_that_was_there_stays(auth: Authd) -> None:
    app = service(auth)
    app.dependency_overrides[len] = max
    with fake_user(app, auth):
        app.dependency_overrides[min] = max
    assert app.dependency_overrides == {len: max}


def test_a_server_that_does_not_start_is_told(tmp_path: Any) -> None:
    server = AuthdServer("false", tmp_path)
    with pytest.raises(RuntimeError, match="authd doesn't start"):
        server.start()
    with pytest.raises(RuntimeError, match="authctl user list"):
        server.ctl("user", "list")


def test_a_missing_program_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AUTHD")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RuntimeError, match="there is no authd here"):
        find_program()


def test_what_is_unavailable_says_when_to_ask_again() -> None:
    assert Unavailable("x").retry_after == 5
