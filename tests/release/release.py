"""The files of a release, used as people would: checksums, bill of materials, archive, Debian package, image."""

import glob
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from house import JSON, PASSWORD, ask, check, equal, free_port, summary, takes_connections, until

EXAMPLES = "docs/examples/compose"
EMULATOR = "qemu-aarch64-static"


def run(*command, **more):
    """What a command prints; it must succeed."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, **more)
    if done.returncode:
        raise RuntimeError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def only(pattern):
    found = glob.glob(pattern)
    if len(found) != 1:
        raise RuntimeError(f"{pattern}: {found}")
    return found[0]


def unpack(archive, folder):
    """As root keeps owners and modes."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        tar.extractall(folder, numeric_owner=True, filter="fully_trusted")


def log_in(port, email):
    body = json.dumps({"email": email, "password": PASSWORD}).encode()
    answer = ask(port, "POST", "/api/auth/login", JSON, body)
    equal(answer.status, 200, f"login: {answer.body!r}")
    me = ask(port, "GET", "/api/auth/me", {"Authorization": "Bearer " + answer.json()["access_token"]})
    equal((me.status, me.json()["email"]), (200, email), "the token counts")


def sums(files):
    with open(f"{files}/SHA256SUMS", encoding="ascii") as lines:
        named = dict(reversed(line.split()) for line in lines)
    equal(sorted(named), sorted(name for name in os.listdir(files) if name != "SHA256SUMS"), "every file has a sum")
    for name, expected in named.items():
        with open(f"{files}/{name}", "rb") as content:
            equal(hashlib.sha256(content.read()).hexdigest(), expected, name)


def bill_of_materials(files):
    with open(only(f"{files}/*.cdx.json"), encoding="utf-8") as document:
        text = document.read()
    refused = JsonStrictValidator(SchemaVersion.V1_5).validate_str(text)
    check(refused is None, f"the bill of materials is CycloneDX 1.5: {refused}")
    bill = json.loads(text)
    named = {part["name"]: part["version"] for part in bill["components"]}
    with open("Cargo.lock", encoding="utf-8") as lock:
        locked = lock.read()
    for name in ("rusqlite", "aws-lc-sys", "rustls", "argon2"):
        check(f'name = "{name}"\nversion = "{named.get(name)}"' in locked, f"{name} is in it as it is locked")
    check("proptest" not in named, "what only tests need is not in it")
    equal(bill["metadata"]["component"]["name"], "authd", "it is authd's")
    check(os.getcwd() not in text, "it names no path of this machine")


def archive(files, folder):
    """Unpacked anywhere, its install.sh needs no compiler."""
    with open(only(f"{files}/*.tar.gz"), "rb") as content:
        unpack(gzip.decompress(content.read()), folder)
    place = only(f"{folder}/authd-*")
    needs = subprocess.run(["ldd", f"{place}/authd"], text=True, capture_output=True, check=False)
    said = needs.stdout + needs.stderr
    check("not a dynamic executable" in said or "statically linked" in said, f"no library is needed: {said}")
    cargo = os.environ.get("CARGO_HOME") or os.path.expanduser("~/.cargo")
    with open(f"{place}/authd", "rb") as program:
        content = program.read()
    for path in (os.getcwd(), cargo):
        check(path.encode() not in content, f"the program names no path of this machine: {path}")
    check(os.path.exists(f"{place}/data/authd.sysusers"), "install.sh --system has what makes its user")
    prefix = f"{folder}/prefix"
    bare = {"PATH": "/usr/bin:/bin", "HOME": folder}
    run("sh", f"{place}/install.sh", "--prefix", prefix, env=bare)
    check(run(f"{prefix}/bin/authctl", "--version").startswith("authctl "), "it is installed")


class Serving:
    """A daemon that was just started; it is stopped at the end, whatever comes."""

    def __init__(self, command, port, log, environment):
        self.port, self.log = port, log
        with open(log, "w", encoding="utf-8") as lines:
            self.process = subprocess.Popen(command, stdout=lines, stderr=lines, env=environment)

    def __enter__(self):
        until(lambda: takes_connections(self.port) or self.process.poll() is not None, "authd did not start")
        if self.process.poll() is not None:
            raise RuntimeError("authd ended: " + self.said())
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    def said(self):
        with open(self.log, encoding="utf-8") as lines:
            return lines.read()


