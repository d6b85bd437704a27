"""authd with real servers around it: two daemons on one PostgreSQL, kills, stops, what lies on the wire, what
stands in front and behind. `servers.py PROGRAMS AUTHD [PART…]`."""

import importlib
import signal
import sys
import time
import traceback

import house
from cluster import Server

# Each is a module with `main(binary, server)`, and whether its server keeps what it wrote.
PARTS = {
    "sharing": False,
    "kills": True,
    "outages": True,
    "oddities": False,
    "failover": False,
    "wire": False,
    "poolers": False,
    "tls": False,
    "attacks": False,
    "copies": False,
}


def main(programs, binary, *parts):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    began = time.monotonic()
    for part in parts or PARTS:
        print(f"-- {part}", flush=True)
        since = time.monotonic()
        try:
            with Server(programs, safe=PARTS[part]) as server:
                server.start()
                importlib.import_module(part).main(binary, server)
        except Exception:  # pylint: disable=broad-except
            house.check(False, f"{part} came to no end: {traceback.format_exc()}")
        print(f"   {time.monotonic() - since:.0f} s", flush=True)
    print(f"{time.monotonic() - began:.0f} s in all")
    return house.summary()


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
