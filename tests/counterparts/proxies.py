"""nginx and Caddy in front of an application, set up by the files that the documentation shows: who gets
through, and whom the application is told it was."""

import http.server
import json
import os
import re
import subprocess
import sys
import threading
import urllib.parse
from pathlib import Path

from house import House, ask, check, equal, free_port, summary, takes_connections, until

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"
NAME = "Ann Łęcka, 100% + \"x\""
TOLD = ["remote-user", "remote-email", "remote-name", "remote-groups"]
FORGED = [
    ("Remote-User", "admin"),
    ("remote-user", "admin"),
    ("REMOTE-EMAIL", "admin@example.com"),
    ("Remote-Name", "Admin"),
    ("Remote-Groups", "admin,editor"),
    ("Remote_User", "admin"),
    ("remote_groups", "admin,editor"),
]


class Application:
    """Answers with what it was asked, and remembers it."""

    def __init__(self):
        seen = self.seen = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                request = {
                    "method": self.command,
                    "path": self.path,
                    "headers": [[name.lower(), value] for name, value in self.headers.items()],
                    "length": len(body),
                }
                seen.append(request)
                answer = json.dumps(request).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(answer)

            do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


class Proxy:
    """A proxy that runs a file of the documentation, with other ports."""

    def __init__(self, name, house, application):
        self.name, self.port = name, free_port()
        ports = {"8080": house.port, "9000": application.port, "8000": self.port}
        source = EXAMPLES / {"nginx": "nginx/nginx.conf", "caddy": "caddy/Caddyfile"}[name]
        text = source.read_text(encoding="utf-8")
        for documented, own in ports.items():
            if f"127.0.0.1:{documented}" not in text:
                raise RuntimeError(f"{source} does not name port {documented}")
        # In one go, so that a port of our own that is one of the documented stays.
        text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[found[1]]}", text)
        config = Path(house.folder) / source.name
        config.write_text(text, encoding="utf-8")
        command = {
            "nginx": ["nginx", "-e", "stderr", "-p", house.folder, "-c", config, "-g", f"daemon off; pid {house.folder}/nginx.pid;"],
            "caddy": ["caddy", "run", "--adapter", "caddyfile", "--config", config],
        }[name]
        own_home = {"HOME": house.folder, "XDG_DATA_HOME": house.folder, "XDG_CONFIG_HOME": house.folder}
        environment = {**os.environ, **own_home, "CADDY_ADMIN": f"127.0.0.1:{free_port()}"}
        self.log = open(Path(house.folder) / f"{name}.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        until(lambda: takes_connections(self.port), f"{name} did not start")

    def ask(self, method, path, headers=(), body=None):
        return ask(self.port, method, path, headers, body)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def told(answer):
    """What the application learned of the caller, by header, each of which must stand once."""
    headers = answer.json()["headers"]
    return {name: [value for known, value in headers if known.replace("_", "-") == name] for name in TOLD}


def bearer(token):
    return [("Authorization", f"Bearer {token}")]


def nobody_gets_through(proxy, application):
    before = len(application.seen)
    for path in ["/", "/page?x=1", "/editors/", "/editors/x", "/healthz"]:
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]:
            answer = proxy.ask(method, path, FORGED, b"x" if method == "POST" else None)
            equal(answer.status, 401, f"{proxy.name}: {method} {path} without a session")
    equal(proxy.ask("GET", "/").headers["WWW-Authenticate"], 'Bearer realm="authd"', f"{proxy.name}: the challenge")
    equal(proxy.ask("GET", "/", bearer("no.such.token")).status, 401, f"{proxy.name}: a wrong token")
    preflight = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "DELETE")]
    equal(proxy.ask("OPTIONS", "/", preflight).status, 401, f"{proxy.name}: a preflight")
    for odd in ["//", "/api/auth/../../page", "/api/auth/..%2f..%2fpage", "/auth/%2e%2e/page", "/API/auth/me", "/%61pi/auth/x"]:
        answer = proxy.ask("GET", odd, FORGED)
        check(answer.status in (400, 401, 404), f"{proxy.name}: {odd} is {answer.status}")
    equal(len(application.seen), before, f"{proxy.name}: the application heard of somebody without a session")


