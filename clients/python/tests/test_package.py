"""What is published: a wheel and a source distribution, in fresh environments, and the reference.

What it takes besides pip stands in tests/fastapi/run of authd: `hatchling` and `pdoc`.
"""

import importlib
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parent
MODULES = ["authd_fastapi", "authd_fastapi.testing"]
# Asks a service in a fresh environment, by nothing but what FastAPI itself brings along.
SMOKE = """
import asyncio, sys
sys.path.insert(0, sys.argv[1])
import service
scope = {"type": "http", "method": "GET", "path": "/me", "raw_path": b"/me", "query_string": b"",
         "headers": [], "http_version": "1.1", "scheme": "http", "root_path": "", "asgi": {"version": "3.0"}}
async def status():
    got = []
    async def receive(): return {"type": "http.request", "body": b"", "more_body": False}
    async def send(message): got.append(message)
    await service.app(scope, receive, send)
    return got[0]["status"]
print(asyncio.run(status()))
"""
# The extra `sqlmodel` is all that the mirror takes.
MIRROR = """
from authd_fastapi import Authd
from sqlmodel import Field, SQLModel
class Account(SQLModel, table=True):
    sub: str = Field(primary_key=True)
print(type(Authd("http://127.0.0.1:1").mirror(Account, lambda: None)).__name__)
"""


def run(*command: str | Path, **environment: str) -> str:
    clean = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=PROJECT,
        env={**clean, **environment},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-d", folder, PYTHONWARNINGS="error")
    return folder


def names(folder: Path, kind: str) -> set[str]:
    (path,) = folder.glob(kind)
    if kind == "*.whl":
        with zipfile.ZipFile(path) as archive:
            return set(archive.namelist())
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames()}


def test_the_wheel_has_the_package_and_nothing_else(built: Path) -> None:
    sources = {
        f"authd_fastapi/{path.name}" for path in (PROJECT / "src/authd_fastapi").iterdir() if path.is_file()
    }
    assert "authd_fastapi/py.typed" in sources
    found = names(built, "*.whl")
    assert {name for name in found if ".dist-info/" not in name} == sources
    assert any(name.endswith("entry_points.txt") for name in found)


def test_the_source_distribution_has_what_it_takes_to_test_it(built: Path) -> None:
    found = names(built, "*.tar.gz")
    assert {
        "pyproject.toml",
        "README.md",
        "CHANGELOG.md",
        "tests/conftest.py",
        "src/authd_fastapi/py.typed",
    } <= found
    assert not [name for name in found if "__pycache__" in name or ".venv" in name]


def test_a_fresh_environment_runs_the_readmes_service(built: Path, tmp_path: Path) -> None:
    """With the wheel, and then with what is built of the source distribution."""
    python = tmp_path / "venv/bin/python"
    run(sys.executable, "-m", "venv", tmp_path / "venv")
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"^```python\n(.*?)^```$", text, re.M | re.S)
    assert block
    (tmp_path / "service.py").write_text(block[1])
    for kind, more in (("*.whl", []), ("*.tar.gz", ["--force-reinstall", "--no-deps"])):
        (path,) = built.glob(kind)
        run(python, "-m", "pip", "install", "--quiet", *more, f"{path}[sqlmodel]")
        run(python, "-m", "pip", "check")
        assert run(python, "-I", "-W", "error", "-c", SMOKE, tmp_path) == "401\n"
        assert run(python, "-I", "-W", "error", "-c", MIRROR) == "Depends\n"
        where = run(python, "-I", "-c", "import authd_fastapi; print(authd_fastapi.__file__)")
        assert where.startswith(str(tmp_path / "venv"))


def test_the_reference_is_made_of_docstrings_without_a_warning(tmp_path: Path) -> None:
    pytest.importorskip("pdoc")
    run(sys.executable, "-W", "error", "-m", "pdoc", "--docformat", "markdown", *MODULES, "-o", tmp_path)
    for module in MODULES:
        page = (tmp_path / f"{module.replace('.', '/')}.html").read_text(encoding="utf-8")
        for name in importlib.import_module(module).__all__:
            assert f'id="{name}"' in page, f"{module}.{name}"


def test_every_name_has_its_docstring() -> None:
    """The package's own constants and fields, too: a string below each."""
    for module in MODULES:
        for name in importlib.import_module(module).__all__:
            thing = getattr(importlib.import_module(module), name)
            if isinstance(thing, type):
                public = [one for one in vars(thing) if not one.startswith(("_", "model_"))]
                undocumented = [
                    one for one in public if callable(getattr(thing, one)) and not getattr(thing, one).__doc__
                ]
                assert thing.__doc__, name
                assert undocumented == [], name
