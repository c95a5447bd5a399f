"""
Elasticsearch in memory, as a bulk sees it: ids, conflicts, refusals, outages, on demand.
"""

import asyncio
import json
import threading
from collections import deque
from dataclasses import dataclass

import orjson

from sink.core.body import Body
from sink.core.outcome import Reply

# What Elasticsearch 8.19 answers to a request as a whole.
UNAUTHORIZED = Reply(401, b"", "security_exception", "unable to authenticate user")
UNAVAILABLE = Reply(503, b"", "cluster_block_exception", "state not recovered / initialized")
BUSY = Reply(429, b"", "es_rejected_execution_exception", "rejected execution of coordinating")
NO_ANSWER = Reply(0, b"", "ConnectionError", "connection refused")
NO_ANSWER_IN_TIME = Reply(0, b"", "ConnectionTimeout", "Connection timed out")
_TOO_LARGE = Reply(413)
_TIMEOUT_S = 0.05
_MALFORMED = Reply(400, b"", "illegal_argument_exception", "Malformed action/metadata line")

_CONFLICT = "version_conflict_engine_exception"
_PARSING = "document_parsing_exception"


@dataclass(slots=True)
class _Refusal:
    """
    What documents that hold a marker are answered, and how often yet; None for ever.
    """

    marker: bytes
    status: int
    error_type: str
    reason: str
    times: int | None


@dataclass(frozen=True, slots=True)
class _Told:
    reply: Reply
    applied: bool