def package(files, debian, folder):
    """On a Debian with nothing else on it, as the service's user, with the key as systemd hands it over."""
    root = f"{folder}/debian"
    os.mkdir(root)
    with open(debian, "rb") as content:
        unpack(content.read(), root)
    shutil.copy(only(f"{files}/*.deb"), f"{root}/root/authd.deb")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C"}

    def inside(*command, **more):
        return run("chroot", root, *command, env=environment, **more)

    inside("dpkg", "-i", "/root/authd.deb")
    equal(inside("stat", "-c", "%a %U", "/var/lib/authd", "/etc/authd/authd.key"), "700 authd\n600 root\n", "modes")
    check("authd serve" in inside("cat", "/usr/lib/systemd/system/authd.service"), "the unit is there")
    check(inside("dpkg", "-L", "authd").count("completion") >= 4, "completions are there")
    inside("install", "-d", "-o", "authd", "-m", "700", "/run/credentials")
    inside("install", "-o", "authd", "-m", "400", "/etc/authd/authd.key", "/run/credentials/key_file")
    port = free_port()
    daemon = ["chroot", "--userspec=authd:authd", root, "/usr/bin/authd", "serve", "--config", "/etc/authd/authd.toml"]
    service = {**environment, "AUTHD_LISTEN": f"127.0.0.1:{port}", "CREDENTIALS_DIRECTORY": "/run/credentials"}
    with Serving(daemon, port, f"{folder}/package.log", service) as serving:
        inside("authctl", "user", "add", "ann@example.com", "--verified", "--password-stdin", input=PASSWORD + "\n")
        log_in(port, "ann@example.com")
        serving.process.terminate()
        equal(serving.process.wait(10), 0, "it ends when it is told to")
    inside("dpkg", "--purge", "authd")
    check(os.path.exists(f"{root}/var/lib/authd/authd.db"), "purging takes no accounts")
    check(not os.path.exists(f"{root}/usr/bin/authd"), "purging takes the program")


def opened(image):
    """The configuration and the only layer of an image, by the digests that lead to them."""
    with tarfile.open(image) as tar:

        def blob(of):
            content = tar.extractfile("blobs/" + of["digest"].replace(":", "/")).read()
            equal("sha256:" + hashlib.sha256(content).hexdigest(), of["digest"], "a blob is what its name says")
            equal(len(content), of["size"], "and as long")
            return content

        equal(json.load(tar.extractfile("oci-layout")), {"imageLayoutVersion": "1.0.0"}, "the layout")
        (entry,) = json.load(tar.extractfile("index.json"))["manifests"]
        manifest = json.loads(blob(entry))
        config = json.loads(blob(manifest["config"]))
        (layer,) = [gzip.decompress(blob(of)) for of in manifest["layers"]]
        equal(config["rootfs"]["diff_ids"], ["sha256:" + hashlib.sha256(layer).hexdigest()], "the layer's own sum")
        # Docker before 25 reads this one.
        (old,) = json.load(tar.extractfile("manifest.json"))
        for name in [old["Config"], *old["Layers"]]:
            check(name in tar.getnames(), f"{name} is there")
    return config["config"], layer


