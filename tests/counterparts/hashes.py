"""Hashes that the C reference made let people in, and those that authd made the C reference makes, too."""

import base64
import json
import random
import subprocess
import sys

from house import House, JSON, ask, check, equal, summary

SEED = random.SystemRandom().randrange(2**32)
LETTERS = "abcXYZ0189 -_äßéñжλ中文🙂"
VARIANTS = {"argon2d": "-d", "argon2i": "-i", "argon2id": "-id"}


def reference(password, salt, variant, version, memory, iterations, lanes, length):
    """What the command `argon2` makes of it, as a PHC string."""
    numbers = {"-k": memory, "-t": iterations, "-p": lanes, "-l": length, "-v": version}
    flags = [text for flag, number in numbers.items() for text in (flag, str(number))]
    command = ["argon2", salt, VARIANTS[variant], *flags, "-e"]
    return subprocess.run(command, input=password.encode(), capture_output=True, check=True).stdout.decode().strip()


def some_password(dice):
    # Short enough for the command, which takes 127 bytes.
    return "".join(dice.choice(LETTERS) for _ in range(dice.randrange(8, 31)))


def status(house, email, password):
    body = json.dumps({"email": email, "password": password}).encode()
    return ask(house.port, "POST", "/api/auth/login", JSON, body).status


def from_the_reference(house, dice):
    passwords, lines = {}, []
    for number in range(60):
        email, password = f"c{number}@example.com", some_password(dice)
        salt = "".join(dice.choice("abcdefghijklmnop") for _ in range(dice.randrange(8, 33)))
        lanes = dice.choice([1, 1, 1, 2, 4])
        cost = (dice.randrange(8 * lanes, 600), dice.randrange(1, 5), lanes)
        variant, version = dice.choice([*VARIANTS, "argon2id", "argon2id"]), dice.choice([10, 13, 13])
        hashed = reference(password, salt, variant, version, *cost, dice.choice([32, 32, 16, 64]))
        passwords[email] = (password, hashed)
        lines.append(json.dumps({"email": email, "email_verified": True, "password_hash": hashed}))
    house.ctl("import", "-", "--format", "jsonl", stdin="\n".join(lines) + "\n")
    for email, (password, hashed) in passwords.items():
        equal(status(house, email, password + "x"), 401, f"a wrong password for {hashed}")
        equal(status(house, email, password), 200, f"{password!r} for {hashed}")


def to_the_reference(house, dice):
    checked = 0
    for number in range(20):
        email, password = f"a{number}@example.com", some_password(dice) + " long enough for anybody"
        house.ctl("user", "add", email, "--verified", "--password-stdin", stdin=password + "\n")
        exported = house.ctl("export", "--format", "jsonl", "--with-hashes")
        hashed = next(user["password_hash"] for user in map(json.loads, exported.splitlines()) if user["email"] == email)
        _, variant, _, cost, salt, _ = hashed.split("$")
        cost = {name: int(value) for name, value in (part.split("=") for part in cost.split(","))}
        salt = base64.b64decode(salt + "==")
        # A program's argument ends at its first null byte.
        if b"\0" not in salt:
            equal(reference(password, salt, variant, 13, cost["m"], cost["t"], cost["p"], 32), hashed, "the same hash")
            checked += 1
    check(checked > 0, "no salt could be handed to the reference")


print(f"seed {SEED}")
with House(sys.argv[1], {"password.argon2_memory_kib": "512"}) as house:
    from_the_reference(house, random.Random(SEED))
    to_the_reference(house, random.Random(SEED + 1))
sys.exit(0 if summary() else 1)