def the_application_is_told_who_it_is(proxy, house):
    ann, bob = house.token("ann@example.com"), house.token("bob@example.com")
    user = json.loads(house.ctl("user", "show", "ann@example.com", "-o", "json"))
    expected = {
        "remote-user": [user["id"]],
        "remote-email": ["ann@example.com"],
        "remote-groups": ["editor,viewer"],
    }
    for forged in [[], FORGED]:
        for method, body in [("GET", None), ("POST", b"y" * 300_000), ("PUT", b""), ("DELETE", None), ("OPTIONS", None)]:
            sent = bearer(ann) + forged + [("Content-Type", "text/x-anything")]
            answer = proxy.ask(method, "/page?x=1", sent, body)
            equal(answer.status, 200, f"{proxy.name}: {method} with a session")
            heard = answer.json()
            equal((heard["method"], heard["path"]), (method, "/page?x=1"), f"{proxy.name}: the request itself")
            equal(heard["length"], len(body or b""), f"{proxy.name}: {method}: the body")
            found = told(answer)
            equal([urllib.parse.unquote(name) for name in found.pop("remote-name")], [NAME], f"{proxy.name}: the name")
            equal(found, expected, f"{proxy.name}: {method}: who it is")
    # Where there is nothing to tell, nothing that the client wrote may stand in its place.
    found = told(proxy.ask("GET", "/", bearer(bob) + FORGED))
    equal(found["remote-email"], ["bob@example.com"], f"{proxy.name}: Bob's address")
    for name in ["remote-name", "remote-groups"]:
        check(found[name] in ([], [""]), f"{proxy.name}: Bob's {name} is {found[name]}")
    # A role that is missing, and one that comes and goes.
    before = house.ctl("role", "list", "-q").split()
    check("editor" in before, "there is a role editor")
    for path in ["/editors/", "/editors/x", "//editors/x", "/%65ditors/x", "/x/../editors/x"]:
        equal(proxy.ask("GET", path, bearer(bob) + FORGED).status, 403, f"{proxy.name}: {path} without the role")
        equal(proxy.ask("GET", path, bearer(ann)).status, 200, f"{proxy.name}: {path} with the role")
    house.ctl("role", "assign", "bob@example.com", "editor")
    equal(proxy.ask("GET", "/editors/", bearer(bob)).status, 200, f"{proxy.name}: the role counts at once")
    house.ctl("role", "unassign", "bob@example.com", "editor")
    equal(proxy.ask("GET", "/editors/", bearer(bob)).status, 403, f"{proxy.name}: and no more at once")


def a_browser_s_session_lives_until_its_logout(proxy, house):
    answer = house.login("ann@example.com", port=proxy.port, cookies=True)
    pairs = [value.split(";")[0] for value in answer.headers.get_all("Set-Cookie")]
    csrf = next(pair.split("=", 1)[1] for pair in pairs if pair.startswith("__Host-authd_csrf="))
    cookies = [("Cookie", "; ".join(pairs))]
    for method in ["GET", "HEAD", "POST"]:
        equal(proxy.ask(method, "/", cookies, None).status, 200, f"{proxy.name}: {method} by cookie")
    equal(told(proxy.ask("POST", "/", cookies + FORGED, b"z"))["remote-email"], ["ann@example.com"], f"{proxy.name}: by cookie")
    equal(proxy.ask("GET", "/api/auth/me", cookies).json()["email"], "ann@example.com", f"{proxy.name}: authd behind it")
    out = proxy.ask("POST", "/api/auth/logout", cookies + [("X-CSRF-Token", csrf)], b"")
    equal(out.status, 204, f"{proxy.name}: logout: {out.body!r}")
    equal(proxy.ask("GET", "/", cookies).status, 401, f"{proxy.name}: after the logout")
    the_application_gets_no_cookie_of_authds(proxy, house)
    for path in ["/.well-known/jwks.json", "/.well-known/oauth-authorization-server", "/api/auth/openapi.json"]:
        equal(proxy.ask("GET", path).status, 200, f"{proxy.name}: {path}")
    equal(proxy.ask("GET", "/auth/reset-password?token=x").headers.get_content_type(), "text/html", f"{proxy.name}: a page")


