"""A TCP proxy that is slow, or cuts a connection at the worst moment, and a server for mail."""

import asyncio
import contextlib
import socket
import threading
import time

from aiosmtpd.controller import Controller


class Proxy:
    """Passes on what comes, `delay` seconds later each way."""

    def __init__(self, port, delay=0.0):
        self.to, self.delay = port, delay
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        # What a transaction must hold whose commit is cut off, in the words of the wire. None: nobody's is.
        self.cut, self.cuts = None, 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):
            while True:
                client, _ = self.listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to))
                for stream in (client, server):
                    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                Link(self, client, server)

    def close(self):
        self.listener.close()


class Link:
    """One connection through the proxy."""

    def __init__(self, proxy, client, server):
        self.proxy, self.client, self.server = proxy, client, server
        self.said, self.is_cut = b"", False
        for way in (self.there, self.back):
            threading.Thread(target=self.carry, args=(way,), daemon=True).start()

    def carry(self, way):
        with contextlib.suppress(OSError):
            way()
        for stream in (self.client, self.server):
            with contextlib.suppress(OSError):
                stream.shutdown(socket.SHUT_RDWR)

    def there(self):
        while data := self.client.recv(65536):
            self.wait()
            begin = data.rfind(b"BEGIN")
            self.said = data[begin:] if begin >= 0 else self.said + data
            wanted = self.proxy.cut
            if wanted and wanted in self.said and b"COMMIT" in data:
                self.proxy.cut = None
                # From here on nothing comes back; the server has its commit.
                self.is_cut = True
                self.proxy.cuts += 1
            self.server.sendall(data)

    def back(self):
        while data := self.server.recv(65536):
            if self.is_cut:
                # It has been answered: all is on the server's disk.
                return
            self.wait()
            self.client.sendall(data)

    def wait(self):
        if self.proxy.delay:
            time.sleep(self.proxy.delay)


class MailSink:
    """Takes mail, each after `delay` seconds, and keeps to whom it was."""

    def __init__(self, delay=0.0):
        self.taken, self.delay = [], delay
        self.controller = Controller(self, hostname="127.0.0.1", port=0, ready_timeout=10)
        # The library asks the port that it was told; here it is one that the system chose.
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.controller.port = self.port = probe.getsockname()[1]
        self.controller.start()

    async def handle_DATA(self, _server, _session, envelope):
        await asyncio.sleep(self.delay)
        self.taken += envelope.rcpt_tos
        return "250 OK"

    def close(self):
        self.controller.stop()
