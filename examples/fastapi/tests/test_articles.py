"""The application with people who aren't there: quick, and without authd."""

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient

from articles.database import url
from articles.login import auth
from articles.main import app
from authd_fastapi.testing import fake_user

ARTICLE = {"title": "News", "text": "Nothing happened."}
ANN = "01980000-0000-7000-8000-00000000a001"
PERSON = {"Accept": "text/html"}
EVIL = "<script>alert(1)</script>"


def publish(client: TestClient, **more: str) -> int:
    with fake_user(app, auth, id=ANN):
        answer = client.post("/api/articles", json={**ARTICLE, **more})
    assert answer.status_code == 201, answer.text
    number: int = answer.json()["id"]
    return number


def test_everybody_reads_and_whoever_is_signed_in_writes(client: TestClient) -> None:
    assert client.get("/api/articles").json() == []
    refused = client.post("/api/articles", json=ARTICLE)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    number = publish(client)
    (shown,) = client.get("/api/articles").json()
    assert (shown["id"], shown["title"], shown["author"]) == (number, "News", "Reader a001")
    assert client.get(f"/api/articles/{number}").json() == shown
    assert "Nothing happened." in client.get(f"/articles/{number}").text


def test_editors_delete_and_others_do_not(client: TestClient) -> None:
    number = publish(client)
    assert client.delete(f"/api/articles/{number}").status_code == 401
    with fake_user(app, auth, id=ANN):
        refused = client.delete(f"/api/articles/{number}")
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    with fake_user(app, auth, roles=["editor"]):
        assert client.delete(f"/api/articles/{number}").status_code == 204
        assert client.delete(f"/api/articles/{number}").status_code == 404
        assert client.delete(f"/api/articles/{10**30}").status_code == 404


def test_pages_write_and_delete_too(client: TestClient) -> None:
    with fake_user(app, auth, id=ANN):
        assert 'name="csrf_token"' in client.get("/write").text
        made = client.post("/write", data=ARTICLE)
        assert made.status_code == 303
        assert "Delete" in client.get(made.headers["location"]).text
        path = made.headers["location"] + "/delete"
        refused = client.post(path, headers=PERSON)
        assert (refused.status_code, "this takes the role editor" in refused.text) == (403, True)
    with fake_user(app, auth, roles=["editor"]):
        assert client.post(path).headers["location"] == "/"
    assert client.get("/api/articles").json() == []


def test_what_people_write_is_text(client: TestClient) -> None:
    number = publish(client, title=EVIL, text=EVIL + "'\"&")
    for path in ("/", f"/articles/{number}"):
        page = client.get(path)
        assert EVIL not in page.text
        assert "&lt;script&gt;" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/write", "/write?return_to=https://evil.example", "//evil.example/write"])
def test_signing_in_leads_back_to_this_host_alone(client: TestClient, path: str) -> None:
    answer = client.get(f"http://testserver{path}", headers=PERSON)
    if answer.status_code == 303:
        wanted = "/auth/sign-in?return_to=http%3A%2F%2Flocalhost%3A8000%2Fwrite"
        assert answer.headers["location"] == wanted
    else:
        assert answer.status_code == 404
    assert "evil.example" not in client.get("/", headers={"Host": "evil.example"}).text


def test_a_program_is_not_led_anywhere(client: TestClient) -> None:
    assert client.get("/write").status_code == 401
    assert client.post("/write", data=ARTICLE, headers=PERSON).status_code == 401


def test_what_is_too_long_or_empty_is_refused(client: TestClient) -> None:
    with fake_user(app, auth):
        for wrong in ({"title": ""}, {"title": "x" * 201}, {"text": "x" * 20_001}, {"text": ""}):
            assert client.post("/api/articles", json={**ARTICLE, **wrong}).status_code == 422
            assert client.post("/write", data={**ARTICLE, **wrong}).status_code == 422


def test_the_migrations_make_what_the_models_say(migrated: str) -> None:
    command.check(Config(Path(__file__).parents[1] / "alembic.ini"))
    command.downgrade(Config(Path(__file__).parents[1] / "alembic.ini"), "base")


def test_a_database_is_named_as_its_provider_writes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for given in ("postgres://u:p@host/db?sslmode=require", "postgresql://u:p@host/db?sslmode=require"):
        monkeypatch.setenv("DATABASE_URL", given)
        assert url() == "postgresql+psycopg://u:p@host/db?sslmode=require"
