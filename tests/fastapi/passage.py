"""README.md's passage for FastAPI, as it stands: what it says to type is typed, what it shows must come out.

Usage: passage.py AUTHD, in the project's folder.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

from house import check, equal, free_port, summary, takes_connections, until

HEADING = "## With FastAPI, in five minutes\n"
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def passage():
    text = pathlib.Path("README.md").read_text(encoding="utf-8")
    section = text.partition(HEADING)[2].partition("\n## ")[0]
    return re.findall(r"^```(\w*)\n(.*?)^```$", section, re.M | re.S)


def clean(environment):
    return {name: value for name, value in environment.items() if not name.startswith("AUTHD")}


def main(binary):
    authd_port, port = free_port(), free_port()
    ports = {"127.0.0.1:8080": f"127.0.0.1:{authd_port}", "127.0.0.1:8000": f"127.0.0.1:{port}"}
    ports["--port 8000"] = f"--port {port}"
    kinds, texts = zip(*passage(), strict=True)
    equal(kinds, ("sh", "python", "sh", "sh", "", "python", "sh"), "the passage's blocks")
    moved = "\0".join(texts)
    for known, own in ports.items():
        moved = moved.replace(known, str(own))
    prepare, service, serve, ask, shown, test, run_test = moved.split("\0")
    address = f"127.0.0.1:{authd_port}"
    environment = {**clean(os.environ), "AUTHD_LISTEN": address, "AUTHD_PUBLIC_URL": f"http://{address}"}
    with tempfile.TemporaryDirectory(prefix="authd-passage-") as name:
        folder = pathlib.Path(name, "authd")
        programs = folder / "target/quick"
        programs.mkdir(parents=True)
        for program in ("authd", "authctl"):
            (programs / program).symlink_to(os.path.abspath(binary))
        (folder / "clients").symlink_to(pathlib.Path("clients").resolve())
        log = open(folder / "log", "w", encoding="utf-8")  # noqa: SIM115 - what is started writes to it
        running = []

        def start(*command):
            running.append(
                subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log, text=True)
            )

        def type_in(lines):
            command = ["bash", "-c", f"set -eu\n{lines}"]
            done = subprocess.run(
                command, cwd=folder, env=environment, text=True, capture_output=True, check=False
            )
            equal(done.returncode, 0, f"{lines}\n{done.stdout}{done.stderr}")
            return done.stdout

        try:
            start(programs / "authd", "serve")
            until(lambda: takes_connections(authd_port), "authd did not start")
            type_in(prepare)
            own = folder.parent / "service"
            (own / "service.py").write_text(service, encoding="utf-8")
            (own / "test_service.py").write_text(test, encoding="utf-8")
            start("bash", "-c", serve.replace("\nvenv", "\nexec venv"))
            until(lambda: takes_connections(port), "the service did not start", 60)
            lines = type_in(prepare.splitlines()[0] + "\n" + ask).splitlines()
            expected = shown.splitlines()
            equal(len(lines), len(expected), f"how many lines come out: {lines}")
            for line, wanted in zip(lines, expected, strict=True):
                start_of = IDS.sub("ID", wanted.partition("…")[0])
                check(IDS.sub("ID", line).startswith(start_of), f"{line} begins as {wanted}")
            said = type_in(run_test)
            check("1 passed" in said and "warning" not in said, said)
        finally:
            for one in running:
                one.terminate()
                one.wait(20)
            log.close()
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
