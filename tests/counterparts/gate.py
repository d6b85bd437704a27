"""nginx and Caddy in front of applications on hosts of their own, set up by the files of docs/examples/gate: how a
browser comes in, who stays out, and what the applications are told."""

import json
import os
import re
import socket
import ssl
import subprocess
import sys
import urllib.parse
from http.client import HTTPSConnection
from pathlib import Path

from house import PASSWORD, Answer, House, check, equal, free_port, summary, takes_connections, until
from proxies import EXAMPLES, FORGED, NAME, Application, told

AUTH, WIKI, SHOP = "auth.example.com", "wiki.example.com", "shop.example.com"
ANN, BOB = "ann@example.com", "bob@example.com"
NAVIGATION = [("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html,*/*;q=0.8")]
FORM = [("Content-Type", "application/x-www-form-urlencoded"), ("Sec-Fetch-Site", "same-origin")]
SESSION, APP = "__Host-authd_session", "__Host-authd_app"


class Gate:
    """A proxy that runs the files of the documentation, with other ports and a certificate of this machine's."""

    def __init__(self, name, house, wiki, shop):
        self.name, self.port = name, free_port()
        self.folder = Path(house.folder) / name
        ports = {"8080": house.port, "9000": wiki.port, "9001": shop.port}
        for source in (EXAMPLES / "gate" / name).rglob("*"):
            if source.is_file():
                text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{ports[found[1]]}", source.read_text("utf-8"))
                target = self.folder / source.relative_to(EXAMPLES / "gate" / name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(self.on_this_machine(text), "utf-8")
        command = getattr(self, name)()
        home = str(self.folder)
        environment = {**os.environ, "HOME": home, "XDG_DATA_HOME": home, "XDG_CONFIG_HOME": home}
        environment["CADDY_ADMIN"] = f"127.0.0.1:{free_port()}"
        self.log = open(self.folder / "log", "w", encoding="utf-8")
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=self.log)
        until(lambda: takes_connections(self.port), f"{name} did not start")
        until(self.has_certificates, f"{name} has no certificates")

    def on_this_machine(self, text):
        text = text.replace("listen 443 ssl;", f"listen 127.0.0.1:{self.port} ssl;")
        return text.replace("/etc/ssl/example.com", str(self.folder / "example.com"))

    def nginx(self):
        certificate, key = self.folder / "example.com.pem", self.folder / "example.com.key"
        new = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
        files = ["-subj", "/CN=example.com", "-keyout", key, "-out", certificate]
        subprocess.run(["openssl", *new, *files], check=True, capture_output=True)
        config = self.folder / "nginx.conf"
        return ["nginx", "-e", "stderr", "-p", self.folder, "-c", config, "-g", f"daemon off; pid {self.folder}/pid;"]

    def caddy(self):
        config = self.folder / "Caddyfile"
        own = f"https_port {self.port}\n\tlocal_certs\n\tskip_install_trust\n\tauto_https disable_redirects"
        config.write_text(f"{{\n\t{own}\n}}\n{config.read_text('utf-8')}", "utf-8")
        return ["caddy", "run", "--adapter", "caddyfile", "--config", config]

    def has_certificates(self):
        try:
            return all(self.ask(host, "GET", "/").status for host in (AUTH, WIKI, SHOP))
        except ssl.SSLError:
            return False

    def ask(self, host, method, path, headers=(), body=None):
        """One request to a host of its own, over TLS; `headers` are pairs, sent as they are written."""
        trusting = ssl._create_unverified_context()
        connection = HTTPSConnection(host, timeout=20)
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        connection.sock = trusting.wrap_socket(plain, server_hostname=host)
        try:
            connection.putrequest(method, path, skip_accept_encoding=True)
            for name, value in headers:
                connection.putheader(name, value)
            if body is not None:
                connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