class FakeElastic:
    """
    Takes the bulks of one event loop. Any thread may tell it what to answer.

    Args:
        latency_s: How long each request takes.
    """

    def __init__(self, latency_s: float = 0.0) -> None:
        self.latency_s = latency_s
        self.bytes_max: int | None = None  # a longer body is answered 413
        self.indices: dict[str, dict[str, bytes]] = {}  # index → id → source
        self.bodies: list[bytes] = []  # of all requests, in the order they came
        self.created = 0  # documents, and not merely found to be there
        self.refreshed = 0  # times the credentials were read again
        self.concurrent = 0
        self.concurrent_max = 0  # a test may set it back to 0
        self._outage: Reply | None = None
        self._told: deque[_Told] = deque()
        self._refusals: list[_Refusal] = []
        self._silent: set[bytes] = set()  # indices that keep a request waiting
        self._blocked: dict[str, tuple[int, str, str]] = {}  # index → what it answers
        self._lock = threading.Lock()  # guards the two below
        self._holding = False
        self._held: deque[asyncio.Future[None]] = deque()

    def down(self, reply: Reply = UNAVAILABLE) -> None:
        """
        Answer this to every request from now on.
        """
        self._outage = reply

    def up(self) -> None:
        """
        End what `down` began.
        """
        self._outage = None

    def answer(self, *replies: Reply, applied: bool = False) -> None:
        """
        Answer these to the next requests.

        Args:
            applied: The documents are indexed all the same: it is the answer that got lost.
        """
        self._told += [_Told(reply, applied) for reply in replies]

    def refuse(
        self,
        marker: bytes,
        status: int,
        error_type: str,
        reason: str = "",
        times: int | None = None,
    ) -> None:
        """
        Refuse each document that holds a marker.

        Args:
            times: How many documents; None for ever.
        """
        self._refusals.append(_Refusal(marker, status, error_type, reason, times))

    def accept(self) -> None:
        """
        End what `refuse` began.
        """
        self._refusals.clear()

    def block(
        self,
        index: str,
        status: int = 403,
        error_type: str = "cluster_block_exception",
        reason: str = "index [x] blocked by: [FORBIDDEN/8/index write (api)];",
    ) -> None:
        """
        Refuse each document of an index.
        """
        self._blocked[index] = (status, error_type, reason)

    def silence(self, index: str) -> None:
        """
        Answer no request in time that holds a document of an index.
        """
        self._silent.add(index.encode())

    def speak(self) -> None:
        """
        End what `silence` began.
        """
        self._silent.clear()

    def unblock(self, index: str) -> None:
        """
        End what `block` began.
        """
        self._blocked.pop(index, None)

    def hold(self) -> None:
        """
        Keep requests waiting for their answer until `release`.
        """
        with self._lock:
            self._holding = True

    def held(self) -> int:
        """
        Count the requests that wait.
        """
        with self._lock:
            return len(self._held)

    def release(self, requests: int | None = None) -> None:
        """
        Let requests go on, the first to come first; None lets all, and holds no more.
        """
        with self._lock:
            self._holding = self._holding and requests is not None
            count = len(self._held) if requests is None else requests
            going = [self._held.popleft() for _ in range(count)]
        for waiting in going:
            waiting.get_loop().call_soon_threadsafe(_open, waiting)

    def documents(self) -> dict[str, bytes]:
        """
        Give all documents, id → source, whatever their index.
        """
        return {id_: source for index in self.indices.values() for id_, source in index.items()}

    async def bulk(self, body: Body | bytes) -> Reply:
        """
        Take one bulk.
        """
        raw = bytes(body)
        self.bodies.append(raw)
        self.concurrent += 1
        self.concurrent_max = max(self.concurrent_max, self.concurrent)
        try:
            await self._pass()
            if any(b'"%b"' % index in raw for index in self._silent):
                await asyncio.sleep(_TIMEOUT_S)
                return NO_ANSWER_IN_TIME
            return self._answer(raw)
        finally:
            self.concurrent -= 1

    async def refresh_credentials(self) -> None:
        """
        Count that the credentials were read again.
        """
        self.refreshed += 1

    async def _pass(self) -> None:
        await asyncio.sleep(self.latency_s)
        with self._lock:
            if not self._holding:
                return
            waiting = asyncio.get_running_loop().create_future()
            self._held.append(waiting)
        await waiting

    def _answer(self, body: bytes) -> Reply:
        if self._outage is not None:
            return self._outage
        if self._told:
            told = self._told.popleft()
            if told.applied:
                self._apply(body)
            return told.reply
        if self.bytes_max is not None and len(body) > self.bytes_max:
            return _TOO_LARGE
        return self._apply(body)

    def _apply(self, body: bytes) -> Reply:
        """
        Do what the lines say, a delete included, and answer as `filter_path` leaves it.
        """
        lines = deque(body.split(b"\n"))
        if lines.pop():
            return Reply(400, b"", _MALFORMED.error_type, "must be terminated by a newline [\\n]")
        items: list[dict[str, dict[str, object]]] = []
        while lines:
            try:
                ((operation, target),) = orjson.loads(lines.popleft()).items()
                index = self.indices.setdefault(target["_index"], {})
                if operation == "delete":
                    index.pop(target["_id"], None)
                    items.append({operation: {"status": 200}})
                    continue
                source = lines.popleft()
            except (ValueError, KeyError, TypeError, AttributeError, IndexError):
                return _MALFORMED
            refusal = self._blocked.get(target["_index"])
            items.append(
                {
                    operation: _error(*refusal)
                    if refusal
                    else self._write(index, operation, target.get("_id"), source)
                }
            )
        failed = any("error" in result for item in items for result in item.values())
        return Reply(200, orjson.dumps({"errors": failed, "items": items}))

    def _write(
        self, index: dict[str, bytes], operation: str, id_: str | None, source: bytes
    ) -> dict[str, object]:
        refusal = self._refusal_of(source)
        if refusal is not None:
            return _error(refusal.status, refusal.error_type, refusal.reason)
        if not _is_object(source) or b'"_source"' in source:  # a metadata field
            return _error(400, _PARSING, "failed to parse")
        if id_ is None:
            id_ = f"auto-{self.created}"
        if id_ in index and operation == "create":
            return _error(409, _CONFLICT, f"[{id_}]: document already exists")
        status = 200 if id_ in index else 201
        self.created += status == 201
        index[id_] = source
        return {"status": status}

    def _refusal_of(self, source: bytes) -> _Refusal | None:
        for refusal in self._refusals:
            if refusal.marker in source and refusal.times != 0:
                refusal.times = None if refusal.times is None else refusal.times - 1
                return refusal
        return None


def _open(waiting: "asyncio.Future[None]") -> None:
    if not waiting.done():
        waiting.set_result(None)


def _error(status: int, error_type: str, reason: str) -> dict[str, object]:
    return {"status": status, "error": {"type": error_type, "reason": reason}}


def _is_object(source: bytes) -> bool:
    try:
        return isinstance(json.loads(source), dict)
    except (ValueError, RecursionError):
        return False
