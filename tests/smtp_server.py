"""A real SMTP server on loopback for the tests: says its port, then one JSON line for each mail it took.

Ends when its standard input does. Needs aiosmtpd and trustme; `tests/run` installs both.
"""

import argparse
import asyncio
import email
import email.policy
import json
import logging
import socket
import ssl
import sys
import warnings

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


def say(line):
    print(json.dumps(line), flush=True)


class Inbox:
    def __init__(self, refuse):
        self.refuse = refuse

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        mail = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
        say({
            "envelope": [envelope.mail_from, envelope.rcpt_tos],
            "encrypted": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data,
            "hello": session.host_name,
            "headers": [[name, str(value)] for name, value in mail.items()],
            "types": [part.get_content_type() for part in mail.walk()],
            "text": mail.get_body(("plain",)).get_content().replace("\r\n", "\n"),
            "html": mail.get_body(("html",)).get_content().replace("\r\n", "\n"),
            "longest": max(len(line) for line in envelope.original_content.splitlines()),
        })
        return "250 OK"


def context(ca_file, host):
    authority = trustme.CA()
    authority.cert_pem.write_to_path(ca_file)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(tls)
    return tls


def authenticator(expected):
    def check(server, session, envelope, mechanism, data):
        given = f"{data.login.decode()}:{data.password.decode()}"
        return AuthResult(success=given == expected, handled=False, auth_data=data.login.decode())
    return check


INJECTED = b"220 go\r\n250 fine\r\n250 fine\r\n250 fine\r\n354 go\r\n250 taken\r\n221 bye\r\n"


def between(options):
    """Somebody between client and server, who adds answers in clear to the one that begins the encryption,
    and says nothing from then on."""
    listener = socket.create_server(("127.0.0.1", 0))
    tls = context(options.ca, options.host)
    say(listener.getsockname()[1])
    stream, _ = listener.accept()
    stream.sendall(b"220 test\r\n")
    stream.recv(1000)
    stream.sendall(b"250-test\r\n250 STARTTLS\r\n")
    stream.recv(1000)
    stream.sendall(INJECTED)
    with tls.wrap_socket(stream, server_side=True) as encrypted:
        while said := encrypted.recv(1000):
            if b"DATA" in said.upper():
                say("fooled")


async def serve(options):
    tls = context(options.ca, options.host) if options.tls != "none" else None
    settings = {"hostname": "test", "data_size_limit": 1 << 20}
    if options.tls == "starttls":
        settings |= {"tls_context": tls, "require_starttls": True}
    if options.login:
        settings |= {"authenticator": authenticator(options.login), "auth_required": True}
        settings |= {"auth_require_tls": options.tls == "starttls"}
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: SMTP(Inbox(options.refuse), **settings), "127.0.0.1", 0,
        ssl=tls if options.tls == "tls" else None)
    say(server.sockets[0].getsockname()[1])
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


# What a test provokes is no news, and it would drown what is.
logging.disable()
warnings.simplefilter("ignore")
arguments = argparse.ArgumentParser()
arguments.add_argument("--tls", choices=["none", "starttls", "tls"], default="none")
arguments.add_argument("--ca", help="where to write the certificate of the test's own authority")
arguments.add_argument("--host", default="localhost", help="whom the certificate is for")
arguments.add_argument("--login", help="USER:PASSWORD that is asked for")
arguments.add_argument("--refuse", help="the answer to every RCPT")
arguments.add_argument("--inject", action="store_true", help="be somebody in between, before the encryption")
chosen = arguments.parse_args()
if chosen.inject:
    between(chosen)
else:
    asyncio.run(serve(chosen))
