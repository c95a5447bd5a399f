"""
A strict fake of Kibana, as far as the sink asks it: an HTTP server on loopback.

Checks what Kibana's published API description asks for: kbn-xsrf, content types, the API version,
credentials, spaces, unknown and missing fields. It is no Kibana: nothing is searched or drawn.
"""

import base64
import json
import re
import threading
from collections.abc import Callable, Collection
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import NamedTuple, Self
from urllib.parse import parse_qs, unquote, urlsplit

from sink.testing.kibana_objects import Json, Objects, Refusal

API_VERSION = "2023-10-31"
DEFAULT_SPACE = "default"

_DATA_VIEW = re.compile(r"/api/data_views/data_view/([^/]+)")
_SPACE = re.compile(r"/api/spaces/space/([^/]+)")
_IN_SPACE = re.compile(r"/s/([^/]+)(/.*)")
_CREATE = "/api/data_views/data_view"
_CONTENT_TYPES = {
    _CREATE: "application/json",
    "/api/saved_objects/_import": "multipart/form-data",
}


class Asked(NamedTuple):
    """
    One request as it came, and how it was answered.
    """

    method: str
    path: str
    status: int


class _Page(NamedTuple):
    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


_NOT_READY = _Page(
    503, "text/plain; charset=utf-8", b"Kibana server is not ready yet", (("Retry-After", "30"),)
)


class FakeKibana:
    """
    Listens on a free port of loopback. A context manager.

    Args:
        api_key: What must come as `Authorization: ApiKey …`.
        basic_auth: User and password that must come instead. Without either, security is off.
        spaces: That there are beside the default one.
        base_path: Its server.basePath, as `/kibana`.
    """

    def __init__(
        self,
        *,
        api_key: str | None = None,
        basic_auth: tuple[str, str] | None = None,
        spaces: Collection[str] = (),
        base_path: str = "",
    ) -> None:
        self.asked: list[Asked] = []
        self.read_only = False  # the user may look and not write
        self.before_create: Callable[[], None] | None = None  # called outside of the lock
        self._spaces = {DEFAULT_SPACE, *spaces}
        self._authorization = _authorization(api_key, basic_auth)
        self._base_path = base_path
        self._instead: _Page | None = None
        self._lock = threading.Lock()  # guards _objects and asked
        self._objects = Objects()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), name="fake-kibana", daemon=True
        )

    @property
    def url(self) -> str:
        """
        Where it listens, its base path included.
        """
        return f"http://127.0.0.1:{self._server.server_address[1]}{self._base_path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def data_views(self, space: str = DEFAULT_SPACE) -> dict[str, Json]:
        """
        Give the data views of a space, by id.
        """
        with self._lock:
            return self._objects.of(space, "index-pattern")

    def dashboards(self, space: str = DEFAULT_SPACE) -> dict[str, Json]:
        """
        Give the dashboards of a space, by id.
        """
        with self._lock:
            return self._objects.of(space, "dashboard")

    def add_data_view(
        self, title: str, *, id_: str, name: str = "", space: str = DEFAULT_SPACE
    ) -> None:
        """
        Make a data view, as somebody else would.
        """
        spec = {"title": title, "id": id_, "name": name or title}
        with self._lock:
            self._objects.create_data_view(space, json.dumps({"data_view": spec}).encode())

    def not_ready(self) -> None:
        """
        Answer every request as a Kibana that starts, until `ready`.
        """
        self._instead = _NOT_READY

    def proxy(
        self,
        status: int = 200,
        body: bytes = b"<html><body>Please log in</body></html>",
        content_type: str = "text/html",
    ) -> None:
        """
        Answer every request with another page, as a proxy before it would, until `ready`.
        """
        location = (("Location", "/login"),) if 300 <= status < 400 else ()
        self._instead = _Page(status, content_type, body, location)

    def ready(self) -> None:
        """
        End what `not_ready` or `proxy` began.
        """
        self._instead = None

    def answer(self, method: str, target: str, headers: Message, body: bytes) -> _Page:
        """
        Answer a request.
        """
        if method == "POST" and self.before_create is not None:
            self.before_create()
        page = self._instead
        if page is None:
            try:
                with self._lock:
                    status, told = 200, self._answer(method, target, headers, body)
            except Refusal as refusal:
                status, told = refusal.status, refusal.body
            page = _Page(status, "application/json; charset=utf-8", json.dumps(told).encode())
        with self._lock:
            self.asked.append(Asked(method, target, page.status))
        return page

    def _answer(self, method: str, target: str, headers: Message, body: bytes) -> Json:
        url = urlsplit(target)
        path, space = url.path.removeprefix(self._base_path), DEFAULT_SPACE
        if inside := _IN_SPACE.fullmatch(path):
            # Kibana does not look here whether there is such a space.
            space, path = inside.groups()
        if not url.path.startswith(self._base_path):
            path = ""
        self._check(method, path, headers)
        if method == "GET":
            return self._read(space, path)
        if path == _CREATE:
            return self._objects.create_data_view(space, body)
        query = parse_qs(url.query, keep_blank_values=True)
        return self._objects.import_objects(space, query, headers.get("content-type", ""), body)

    def _read(self, space: str, path: str) -> Json:
        if path == "/api/data_views":
            return self._objects.list_data_views(space)
        if found := _DATA_VIEW.fullmatch(path):
            return self._objects.get_data_view(space, unquote(found[1]))
        if (found := _SPACE.fullmatch(path)) and found[1] in self._spaces:
            return {"id": found[1], "name": found[1], "disabledFeatures": []}
        raise Refusal(404, "Not Found")

    def _check(self, method: str, path: str, headers: Message) -> None:
        """
        Check what every request must bring, in Kibana's order.
        """
        if self._authorization and headers.get("authorization") != self._authorization:
            raise Refusal(401, "[security_exception]: unable to authenticate user")
        if method not in ("GET", "POST") or (method == "POST" and path not in _CONTENT_TYPES):
            raise Refusal(404, "Not Found")
        version = headers.get("elastic-api-version", API_VERSION)
        if version != API_VERSION:
            raise Refusal(
                400,
                f'No version "{version}" available for [{method.lower()}] [{path}]. '
                f"Available versions are: {API_VERSION}",
            )
        if method == "POST":
            self._check_write(path, headers)

    def _check_write(self, path: str, headers: Message) -> None:
        if not headers.get("kbn-xsrf"):
            raise Refusal(400, "Request must contain a kbn-xsrf header.")
        if headers.get_content_type() != _CONTENT_TYPES[path]:
            raise Refusal(415, "Unsupported Media Type")
        if self.read_only:
            raise Refusal(403, f"API [POST {path}] is unauthorized for user")


def _authorization(api_key: str | None, basic_auth: tuple[str, str] | None) -> str | None:
    if api_key is not None:
        return f"ApiKey {api_key}"
    if basic_auth is None:
        return None
    return f"Basic {base64.b64encode(':'.join(basic_auth).encode()).decode()}"


def _handler(kibana: FakeKibana) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            page = kibana.answer(self.command, self.path, self.headers, body)
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            for name, value in page.headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(page.body)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, *_: object) -> None:
            """
            Keep requests out of the log.
            """

    return Handler
