"""What `require` demands: roles, permissions, a fresh login, and authd's word of now."""

import json
import logging
import weakref
from typing import Annotated

import pytest
from conftest import by, get, is_problem, service
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from stand_in import Clock, StandIn

from authd_fastapi import Authd, CurrentUser, User
from authd_fastapi.testing import Account, AuthdServer

INTROSPECT = "/api/auth/introspect"


def demanding(auth: Authd) -> FastAPI:
    app = service(auth)

    @app.get("/live", dependencies=[auth.require(live=True)])
    async def live() -> str:
        return "live"

    @app.get("/live/editor")
    async def editor(user: Annotated[User, auth.require(role="editor", live=True)]) -> User:
        return user

    @app.get("/live/user")
    async def who(user: Annotated[User, Depends(auth.live_user)]) -> User:
        return user

    return app


def test_roles_and_permissions(authd_server: AuthdServer, editor: Account, reader: Account) -> None:
    app = service(Authd(authd_server.url))
    assert get(app, "/posts/1", by(authd_server.token_for(editor)), "DELETE").status_code == 200
    is_problem(get(app, "/posts/1", by(authd_server.token_for(reader)), "DELETE"), 403, "forbidden")
    is_problem(get(app, "/posts/1", method="DELETE"), 401, "unauthenticated")
    # The role without the permission, and the other way round.
    role_alone = authd_server.add_user("role@example.com", roles=["author"], permissions=["posts:write"])
    is_problem(get(app, "/posts/1", by(authd_server.token_for(role_alone)), "DELETE"), 403, "forbidden")


def test_a_permission_covers_what_authd_says_it_does() -> None:
    user = User(id="x", session_id="y", permissions=("posts:*", "users:read"))
    assert [user.has_permission(one) for one in ("posts:write", "posts:", "users:read")] == [True] * 3
    others = ("post:write", "posts", "users:readable", "users:write", "users:", "", "*", "postsx:write")
    assert [user.has_permission(one) for one in others] == [False] * len(others)


def test_a_login_that_is_too_long_ago(
    authd_server: AuthdServer, stand_in: StandIn, editor: Account, clock: Clock
) -> None:
    app = service(Authd(authd_server.url, url=stand_in.url, clock=clock))
    token = authd_server.token_for(editor)
    assert get(app, "/fresh", by(token), "POST").status_code == 200
    clock.turn(290)
    assert get(app, "/fresh", by(token), "POST").status_code == 200
    clock.turn(20)
    is_problem(get(app, "/fresh", by(token), "POST"), 403, "fresh_login_required")
    assert get(app, "/me", by(token), "POST").status_code == 200


def test_what_an_operator_minted_is_never_fresh(authd_server: AuthdServer, editor: Account) -> None:
    app = service(Authd(authd_server.url))
    token = authd_server.ctl("token", "mint", editor.email).strip()
    assert get(app, "/me", by(token)).json()["auth_time"] is None
    is_problem(get(app, "/fresh", by(token), "POST"), 403, "fresh_login_required")


def test_a_revoked_session_is_refused_by_live(authd_server: AuthdServer, editor: Account) -> None:
    app = demanding(Authd(authd_server.url, api_key=authd_server.api_key("live")))
    login = authd_server.login(editor)
    token = login["access_token"]
    for path in ("/live", "/live/editor", "/live/user"):
        assert get(app, path, by(token)).status_code == 200
    authd_server.ctl("token", "revoke", "--id", login["session_id"], "--yes")
    for path in ("/live", "/live/editor", "/live/user"):
        is_problem(get(app, path, by(token)), 401, "invalid_token")
    assert get(app, "/me", by(token)).status_code == 200, "verified offline, it is good until it expires"


