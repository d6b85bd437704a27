"""Runs the tests with a PostgreSQL for the store: see `run`. What is said further goes to the tests, such as a name."""

import os
import re
import signal
import subprocess
import sys

from cluster import cluster

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


def main(programs, *arguments):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    # The server is not let go of by a Ctrl-C before the tests have ended by it.
    signal.signal(signal.SIGINT, lambda *_: None)
    with cluster(programs) as address:
        port = re.search(r"port=(\d+)", address)[1]
        promised = f"{os.environ.get('TESTS_PROMISED', '')} postgres".strip()
        variables = {"AUTHD_TEST_STORE": "postgres", "TESTS_PROMISED": promised,
                     "AUTHD_TEST_POSTGRES": f"postgres://authd@127.0.0.1:{port}/postgres"}
        # One more than cores: half of the time a test waits for the server.
        threads = f"--test-threads={(os.cpu_count() or 2) + 1}"
        command = ["cargo", "test", "--locked", "--test", "it", "--", threads, "--skip", "on_a_file", *arguments]
        return subprocess.run(command, cwd=ROOT, env={**os.environ, **variables}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
