"""authd, as the environment says where it is: see `run`."""

import os

from authd_fastapi import Authd

PUBLIC_URL = os.environ.get("PUBLIC_URL", "http://localhost:8000")
"""Where browsers see this application and authd's pages: one host, which alone gets its cookies."""

auth = Authd(
    PUBLIC_URL,
    url=os.environ.get("LOGIN_URL", "http://127.0.0.1:8081"),
    api_key=os.environ.get("LOGIN_API_KEY", "authd_key_unset"),
)
