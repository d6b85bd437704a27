"""Runs a command with a PostgreSQL of its own, which the variable TEST_POSTGRES names.

Usage: with_postgres.py PROGRAMS COMMAND...; PROGRAMS is the folder of PostgreSQL's programs.
"""

import os
import subprocess
import sys

from cluster import cluster

programs, *command = sys.argv[1:]
with cluster(programs) as address:
    parts = dict(part.split("=") for part in address.split())
    # What a failed test leaves locked must not keep the next one waiting for ever.
    place = f"{parts['host']}:{parts['port']}/{parts['dbname']}?options=-c%20lock_timeout%3D20s"
    url = f"postgresql+psycopg://{parts['user']}@{place}"
    status = subprocess.run(command, env={**os.environ, "TEST_POSTGRES": url}, check=False).returncode
sys.exit(status)
