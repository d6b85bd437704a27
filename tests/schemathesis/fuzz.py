"""The daemon against its own OpenAPI document, by a validator and by Schemathesis."""

import json
import os
import re
import subprocess
import sys

from house import House, ask, check, summary
from openapi_spec_validator import OpenAPIV31SpecValidator

PERMISSIONS = (
    "users:read users:write roles:read roles:write sessions:read sessions:revoke audit:read keys:write "
    "apps:read apps:write".split()
)
# A link's token that fits the schema is wrong all the same: what a schema allows may be refused for its meaning.
NOT_ASKED = "positive_data_acceptance"
# What single operations are let off.
CONFIG = os.path.join(os.path.dirname(os.path.abspath(__file__)), "schemathesis.toml")
ADMIN = r"/api/auth/(admin/|introspect|revoke)"
# These would end the session, or the account, that the others need.
ENDS = r"/(logout|logout/all|me/delete|password/change|sessions/\{id\})$"


def is_valid(document):
    errors = list(OpenAPIV31SpecValidator(document).iter_errors())
    check(not errors, f"the document is not OpenAPI 3.1: {errors[:3]}")


def fuzz(schemathesis, house, name, *flags):
    # One worker: two threads that read sources at once make CPython 3.11 fail ("AST constructor recursion depth
    # mismatch", python/cpython#106905).
    command = [
        schemathesis, "--config-file", CONFIG, "run", f"{house.url}/api/auth/openapi.json", "--url", house.url, "--no-color",
        "--phases", "examples,coverage,fuzzing", "--max-examples", os.environ.get("EXAMPLES", "5"), "--workers", "1",
        "--exclude-checks", NOT_ASKED, "--generation-deterministic", "--warnings", "off", "--continue-on-failure", *flags,
    ]
    done = subprocess.run(command, cwd=house.folder, text=True, capture_output=True, check=False)
    found = re.search(r"Test cases:\s*\n\s*(.*)|(\d+ generated.*)", done.stdout)
    print(f"as {name}: {(found.group(1) or found.group(2)).strip() if found else 'no test cases'}", flush=True)
    check(done.returncode == 0, f"as {name}:\n{done.stdout}{done.stderr}")


def main(binary, schemathesis):
    schemathesis = os.path.abspath(schemathesis)
    with House(binary) as house:
        house.add_user("root@example.com", "--role", "admin")
        house.add_user("ann@example.com")
        is_valid(json.loads(ask(house.port, "GET", "/api/auth/openapi.json").body))
        flags = [flag for permission in PERMISSIONS for flag in ("--permission", permission)]
        key = house.ctl("apikey", "add", "fuzzer", *flags).strip()
        token = house.token("ann@example.com")
        as_key = ("--header", f"Authorization: Bearer {key}")
        as_user = ("--header", f"Authorization: Bearer {token}")
        fuzz(schemathesis, house, "nobody", "--exclude-checks", f"{NOT_ASKED},ignored_auth")
        fuzz(schemathesis, house, "a user", "--exclude-path-regex", ADMIN, "--exclude-path-regex", ENDS, *as_user)
        fuzz(schemathesis, house, "a service", "--include-path-regex", ADMIN, *as_key)
        check(house.daemon.poll() is None, "the daemon died")
        with open(os.path.join(house.folder, "log"), encoding="utf-8") as log:
            panics = [line for line in log if "panic" in line]
        check(not panics, f"a handler panicked: {panics[:3]}")
    return summary()


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