def test_live_goes_by_the_roles_of_now(authd_server: AuthdServer) -> None:
    ann = authd_server.add_user("ann@example.com", roles=["editor"])
    app = demanding(Authd(authd_server.url, api_key=authd_server.api_key("roles")))
    token = authd_server.token_for(ann)
    authd_server.ctl("role", "unassign", ann.email, "editor")
    is_problem(get(app, "/live/editor", by(token)), 403, "forbidden")
    assert get(app, "/me", by(token)).json()["roles"] == ["editor"]
    authd_server.ctl("role", "assign", ann.email, "author")
    assert get(app, "/live/user", by(token)).json()["roles"] == ["author"]


def test_a_disabled_user_is_refused_by_live(authd_server: AuthdServer) -> None:
    bob = authd_server.add_user("bob@example.com")
    app = demanding(Authd(authd_server.url, api_key=authd_server.api_key("disabled")))
    token = authd_server.token_for(bob)
    assert get(app, "/live", by(token)).status_code == 200
    authd_server.ctl("user", "disable", bob.email)
    is_problem(get(app, "/live", by(token)), 401, "invalid_token")


def test_live_asks_only_about_what_is_good_offline(
    authd_server: AuthdServer, stand_in: StandIn, editor: Account
) -> None:
    app = demanding(Authd(authd_server.url, url=stand_in.url, api_key=authd_server.api_key("asks")))
    is_problem(get(app, "/live", by("nonsense")), 401, "invalid_token")
    is_problem(get(app, "/live"), 401, "unauthenticated")
    assert stand_in.fetches(INTROSPECT) == 0
    token = authd_server.token_for(editor)
    assert get(app, "/live", by(token)).status_code == 200
    _, _, headers, body = stand_in.asked[-1]
    assert token.encode() in body
    assert ("x-forwarded-for", "203.0.113.9") in [(name.lower(), value) for name, value in headers]


@pytest.mark.parametrize(
    "answer",
    [
        (500, {}, b"{}"),
        (429, {"Retry-After": "7"}, b"{}"),
        (401, {}, b"{}"),
        (200, {}, b"yes"),
        (200, {}, b"[true]"),
        (302, {"Location": "/"}, b""),
    ],
)
def test_live_fails_closed(
    authd_server: AuthdServer, stand_in: StandIn, editor: Account, answer: tuple[int, dict[str, str], bytes]
) -> None:
    app = demanding(
        Authd(authd_server.url, url=stand_in.url, api_key=authd_server.api_key(f"closed-{id(answer)}"))
    )
    stand_in.answers[INTROSPECT] = answer
    refused = get(app, "/live", by(authd_server.token_for(editor)))
    is_problem(refused, 503, "authd_unavailable")
    assert refused.headers["retry-after"] == answer[1].get("Retry-After", "5")


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"active": False},
        {"active": "true"},
        {"active": 1},
        {"token_type": "refresh_token"},
        {"token_type": None},
        {"sub": "01980000-0000-7000-8000-000000000001"},
        {"sub": None},
    ],
)
def test_live_takes_no_other_word_for_yes(
    authd_server: AuthdServer, stand_in: StandIn, editor: Account, fault: dict[str, object]
) -> None:
    """Each with one fault, beside the answer without: nothing but that is a yes."""
    app = demanding(Authd(authd_server.url, url=stand_in.url, api_key="authd_key_whatever"))
    token = authd_server.token_for(editor)
    good = {"active": True, "token_type": "Bearer", "sub": editor.id, "roles": [], "permissions": []}
    stand_in.answers[INTROSPECT] = (200, {}, json.dumps(good).encode())
    assert get(app, "/live", by(token)).status_code == 200
    document = {**good, **fault} if fault else {}
    stand_in.answers[INTROSPECT] = (200, {}, json.dumps(document).encode())
    is_problem(get(app, "/live", by(token)), 401, "invalid_token")