class Browser:
    """Keeps the cookies of each host, and goes where it is told to."""

    def __init__(self, gate):
        self.gate, self.cookies = gate, {}

    def send(self, host, method, path, headers=(), body=None):
        jar = self.cookies.setdefault(host, {})
        sent = list(headers)
        if jar:
            sent.append(("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
        answer = self.gate.ask(host, method, path, sent, body)
        for line in answer.headers.get_all("Set-Cookie") or []:
            pair, *attributes = line.split("; ")
            name, value = pair.split("=", 1)
            check("Secure" in attributes and "Path=/" in attributes, f"{self.gate.name}: {line}")
            if "Max-Age=0" in attributes:
                jar.pop(name, None)
            else:
                jar[name] = value
        return answer

    def open(self, host, path, headers=()):
        return self.send(host, "GET", path, [*NAVIGATION, *headers])

    def led(self, answer, status, host, path):
        """The path that the answer leads to, which begins as `path` at `host`."""
        to = answer.headers["Location"] or ""
        equal(answer.status, status, f"{self.gate.name}: on the way to {host}{path}")
        if to.startswith("/") and not to.startswith("//"):
            to = f"https://{host}{to}"
        check(to.startswith(f"https://{host}{path}"), f"{self.gate.name}: led to {to!r}, not to {host}{path}")
        return to.removeprefix(f"https://{host}")

    def submit(self, host, path, fields):
        page = self.open(host, path).body.decode()
        csrf = re.search(r'name="csrf" value="([^"]*)"', page)
        body = urllib.parse.urlencode({"csrf": csrf[1] if csrf else "", **fields}).encode()
        return self.send(host, "POST", path, [*NAVIGATION, *FORM], body)

    def begin(self, host, path):
        """Opens a page, and comes to the sign-in page."""
        start = self.led(self.open(host, path), 302, host, "/.authd/start?return_to=")
        return self.led(self.open(host, start), 302, AUTH, "/auth/sign-in?app=")

    def sign_in(self, sign_in, email):
        answer = self.submit(AUTH, sign_in, {"email": email, "password": PASSWORD})
        return self.led(answer, 303, AUTH, "/auth/sign-in?app=")

    def come_in(self, host, sign_in):
        """From the sign-in page, signed in, to the page of the application; gives its path."""
        callback = self.led(self.open(AUTH, sign_in), 303, host, "/.authd/callback?code=")
        return self.led(self.open(host, callback), 303, host, "/")

    def enter(self, host, email):
        sign_in = self.begin(host, "/")
        if SESSION not in self.cookies.get(AUTH, {}):
            sign_in = self.sign_in(sign_in, email)
        self.come_in(host, sign_in)
        return self


def nobody_gets_through(gate, wiki):
    before = len(wiki.seen)
    for path in ["/", "/page?x=1", "/?app=shop", "/healthz", "/api/auth/me", "/auth/sign-in"]:
        for method in ["GET", "HEAD", "POST", "DELETE", "OPTIONS"]:
            body = b"x" if method == "POST" else None
            answer = gate.ask(WIKI, method, path, FORGED, body)
            equal(answer.status, 401, f"{gate.name}: {method} {path} without a session")
            challenges = answer.headers.get_all("WWW-Authenticate")
            equal(challenges, ['Bearer realm="authd"'], f"{gate.name}: {method} {path}: the challenge")
            if method != "GET":
                answer = gate.ask(WIKI, method, path, NAVIGATION, body)
                equal((answer.status, answer.headers["Location"]), (401, None), f"{gate.name}: {method} by a form")
    for odd in [[("Sec-Fetch-Mode", "cors"), ("Accept", "text/html")], [("Accept", "application/json")]]:
        answer = gate.ask(WIKI, "GET", "/", odd)
        equal((answer.status, answer.headers["Location"]), (401, None), f"{gate.name}: a script, {odd}")
    ways = ["/.authd/../page", "/.authd/%2e%2e/page", "//.authd/x", "/.AUTHD/x", "/%2eauthd/start", "/.authd%2f..%2fpage"]
    for path in [*ways, "/.authd/question", "/.authd/callback/../../page", "/.authd/x", "/.authd/", "/.authd"]:
        answer = gate.ask(WIKI, "GET", path, FORGED)
        check(answer.status in (301, 308, 400, 401, 404), f"{gate.name}: {path} is {answer.status}")
    equal(len(wiki.seen), before, f"{gate.name}: the application heard of somebody without a session")


def the_dance(gate, house):
    ann = Browser(gate)
    start = ann.led(ann.open(WIKI, "/page?a=b&c=%2Fd"), 302, WIKI, "/.authd/start?return_to=")
    equal(start, "/.authd/start?return_to=%2Fpage%3Fa%3Db%26c%3D%252Fd", f"{gate.name}: the whole path is kept")
    sign_in = ann.led(ann.open(WIKI, start), 302, AUTH, "/auth/sign-in?app=wiki&state=")
    equal(list(ann.cookies[WIKI]), ["__Host-authd_state"], f"{gate.name}: the browser has begun")
    page = ann.open(AUTH, sign_in)
    check("To go on to wiki.example.com" in page.body.decode(), f"{gate.name}: the page says where to")
    sign_in = ann.sign_in(sign_in, ANN)
    check(SESSION in ann.cookies[AUTH], f"{gate.name}: signed in on authd's host")
    equal(ann.come_in(WIKI, sign_in), "/page?a=b&c=%2Fd", f"{gate.name}: back on the very page")
    equal(sorted(ann.cookies[WIKI]), [APP, "__Host-authd_state"], f"{gate.name}: what is kept of the application's host")
    user = json.loads(house.ctl("user", "show", ANN, "-o", "json"))
    for method, body in [("GET", None), ("POST", b"y" * 300_000), ("PUT", b""), ("DELETE", None)]:
        answer = ann.send(WIKI, method, "/page?a=b&c=%2Fd", [*NAVIGATION, *FORGED], body)
        equal(answer.status, 200, f"{gate.name}: {method} with a session")
        heard = answer.json()
        equal((heard["method"], heard["path"]), (method, "/page?a=b&c=%2Fd"), f"{gate.name}: the request itself")
        equal(heard["length"], len(body or b""), f"{gate.name}: {method}: the body")
        found = told(answer)
        equal([urllib.parse.unquote(name) for name in found.pop("remote-name")], [NAME], f"{gate.name}: the name")
        expected = {"remote-user": [user["id"]], "remote-email": [ANN], "remote-groups": ["editor"]}
        equal(found, expected, f"{gate.name}: {method}: who it is")
    # The next application asks nobody anything.
    equal(ann.come_in(SHOP, ann.begin(SHOP, "/cart")), "/cart", f"{gate.name}: the second application")
    equal(ann.open(SHOP, "/cart").status, 200, f"{gate.name}: is in there, too")


def what_a_client_says_counts_for_nothing(gate, wiki):
    lies = [
        ("X-Forwarded-Host", SHOP),
        ("X-Forwarded-Uri", "/elsewhere"),
        ("X-Forwarded-Proto", "http"),
        ("X-Forwarded-For", "203.0.113.9"),
        ("Forwarded", f"host={SHOP}"),
    ]
    stranger = Browser(gate)
    for method in ["POST", "GET"]:
        answer = stranger.open(WIKI, "/page", [*lies, ("X-Forwarded-Method", method)])
        start = stranger.led(answer, 302, WIKI, "/.authd/start?return_to=")
        equal(start, "/.authd/start?return_to=%2Fpage", f"{gate.name}: a path that the client made up")
    answer = stranger.send(WIKI, "POST", "/page", [*NAVIGATION, *lies, ("X-Forwarded-Method", "GET")], b"x")
    equal((answer.status, answer.headers["Location"]), (401, None), f"{gate.name}: a POST that says it is a GET")
    stranger.led(stranger.open(WIKI, "/.authd/start", lies), 302, AUTH, "/auth/sign-in?app=wiki&")
    for path in ["start", "callback", "sign-out"]:
        answer = gate.ask(AUTH, "GET", f"/.authd/{path}", [("X-Forwarded-Host", WIKI)])
        equal(answer.status, 404, f"{gate.name}: {path} at authd's own host")
    # Bob may use the shop alone; what he has of it opens nothing at the wiki.
    bob = Browser(gate).enter(SHOP, BOB)
    equal(told(bob.send(SHOP, "GET", "/", FORGED))["remote-email"], [BOB], f"{gate.name}: Bob at the shop")
    before = len(wiki.seen)
    cookie = [("Cookie", f"{APP}={bob.cookies[SHOP][APP]}")]
    session = [("Cookie", f"{APP}={bob.cookies[AUTH][SESSION]}")]
    for sent in [cookie, cookie + lies, session]:
        for path in ["/", "/?app=shop", "/x?role=editor&app=shop"]:
            equal(gate.ask(WIKI, "GET", path, sent).status, 401, f"{gate.name}: the shop's cookie at the wiki")
    answer = bob.open(AUTH, bob.begin(WIKI, "/"))
    equal(answer.status, 403, f"{gate.name}: Bob, who may not use the wiki")
    check(BOB in answer.body.decode(), f"{gate.name}: the page says who he is")
    equal(len(wiki.seen), before, f"{gate.name}: the wiki heard of Bob")


def the_applications_get_no_cookie_of_authds(gate):
    ann = Browser(gate).enter(WIKI, ANN)
    app = f"{APP}={ann.cookies[WIKI][APP]}"
    names = ["state", "lang", "form", "notice", "ticket", "csrf", "anything"]
    state, lang, form, notice, ticket, csrf, other = [f"__Host-authd_{name}=x-{name}" for name in names]
    near = ["x__Host-authd_csrf=2", "__host-authd_app=3", "b=__Host-authd_app"]
    for sent, heard in [
        ([app], []),
        ([app, state], []),
        ([state, app, "a=1"], ["a=1"]),
        (["a=1", app], ["a=1"]),
        (["a=1", app, "b=2"], ["a=1", "b=2"]),
        (["a=1", app, "b=2", state], ["a=1", "b=2"]),
        ([app, "a=1", lang, "b=2", state], ["a=1", "b=2"]),
        ([form, notice, "a=1", ticket, csrf, app, "b=2", lang, other], ["a=1", "b=2"]),
        ([near[0], app, near[1], state, near[2]], near),
        ([near[1], app, near[2], state, near[0]], [near[1], near[2], near[0]]),
    ]:
        for separator in ["; ", ";", " ;\t"]:
            answer = gate.ask(WIKI, "GET", "/", [("Cookie", separator.join(sent))])
            equal(answer.status, 200, f"{gate.name}: by cookie among {sent}")
            equal(cookies_of(answer), heard, f"{gate.name}: the cookies of the application, of {sent} by {separator!r}")
    # More than any browser sends of authd's, between those of the application.
    many = [part for number in range(9) for part in (f"{lang}{number}", f"a{number}=1")]
    found = cookies_of(gate.ask(WIKI, "GET", "/", [("Cookie", "; ".join([app, *many]))]))
    check(not [cookie for cookie in found if "authd" in cookie], f"{gate.name}: many runs leave {found}")
    found = cookies_of(gate.ask(WIKI, "GET", "/", [("Cookie", f"a=1; {app.replace('=', ' = ', 1)}; {state}")]))
    equal(found, ["a=1"], f"{gate.name}: spaces around")


def cookies_of(answer):
    sent = "; ".join(value for name, value in answer.json()["headers"] if name == "cookie")
    return [cookie.strip() for cookie in sent.split(";") if cookie.strip()]


def whatever_ends_it_counts_at_once(gate, house, wiki):
    def is_out(browser, what):
        before = len(wiki.seen)
        browser.led(browser.open(WIKI, "/page"), 302, WIKI, "/.authd/start?return_to=%2Fpage")
        equal(browser.send(WIKI, "GET", "/").status, 401, f"{gate.name}: {what}")
        equal(browser.send(WIKI, "POST", "/", NAVIGATION, b"x").status, 401, f"{gate.name}: {what}, POST")
        equal(len(wiki.seen), before, f"{gate.name}: {what}, and the application heard of it")

    def is_in(browser):
        equal(browser.open(WIKI, "/page").status, 200, f"{gate.name}: is in")

    ann = Browser(gate).enter(WIKI, ANN)
    is_in(ann)
    house.ctl("role", "unassign", ANN, "editor")
    page = ann.open(WIKI, "/page")
    equal((page.status, page.headers.get_content_type()), (403, "text/html"), f"{gate.name}: a role that is lost")
    check(ANN in page.body.decode() and "/.authd/sign-out" in page.body.decode(), f"{gate.name}: and a page says so")
    check("style-src 'self' https://auth.example.com" in page.headers["Content-Security-Policy"], f"{gate.name}: its policy")
    for method in ["GET", "POST"]:
        answer = ann.send(WIKI, method, "/", [], b"x" if method == "POST" else None)
        problem = (answer.status, answer.headers.get_content_type())
        equal(problem, (403, "application/problem+json"), f"{gate.name}: a program without the role")
    house.ctl("role", "assign", ANN, "editor")
    is_in(ann)
    house.ctl("user", "disable", ANN)
    is_out(ann, "disabled")
    house.ctl("user", "enable", ANN)
    is_out(ann, "a session does not come back")
    ann = Browser(gate).enter(WIKI, ANN)
    house.ctl("token", "revoke", "--user", ANN, "--yes")
    is_out(ann, "an ended session")
    ann = Browser(gate).enter(WIKI, ANN)
    house.ctl("app", "delete", "wiki", "--yes")
    equal(ann.send(WIKI, "GET", "/").status, 401, f"{gate.name}: an application that is gone")
    add_apps(house, "wiki")


def a_start_leads_nowhere_else(gate):
    tries = [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "@evil.example",
        "javascript:alert(1)",
        f"https://{WIKI}@evil.example/",
        f"https://{SHOP}/",
    ]
    ann = Browser(gate).enter(WIKI, ANN)
    for wish in tries:
        start = f"/.authd/start?return_to={urllib.parse.quote(wish, safe='')}"
        sign_in = ann.led(ann.open(WIKI, start), 302, AUTH, "/auth/sign-in?app=wiki&")
        path = ann.come_in(WIKI, sign_in)
        expected = wish if wish.startswith("/%") else "/"
        equal(path, expected, f"{gate.name}: start is asked to lead to {wish!r}")
    for path in ["//evil.example", "//evil.example/%2e%2e", "/\\evil.example"]:
        answer = ann.gate.ask(WIKI, "GET", path, NAVIGATION)
        if answer.status == 302:
            start = ann.led(answer, 302, WIKI, "/.authd/start?return_to=")
            # Caddy encodes the backslash, which then is one of a path.
            led_to = start.removeprefix("/.authd/start?return_to=")
            check(led_to in ("%2F", "%2F%255Cevil.example"), f"{gate.name}: {path} is led to {led_to}")


def signing_out_at_one_application_signs_out_everywhere(gate):
    ann = Browser(gate).enter(WIKI, ANN).enter(SHOP, ANN)
    equal(ann.open(WIKI, "/.authd/sign-out").status, 200, f"{gate.name}: the page that asks")
    equal(ann.open(SHOP, "/").status, 200, f"{gate.name}: a link alone signs nobody out")
    foreign = [*NAVIGATION, FORM[0], ("Sec-Fetch-Site", "cross-site")]
    equal(ann.send(WIKI, "POST", "/.authd/sign-out", foreign, b"csrf=x").status, 403, f"{gate.name}: another site's form")
    ann.led(ann.submit(WIKI, "/.authd/sign-out", {}), 303, AUTH, "/auth/sign-in")
    check(APP not in ann.cookies[WIKI], f"{gate.name}: the cookie is gone")
    sign_in = ann.begin(SHOP, "/")
    equal(ann.open(AUTH, sign_in).status, 200, f"{gate.name}: the shop asks again")


def without_authd_nobody_gets_through(gate, house, wiki):
    ann = Browser(gate).enter(WIKI, ANN)
    house.stop()
    before = len(wiki.seen)
    status = ann.open(WIKI, "/").status
    check(status >= 500, f"{gate.name}: without authd it is {status}")
    equal(len(wiki.seen), before, f"{gate.name}: the application was asked without authd")
    house.start()
    until(lambda: ann.open(WIKI, "/").status == 200, f"{gate.name} did not find authd again")


def add_apps(house, *names):
    for name, *rule in [("wiki", "--allow-role", "editor"), ("shop", "--allow-everyone")]:
        if name in names:
            house.ctl("app", "add", name, "--url", f"https://{name}.example.com", *rule)


def main():
    with House(sys.argv[1], {"public_url": f"https://{AUTH}", "proxy.trusted": "127.0.0.1"}) as house:
        house.ctl("role", "add", "editor")
        house.add_user(ANN, "--name", NAME, "--role", "editor")
        house.add_user(BOB)
        add_apps(house, "wiki", "shop")
        for name in sys.argv[2:]:
            print(f"-- {name}", flush=True)
            wiki, shop = Application(), Application()
            gate = Gate(name, house, wiki, shop)
            try:
                nobody_gets_through(gate, wiki)
                the_dance(gate, house)
                what_a_client_says_counts_for_nothing(gate, wiki)
                the_applications_get_no_cookie_of_authds(gate)
                a_start_leads_nowhere_else(gate)
                signing_out_at_one_application_signs_out_everywhere(gate)
                whatever_ends_it_counts_at_once(gate, house, wiki)
                without_authd_nobody_gets_through(gate, house, wiki)
            finally:
                gate.stop()
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