class Container:
    """What a container runtime makes of an image: a read-only root, volumes, a process 1 of its own."""

    def __init__(self, config, layer, folder):
        self.root, self.config, self.folder = f"{folder}/image", config, folder
        os.mkdir(self.root)
        unpack(layer, self.root)
        self.programs = sorted(
            os.path.relpath(os.path.join(place, name), self.root)
            for place, _, names in os.walk(self.root)
            for name in names
        )
        # What every runtime adds.
        for name in ("proc", "dev"):
            os.mkdir(f"{self.root}/{name}")
        for name in ("null", "random", "urandom"):
            with open(f"{self.root}/dev/{name}", "wb"):
                pass
        # A name that only this container knows, as its runtime would write it.
        with open(f"{self.root}/etc/hosts", "w", encoding="ascii") as hosts:
            hosts.write("127.0.0.1 localhost mail.internal\n")
        self.port = free_port()
        pairs = [*config["Env"], f"AUTHD_LISTEN=127.0.0.1:{self.port}"]
        self.environment = dict(pair.split("=", 1) for pair in pairs)

    def daemon(self):
        """Starts it, and gives it running; `process` is unshare, whose child is process 1."""
        script = (
            'mount --bind /dev/null "$1/dev/null" && mount --bind /dev/random "$1/dev/random" &&'
            ' mount --bind /dev/urandom "$1/dev/urandom" &&'
            ' mount --rbind "$1" "$1" && mount -o remount,bind,ro "$1" && mount -t proc proc "$1/proc" &&'
            ' mount -t tmpfs -o size=64m,mode=700,uid=65532,gid=65532 none "$1/data" &&'
            ' exec chroot --userspec="$2" "$1" "$3" "$4"'
        )
        command = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, "sh", self.root]
        command += [self.config["User"], *self.config["Entrypoint"], *self.config["Cmd"]]
        environment = {**self.environment, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
        return Serving(command, self.port, f"{self.folder}/container.log", environment)

    def exec(self, process_1, *command, more=None, **options):
        """As `docker exec` does: in its namespaces, as its user, in its environment."""
        user, group = self.config["User"].split(":")
        inside = f"/proc/{process_1}/root"
        enter = ["/usr/bin/nsenter", f"--target={process_1}", "--mount", "--pid", f"--root={inside}"]
        enter += [f"--wd={inside}/data", f"--setuid={user}", f"--setgid={group}"]
        done = subprocess.run(
            [*enter, f"/usr/bin/{command[0]}", *command[1:]],
            env={**self.environment, **(more or {})},
            text=True,
            capture_output=True,
            check=False,
            **options,
        )
        return done.returncode, done.stdout + done.stderr


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as numbers:
        return [int(number) for number in numbers.read().split()]


def finds_names(container, process_1):
    """Mail finds its server by name: what is linked into the program looks names up, and no library of a system."""
    met = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def answer():
            connection, _ = server.accept()
            met.append(True)
            connection.sendall(b"554 not today\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        mail = {"TRANSPORT": "smtp", "FROM": "a@example.com", "SMTP_HOST": "mail.internal"}
        mail["SMTP_PORT"] = str(server.getsockname()[1])
        settings = {f"AUTHD_MAIL__{key}": value for key, value in mail.items()}
        _, said = container.exec(process_1, "authctl", "mail", "test", "b@example.com", more=settings)
        thread.join(20)
    check(met and "554" in said, f"the server's name is found: {said}")


def image(files, folder):
    container = Container(*opened(only(f"{files}/*-image-*.tar")), folder)
    expected = ["etc/group", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "usr/bin/authctl", "usr/bin/authd"]
    equal(container.programs, expected, "nothing else is in it")
    check(not container.config["User"].startswith("0"), "it runs as no root")
    with container.daemon() as serving:
        (process_1,) = children(serving.process.pid)
        with open(f"/proc/{process_1}/status", encoding="ascii") as status:
            (numbers,) = [line.split() for line in status if line.startswith("NSpid:")]
        equal(numbers[-1], "1", "it is process 1 of its own")
        equal(ask(container.port, "GET", "/readyz").status, 200, "readyz")
        add = ("authctl", "user", "add", "ann@example.com", "--verified", "--password-stdin")
        equal(container.exec(process_1, *add, input=PASSWORD + "\n")[0], 0, "authctl by exec")
        log_in(container.port, "ann@example.com")
        health = ("authctl", "doctor", "--url", f"http://127.0.0.1:{container.port}")
        code, said = container.exec(process_1, *health)
        equal(code, 0, f"the health check of the compose file: {said}")
        finds_names(container, process_1)
        os.kill(process_1, signal.SIGTERM)
        equal(serving.process.wait(10), 0, "SIGTERM ends it, though it is process 1")
        check("stopped" in serving.said(), f"in order: {serving.said()}")


def compose(docker_compose):
    """Docker's own reader takes the compose file; Caddy takes its file."""
    environment = {**os.environ, "SITE": "auth.example.com"}
    text = run(docker_compose, "-f", f"{EXAMPLES}/compose.yaml", "config", "--format", "json", env=environment)
    services = json.loads(text)["services"]
    equal(sorted(services), ["application", "authd", "caddy"], "the services")
    authd = services["authd"]
    check(authd["read_only"] and authd["cap_drop"] == ["ALL"], "authd may do little")
    check("ports" not in authd, "authd is reached through Caddy alone")
    equal(authd["environment"]["AUTHD_PUBLIC_URL"], "https://auth.example.com", "the site's name")
    names = {volume["target"] for volume in authd["volumes"]}
    equal(names, {"/data", "/key"}, "what stays")
    refused = subprocess.run(
        [docker_compose, "-f", f"{EXAMPLES}/compose.yaml", "config", "--quiet"],
        env={"PATH": os.environ["PATH"]},
        text=True,
        capture_output=True,
        check=False,
    )
    check(refused.returncode != 0 and "SITE" in refused.stderr, f"without a name it says so: {refused.stderr}")
    if shutil.which("caddy"):
        run("caddy", "validate", "--adapter", "caddyfile", "--config", f"{EXAMPLES}/Caddyfile", env=environment)
    else:
        print("-- the compose file's Caddyfile: NOT RUN, caddy is not installed")


def arm64(files):
    """The program for arm64 on an emulated processor; what is around it says whose it is."""
    files = files.rstrip("/")
    sums(files)
    bill_of_materials(files)
    config, _ = opened(only(f"{files}/*-image-arm64.tar"))
    equal(config["Entrypoint"], ["/usr/bin/authd"], "the image runs it")
    equal(run("dpkg-deb", "-f", only(f"{files}/*.deb"), "Architecture"), "arm64\n", "the package's architecture")
    with tempfile.TemporaryDirectory() as folder:
        with open(only(f"{files}/*-aarch64-unknown-linux-musl.tar.gz"), "rb") as content:
            unpack(gzip.decompress(content.read()), folder)
        program = only(f"{folder}/authd-*") + "/authd"
        check(run(EMULATOR, program, "--version").startswith("authd "), "it runs")
        place = f"{folder}/place"
        os.mkdir(place, 0o700)
        port = free_port()
        environment = {"PATH": os.environ["PATH"], "AUTHD_LISTEN": f"127.0.0.1:{port}"}
        environment["AUTHD_DATABASE"] = f"{place}/authd.db"
        # What is emulated takes twenty times as long.
        environment["AUTHD_PASSWORD__ARGON2_MEMORY_KIB"] = "1024"

        def authctl(*command):
            return run(EMULATOR, "-0", "authctl", program, *command, env=environment, cwd=place)

        with Serving([EMULATOR, program, "serve"], port, f"{folder}/log", environment) as serving:
            new = {"email": "ann@example.com", "password": PASSWORD, "name": "Ann"}
            registered = ask(port, "POST", "/api/auth/register", JSON, json.dumps(new).encode())
            equal(registered.status, 202, f"registering: {registered.body!r}")
            (mail,) = authctl("mail", "list", "-q").split()
            body = json.loads(authctl("mail", "show", mail, "-o", "json"))["body"]
            token = json.dumps({"token": re.search("authd_ev_[A-Za-z0-9_-]+", body)[0]}).encode()
            equal(ask(port, "POST", "/api/auth/email/verify/confirm", JSON, token).status, 200, "verifying")
            log_in(port, "ann@example.com")
            authctl("db", "check")
            authctl("audit", "verify")
            serving.process.terminate()
            equal(serving.process.wait(20), 0, "it ends when it is told to")
    return summary()


def main(files, debian, docker_compose):
    files = files.rstrip("/")
    sums(files)
    bill_of_materials(files)
    compose(docker_compose)
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        archive(files, folder)
        package(files, debian, folder)
        image(files, folder)
    return summary()


if __name__ == "__main__":
    how = arm64 if len(sys.argv) == 2 else main
    sys.exit(0 if how(*sys.argv[1:]) else 1)
