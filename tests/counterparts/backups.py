"""Backups as the documentation shows them: by a timer's unit, and by Litestream, each restored and opened."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from house import House, check, equal, summary, until

EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples" / "backup"
BACKUPS = "/var/lib/authd-backups"


def opens(house, database, expected):
    """Whether a restored database, with its key beside it, holds these users and lets them in."""
    folder = Path(house.folder) / "restored"
    folder.mkdir(mode=0o700)
    shutil.move(database, folder / "authd.db")
    shutil.copy(Path(house.folder) / "authd.key", folder / "authd.key")
    environment = {**house.environment({}), "AUTHD_DATABASE": str(folder / "authd.db")}
    run = lambda *arguments: subprocess.run(
        [house.binary, *arguments], cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
    equal(run("db", "check").returncode, 0, "the restored database is whole")
    listed = run("user", "list", "-o", "tsv").stdout
    for email in expected:
        check(email in listed, f"{email} is not in the restored database: {listed}")
    shutil.rmtree(folder)


def by_the_unit(house):
    """Runs what the unit would, with a folder of the test's in the place of its own."""
    unit = (EXAMPLES / "authd-backup.service").read_text(encoding="utf-8")
    own = Path(house.folder) / "backups"
    own.mkdir(mode=0o700)
    programs = Path(house.folder) / "bin"
    programs.mkdir()
    (programs / "authctl").symlink_to(house.binary)
    environment = {**house.environment({}), "PATH": f"{programs}:{os.environ['PATH']}"}
    for line in re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE):
        check(BACKUPS in line, f"{line} names {BACKUPS}")
        line = line.replace(BACKUPS, str(own)).replace("%%", "%").replace("$$", "$")
        # systemd expands no patterns, so the shell must not either.
        command = ["sh", "-fc", "umask 077; " + line]
        done = subprocess.run(command, cwd=house.folder, env=environment, text=True, capture_output=True, check=False)
        equal(done.returncode, 0, f"{line}: {done.stderr}")
    found = list(own.glob("authd-*.db"))
    equal(len(found), 1, "one backup")
    equal(oct(found[0].stat().st_mode & 0o777), "0o600", "for nobody else to read")
    check(Path(f"{found[0]}.mac").exists(), "its MAC is beside it")
    opens(house, found[0], ["ann@example.com"])


def by_litestream(house, litestream):
    text = (EXAMPLES / "litestream.yml").read_text(encoding="utf-8")
    for documented, own in [("/var/lib/authd/authd.db", "authd.db"), (f"{BACKUPS}/litestream", "replica")]:
        check(documented in text, f"litestream.yml names {documented}")
        text = text.replace(documented, f"{house.folder}/{own}")
    config = Path(house.folder) / "litestream.yml"
    config.write_text(text, encoding="utf-8")
    copy = Path(house.folder) / "copy.db"
    restore = [litestream, "restore", "-config", config, "-o", copy, f"{house.folder}/authd.db"]

    def restored_with(email):
        copy.unlink(missing_ok=True)
        done = subprocess.run(restore, umask=0o077, capture_output=True, check=False)
        return done.returncode == 0 and email.encode() in copy.read_bytes()

    with open(Path(house.folder) / "litestream.log", "w", encoding="utf-8") as log:
        running = subprocess.Popen([litestream, "replicate", "-config", config], stdout=log, stderr=log)
    try:
        # Whatever authd acknowledged comes over, from the daemon and from the command line.
        house.add_user("late@example.com")
        house.token("late@example.com")
        until(lambda: restored_with("late@example.com"), "the copy lacks the newest user")
        equal(oct(copy.stat().st_mode & 0o777), "0o600", "for nobody else to read")
        opens(house, copy, ["ann@example.com", "late@example.com"])
        house.token("late@example.com")
    finally:
        running.terminate()
        running.wait(10)


def main():
    with House(sys.argv[1]) as house:
        house.add_user("ann@example.com")
        if "backup" in house.ctl("db", "--help"):
            by_the_unit(house)
        else:
            print("-- the timer's unit: NOT RUN, this authctl has no `db backup`", flush=True)
        by_litestream(house, sys.argv[2])
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