def the_application_gets_no_cookie_of_authds(proxy, house):
    answer = house.login("ann@example.com", port=proxy.port, cookies=True)
    access, refresh, csrf = [value.split(";")[0] for value in answer.headers.get_all("Set-Cookie")]
    # Beside the API's cookies it is not looked at.
    session = "__Host-authd_session=authd_bs_x"
    app, state = "__Host-authd_app=authd_as_x", "__Host-authd_state=authd_st_x"
    near = ["b=__Host-authd_access", "x__Host-authd_csrf=2", "__host-authd_csrf=3"]
    for sent, heard in [
        ([access], []),
        ([access, refresh, csrf], []),
        ([session, access], []),
        ([access, session, "a=1"], ["a=1"]),
        (["a=1", access, refresh, session, csrf, "b=2"], ["a=1", "b=2"]),
        (["a=1", access, refresh, csrf, "b=2"], ["a=1", "b=2"]),
        ([csrf, "a=1", refresh, "b=__Host-authd_access", access], ["a=1", "b=__Host-authd_access"]),
        ([refresh, access, "a=1"], ["a=1"]),
        (["a=1", access], ["a=1"]),
        ([app, access, state, "a=1"], ["a=1"]),
        (["a=1", app, access, "b=2", state], ["a=1", "b=2"]),
        ([near[0], access, near[1], csrf, near[2]], near),
    ]:
        for separator in ["; ", ";", " ;\t"]:
            for method, path in [("GET", "/"), ("POST", "/editors/")]:
                answer = proxy.ask(method, path, [("Cookie", separator.join(sent))], b"z" if method == "POST" else None)
                equal(answer.status, 200, f"{proxy.name}: {path} by cookie among {sent}")
                cookies = [value for name, value in answer.json()["headers"] if name == "cookie"]
                found = [cookie.strip() for cookie in "; ".join(cookies).split(";") if cookie.strip()]
                equal(found, heard, f"{proxy.name}: the cookies of the application, of {sent} by {separator!r}")
    padded = access.replace("=", " = ", 1)
    answer = proxy.ask("GET", "/", [("Cookie", f"a=1; {padded}; {csrf}")])
    equal([value for name, value in answer.json()["headers"] if name == "cookie" and "authd" in value], [], f"{proxy.name}: spaces around")


def without_authd_nobody_gets_through(proxy, house, application):
    token = house.token("ann@example.com")
    house.stop()
    before = len(application.seen)
    status = proxy.ask("GET", "/", bearer(token)).status
    check(status >= 500, f"{proxy.name}: without authd it is {status}")
    equal(len(application.seen), before, f"{proxy.name}: the application was asked without authd")
    house.start()
    until(lambda: proxy.ask("GET", "/", bearer(token)).status == 200, f"{proxy.name} did not find authd again")


def main():
    with House(sys.argv[1], {"cors.origins": "https://app.example"}) as house:
        for role in ["editor", "viewer"]:
            house.ctl("role", "add", role)
        house.add_user("ann@example.com", "--name", NAME, "--role", "editor", "--role", "viewer")
        house.add_user("bob@example.com")
        for name in sys.argv[2:]:
            print(f"-- {name}", flush=True)
            application = Application()
            proxy = Proxy(name, house, application)
            try:
                nobody_gets_through(proxy, application)
                the_application_is_told_who_it_is(proxy, house)
                a_browser_s_session_lives_until_its_logout(proxy, house)
                without_authd_nobody_gets_through(proxy, house, application)
            finally:
                proxy.stop()
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
