"""Runs authd, logs in to it in good ways and bad, and has Prometheus tell what happened.

Checks with promtool what authd exports and what stands in docs/; starts Prometheus with the configuration of
docs/, compares its numbers with what was done, and asks it every question of the dashboard and the alerts.
Both programs run on free ports in a folder of their own and end with this one.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PASSWORD = "correct horse battery staple"
PATIENCE = 60

passed = []
failed = []


def check(what, holds, told=""):
    (passed if holds else failed).append(what)
    print(f"{'ok' if holds else 'FAILED'}: {what}{'' if holds else f': {told}'}")


def request(url, body=None):
    """Status and text of an answer."""
    data = json.dumps(body).encode() if body is not None else None
    wanted = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(wanted, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError:
        return 0, ""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(what, question, process):
    """Asks until the answer is true, for as long as the process lives and patience lasts."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = question()
        if answer:
            return answer
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.2)
            sys.exit(f"{what}: the program ended")
    sys.exit(f"{what}: not within {PATIENCE} s")


@contextlib.contextmanager
def running(command, **options):
    process = subprocess.Popen(command, **options)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(20)


def promtool(*arguments, **options):
    run = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False, **options)
    said = run.stdout + run.stderr
    check("promtool " + " ".join(Path(argument).name for argument in arguments), run.returncode == 0, said)
    return said


def log_in(api, email, password):
    return request(f"{api}/api/auth/login", {"email": email, "password": password})[0]


def play(authd, folder, api):
    """Two logins, one of nobody, five wrong passwords, and what follows from those."""
    add = [authd, "user", "add", "ann@example.com", "--verified", "--password-stdin", "-q"]
    subprocess.run(add, cwd=folder, input=PASSWORD, text=True, check=True, capture_output=True)
    statuses = [log_in(api, "ann@example.com", PASSWORD) for _ in range(2)]
    statuses.append(log_in(api, "nobody@example.com", PASSWORD))
    statuses += [log_in(api, "ann@example.com", "wrong password") for _ in range(5)]
    statuses.append(log_in(api, "ann@example.com", PASSWORD))
    check("logins answer as expected", statuses == [200, 200, 401, 401, 401, 401, 401, 401, 429], statuses)
    for number in range(50):
        request(f"{api}/no/such/path/{number}")


EXPECTED = {
    'authd_logins_total{outcome="succeeded"}': 2,
    'authd_logins_total{outcome="unknown_email"}': 1,
    'authd_logins_total{outcome="wrong_password"}': 5,
    'authd_logins_total{outcome="too_many_attempts"}': 1,
    'authd_lockouts_total{scope="network"}': 1,
    'authd_http_requests_total{method="POST",route="/api/auth/login",status="200"}': 2,
    'authd_http_requests_total{method="POST",route="/api/auth/login",status="401"}': 6,
    'authd_http_requests_total{method="POST",route="/api/auth/login",status="429"}': 1,
    # Fifty made up, and /metrics.
    'authd_http_requests_total{method="GET",route="unknown",status="404"}': 51,
    'authd_http_requests_total{method="POST",route="/api/auth/login",status="500"}': 0,
    'authd_http_request_duration_seconds_count{method="POST",route="/api/auth/login"}': 9,
    # The account's first password was hashed by another process.
    "authd_hash_duration_seconds_count": 8,
    "authd_hash_refused_total": 0,
    "authd_commit_failures_total": 0,
    "authd_users": 1,
    "authd_sessions_alive": 2,
    "authd_database_up": 1,
}


def expressions():
    """Every question of the dashboard, as Grafana would ask it, and of the alerts."""
    dashboard = json.loads((DOCS / "grafana-dashboard.json").read_text())
    targets = [target for panel in dashboard["panels"] for target in panel.get("targets", [])]
    variables = {"$__rate_interval": "1m", "$job": "authd", "$instance": ".*"}
    for target in targets:
        expression = target["expr"]
        for name, value in variables.items():
            expression = expression.replace(name, value)
        yield expression


def main(authd):
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o700)
        authd = Path(authd).resolve()
        api_port, metrics_port, prometheus_port = free_port(), free_port(), free_port()
        api, metrics = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{metrics_port}/metrics"
        prometheus = f"http://127.0.0.1:{prometheus_port}"
        settings = f'listen = "127.0.0.1:{api_port}"\n[metrics]\nlisten = "127.0.0.1:{metrics_port}"\n'
        Path(folder, "authd.toml").write_text(settings)

        promtool("check", "rules", str(DOCS / "prometheus-alerts.yml"))
        promtool("check", "config", str(DOCS / "prometheus.yml"))
        configuration = (DOCS / "prometheus.yml").read_text()
        configuration = configuration.replace("127.0.0.1:9090", f"127.0.0.1:{metrics_port}").replace("15s", "1s")
        Path(folder, "prometheus.yml").write_text(configuration)
        Path(folder, "prometheus-alerts.yml").write_text((DOCS / "prometheus-alerts.yml").read_text())

        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
        watch = ["prometheus", "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        watch.append(f"--web.listen-address=127.0.0.1:{prometheus_port}")
        with running([authd, "serve"], **quiet) as daemon:
            wait_for("authd", lambda: request(f"{api}/healthz")[0] == 200, daemon)
            play(authd, folder, api)
            check("the API serves no metrics", request(f"{api}/metrics")[0] == 404)
            exported = request(metrics)[1]
            said = promtool("check", "metrics", input=exported)
            check("promtool has nothing to say of the metrics", not said.strip(), said)
            with running(watch, **quiet) as watcher:
                compare(prometheus, watcher)
                ask_everything(prometheus)
    print(f"{len(passed)} passed, {len(failed)} failed")
    return 1 if failed else 0


def query(prometheus, expression):
    question = urllib.parse.urlencode({"query": expression})
    status, text = request(f"{prometheus}/api/v1/query?{question}")
    return json.loads(text)["data"]["result"] if status == 200 else None


def compare(prometheus, watcher):
    """Twice scraped, so that rates have something to go by."""
    wait_for(
        "Prometheus",
        lambda: (query(prometheus, 'count_over_time(up{job="authd"}[5m]) >= 2') or None),
        watcher,
    )
    check("authd is up", [row["value"][1] for row in query(prometheus, 'up{job="authd"}')] == ["1"])
    for series, count in EXPECTED.items():
        values = [float(row["value"][1]) for row in query(prometheus, series)]
        check(f"{series} is {count}", values == [count], values)


def ask_everything(prometheus):
    empty = []
    for expression in expressions():
        answer = query(prometheus, expression)
        check(f"Prometheus understands {re.sub(r'{[^}]*}', '', expression)}", answer is not None)
        if not answer:
            empty.append(expression)
    # Only mail that is sent can wait, and this authd sends none.
    known = [expression for expression in empty if "authd_mail_waiting_seconds" not in expression]
    check("every panel shows something", not known, known)
    rules = json.loads(request(f"{prometheus}/api/v1/rules")[1])["data"]["groups"][0]["rules"]
    errors = [rule["name"] for rule in rules if rule.get("lastError")]
    check(f"all {len(rules)} alerts can be judged", rules and not errors, errors)
    firing = [rule["name"] for rule in rules if rule["state"] == "firing"]
    check("no alert goes off over a lockout", not firing, firing)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
