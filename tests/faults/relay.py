"""
A relay in front of a server that counts what the server sends.
"""

import socket
import threading
from contextlib import suppress

from engines.ports import HOST

_CHUNK_BYTES = 65_536


class CountingRelay:
    """
    Passes bytes between clients and a server on loopback. A context manager.

    Args:
        port: Where clients connect.
        to_port: Where the server listens.
    """

    def __init__(self, port: int, to_port: int) -> None:
        self._to_port = to_port
        self._lock = threading.Lock()
        self._sent = 0
        self._open: list[socket.socket] = []
        self._listener = socket.create_server((HOST, port))
        self._thread = threading.Thread(target=self._accept, name="relay", daemon=True)

    @property
    def sent(self) -> int:
        """
        Count the bytes that the server sent, of all connections.
        """
        with self._lock:
            return self._sent

    def __enter__(self) -> "CountingRelay":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            ends = [self._listener, *self._open]
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed: the relay is over
            while True:
                client, _ = self._listener.accept()
                self._join(client)

    def _join(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection((HOST, self._to_port), 5)
        except OSError:
            client.close()  # as the server itself would do while it is away
            return
        server.settimeout(None)
        with self._lock:
            self._open += [client, server]
        for source, to, counts in ((client, server, False), (server, client, True)):
            threading.Thread(target=self._pass_on, args=(source, to, counts), daemon=True).start()

    def _pass_on(self, source: socket.socket, to: socket.socket, counts: bool) -> None:
        with suppress(OSError):  # one side was closed
            while chunk := source.recv(_CHUNK_BYTES):
                if counts:
                    with self._lock:
                        self._sent += len(chunk)
                to.sendall(chunk)
        for end in (source, to):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