def test_a_wrong_api_key_is_told_to_the_log(
    authd_server: AuthdServer, editor: Account, caplog: pytest.LogCaptureFixture
) -> None:
    app = demanding(Authd(authd_server.url, api_key="authd_key_wrong"))
    token = authd_server.token_for(editor)
    with caplog.at_level(logging.INFO):
        is_problem(get(app, "/live", by(token)), 503, "authd_unavailable")
    assert "refuses the API key of this service" in caplog.text
    assert token not in caplog.text
    assert "authd_key_wrong" not in caplog.text


def test_an_issuer_that_is_set_up_wrongly_is_told_to_the_log(
    authd_server: AuthdServer, editor: Account, caplog: pytest.LogCaptureFixture
) -> None:
    """`localhost` for `127.0.0.1`, a slash too many: what one does in the first five minutes."""
    for wrong in (authd_server.url.replace("127.0.0.1", "localhost"), authd_server.url + "/"):
        app = service(Authd(wrong, url=authd_server.url))
        is_problem(get(app, "/me", by(authd_server.token_for(editor))), 401, "invalid_token")
        assert f"its issuer is '{authd_server.url}', not '{wrong}'" in caplog.text


def test_an_api_key_may_come_with_its_files_last_line(authd_server: AuthdServer, editor: Account) -> None:
    app = demanding(Authd(authd_server.url, api_key=authd_server.api_key("newline") + "\n"))
    assert get(app, "/live", by(authd_server.token_for(editor))).status_code == 200


def test_what_a_token_leaves_out_is_asked_for(authd_server: AuthdServer, stand_in: StandIn) -> None:
    many = [f"area-{number:03}-{'x' * 40}:write" for number in range(60)]
    ann = authd_server.add_user("many@example.com", roles=["many"], permissions=[*many, "posts:write"])
    authd_server.ctl("role", "assign", ann.email, "editor")
    token = authd_server.token_for(ann)
    knowing = service(Authd(authd_server.url, url=stand_in.url, api_key=authd_server.api_key("omitted")))
    assert get(knowing, "/me", by(token)).json()["omitted"] == ["permissions"]
    assert stand_in.fetches(INTROSPECT) == 0
    assert get(knowing, "/posts/1", by(token), "DELETE").status_code == 200
    assert stand_in.fetches(INTROSPECT) == 1
    unknowing = service(Authd(authd_server.url))
    is_problem(get(unknowing, "/posts/1", by(token), "DELETE"), 403, "forbidden")


def test_what_cannot_be_meant_is_said_at_once() -> None:
    auth = Authd("https://auth.example.com")
    for wrong in ({"live": True}, {"fresh": 0}, {"fresh": -1}):
        with pytest.raises(ValueError, match=r"live=True|seconds"):
            auth.require(**wrong)
    for issuer, more in (
        ("auth.example.com", {}),
        ("ftp://auth.example.com", {}),
        ("https://auth.example.com?x=y", {}),
        ("https://auth.example.com", {"url": "http:///"}),
        ("https://auth.example.com", {"leeway": 6}),
        ("https://auth.example.com", {"leeway": -1}),
        ("https://auth.example.com", {"audience": ""}),
        ("https://auth.example.com", {"api_key": "secret"}),
        ("https://auth.example.com", {"api_key": "authd_key_é"}),
        ("https://auth.example.com", {"origins": "https://app.example.com"}),
    ):
        with pytest.raises(ValueError, match=r"."):
            Authd(issuer, **more)


def test_an_application_is_told_where_it_could_be_either(monkeypatch: pytest.MonkeyPatch) -> None:

    app = FastAPI()

    @app.get("/me")
    async def me(user: CurrentUser) -> User:
        return user

    monkeypatch.setattr("authd_fastapi._authd._living", weakref.WeakSet())
    one = Authd("http://127.0.0.1:1")
    is_problem(TestClient(app).get("/me"), 401, "unauthenticated")
    two = Authd("http://127.0.0.1:2")
    with pytest.raises(RuntimeError, match=r"which Authd\?"):
        TestClient(app).get("/me")
    assert one is not two
