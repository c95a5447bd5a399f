"""
An HTTP server that answers byte for byte what it is told, and keeps what it was asked.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

ELASTIC = {"X-Elastic-Product": "Elasticsearch"}
JSON = "application/vnd.elasticsearch+json;compatible-with=8"


@dataclass(frozen=True)
class Asked:
    """One request, as it came."""

    method: str
    path: str
    headers: Message
    body: bytes


@dataclass(frozen=True)
class Told:
    """One answer. `length` lies about the body's length; `silent` gives none at all."""

    status: int = 200
    body: bytes = b"{}"
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = tuple(ELASTIC.items())
    length: int | None = None
    silent: bool = False


class AnsweringServer:
    """
    Listens on loopback, on a free port. A context manager.

    Answers come in the order they were told; the last one is repeated.
    """

    def __init__(self, *answers: Told) -> None:
        self.asked: list[Asked] = []
        self.answers = deque(answers)
        self.leave = threading.Event()  # ends the requests that get no answer
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.leave.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """A URL where nobody listens."""
    with AnsweringServer() as server:
        url = server.url
    yield url


def _handler(server: AnsweringServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            server.asked.append(Asked(self.command, self.path, self.headers, body))
            told = server.answers.popleft() if len(server.answers) > 1 else server.answers[0]
            if told.silent:
                server.leave.wait(30)
                self.close_connection = True
                return
            self.send_response(told.status)
            self.send_header("Content-Type", told.content_type)
            self.send_header("Content-Length", str(told.length or len(told.body)))
            for name, value in told.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told.body)
            self.close_connection = told.length is not None

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None: ...

    return Handler
