"""
An Elasticsearch that answers bulks as it likes: an HTTP proxy before the real one.

What it says was refused has not been sent on, and what it says nothing true of was really indexed.
"""

import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self

from engines import Elasticsearch
from engines.ports import HOST, free_ports

DRY_RUN = b'{"_source":1}'  # the sink's question whether an index is fit: no document
_TIMEOUT_S = 60.0
_OF_A_CONNECTION = {"connection", "content-length", "transfer-encoding", "host"}


class Answer(NamedTuple):
    """
    What the client gets. `hangs_up_after`: bytes of the body that are written before the end.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    hangs_up_after: int | None = None

    def with_body(self, body: bytes) -> "Answer":
        """
        Give the same with another body.
        """
        return self._replace(body=body)


def refusal(status: int, error_type: str, headers: Mapping[str, str] | None = None) -> Answer:
    """
    Make an answer that refuses a whole request, as Elasticsearch writes it.
    """
    error = {"type": error_type, "reason": "the test says so"}
    body = json.dumps({"error": error, "status": status}).encode()
    told = {"content-type": "application/json", "x-elastic-product": "Elasticsearch"}
    return Answer(status, told | dict(headers or {}), body)


@dataclass
class Bulk:
    """
    A `_bulk` request, and what became of it.

    Args:
        actions: Action line and source, each.
        refused: Ids that were not sent on.
    """

    actions: list[tuple[bytes, bytes]]
    began_s: float
    send_on: Callable[["list[tuple[bytes, bytes]]"], Answer]
    ended_s: float = 0.0
    status: int = 0
    refused: list[str] = field(default_factory=list)

    @property
    def size_bytes(self) -> int:
        """
        How long its body is.
        """
        return sum(len(action) + len(source) + 2 for action, source in self.actions)

    @property
    def ids(self) -> list[str]:
        """
        The ids of its documents, in order.
        """
        return [_id_of(action) for action, _ in self.actions]

    def forward(self) -> Answer:
        """
        Send it on as it is.
        """
        return self.send_on(self.actions)

    def forward_without(
        self, refuse: Callable[[int, str], bool], item: Mapping[str, Any]
    ) -> Answer:
        """
        Send it on without some of its actions, and put an item of refusal into the answer for each.

        Args:
            refuse: Position and id → whether it is refused.
        """
        refused = {at for at, id_ in enumerate(self.ids) if refuse(at, id_)}
        self.refused = [id_ for at, id_ in enumerate(self.ids) if at in refused]
        good = [action for at, action in enumerate(self.actions) if at not in refused]
        answer = self.send_on(good) if good else refusal(200, "")
        if answer.status != 200 or not refused:
            return answer
        given = iter(json.loads(answer.body)["items"] if good else [])
        items = [
            {_operation(action): dict(item)} if at in refused else next(given)
            for at, (action, _) in enumerate(self.actions)
        ]
        return answer.with_body(_compact({"errors": True, "items": items}))


def _id_of(action: bytes) -> str:
    ((_, target),) = json.loads(action).items()
    return str(target.get("_id"))


def _operation(action: bytes) -> str:
    return str(next(iter(json.loads(action))))


def _compact(answer: object) -> bytes:
    return json.dumps(answer, separators=(",", ":")).encode()


Tamper = Callable[[Bulk], Answer]


def honest(bulk: Bulk) -> Answer:
    """
    Change nothing.
    """
    return bulk.forward()


class Tampering:
    """
    Stands before one node; all but bulks pass as they are. A context manager.

    Args:
        node: Without security. It may end and be started again meanwhile.
    """

    def __init__(self, node: Elasticsearch) -> None:
        self.server = f"{HOST}:{node.port}"
        self.tamper: Tamper = honest  # may be replaced at any time
        self.bulks: list[Bulk] = []  # answered ones, in the order of their answers
        self._lock = threading.Lock()
        self._http = _Server((HOST, free_ports(1)[0]), _Handler)
        self._http.owner = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """
        Where clients find it.
        """
        return f"http://{HOST}:{self._http.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(_TIMEOUT_S)

    def sendings(self) -> dict[str, list[Bulk]]:
        """
        Find out in which bulks each document was sent, in their order.
        """
        found = defaultdict(list)
        for bulk in sorted(self.bulks, key=lambda each: each.began_s):
            for id_, (_, source) in zip(bulk.ids, bulk.actions, strict=True):
                if source != DRY_RUN:
                    found[id_].append(bulk)
        return found

    def answer_bulk(self, bulk: Bulk) -> Answer:
        """
        Ask the tamper for an answer, and enter the bulk.
        """
        answer = self.tamper(bulk)
        with self._lock:
            bulk.status, bulk.ended_s = answer.status, time.monotonic()
            self.bulks.append(bulk)
        return answer


class _Server(ThreadingHTTPServer):
    owner: Tampering
    daemon_threads = True
    block_on_close = False  # a connection that is kept open would hold the end up


class _Handler(BaseHTTPRequestHandler):
    """
    One connection of a client, with a connection of its own to the node.
    """

    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self._node = http.client.HTTPConnection(self.server.owner.server, timeout=_TIMEOUT_S)

    def finish(self) -> None:
        self._node.close()
        super().finish()

    def log_message(self, *_: object) -> None:
        """
        Say nothing on standard error.
        """

    def _pass(self) -> None:
        began_s = time.monotonic()
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        try:
            if "/_bulk" in self.path:
                lines = body.split(b"\n")
                actions = list(zip(lines[:-1:2], lines[1::2], strict=True))
                answer = self.server.owner.answer_bulk(Bulk(actions, began_s, self._send_on))
            else:
                answer = self._ask(body)
            self._give(answer)
        except (OSError, http.client.HTTPException):
            self.close_connection = True  # one of both sides is away: so is what stands between

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _pass  # noqa: N815 - http.server's names

    def _send_on(self, actions: list[tuple[bytes, bytes]]) -> Answer:
        return self._ask(b"".join(b"%b\n%b\n" % action for action in actions))

    def _ask(self, body: bytes) -> Answer:
        told = {k: v for k, v in self.headers.items() if k.lower() not in _OF_A_CONNECTION}
        self._node.request(self.command, self.path, body or None, told)
        given = self._node.getresponse()
        kept = {k: v for k, v in given.getheaders() if k.lower() not in _OF_A_CONNECTION}
        return Answer(given.status, kept, given.read())

    def _give(self, answer: Answer) -> None:
        self.send_response_only(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: answer.hangs_up_after])
        self.close_connection |= answer.hangs_up_after is not None
