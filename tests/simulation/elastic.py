"""
Elasticsearch of a simulation: requests and answers take their time.
"""

import asyncio
from collections.abc import Callable

import orjson

from sink.core.body import Body
from sink.core.outcome import Reply
from sink.testing import FakeElastic
from sink.testing.elastic import NO_ANSWER_IN_TIME
from tests.simulation.history import History
from tests.simulation.scheduler import Scheduler

_REQUEST_TIMEOUT_S = 5.0
_USUAL_S = 0.05


class SimulatedElastic(FakeElastic):
    """
    A cluster that goes on with a request when the one who sent it has died, or waits no longer.
    """

    def __init__(self, scheduler: Scheduler, history: History) -> None:
        super().__init__()
        self.slowest_s = _USUAL_S  # of the way there, and of the way back
        self._scheduler = scheduler
        self._history = history
        self._requests = 0

    def heal(self) -> None:
        """
        Answer as a cluster that is well. What is refused for its own sake stays refused.
        """
        self.up()
        self.speak()
        self.slowest_s = _USUAL_S
        self._told.clear()
        self._blocked.clear()
        self._refusals = [refusal for refusal in self._refusals if refusal.times is None]

    async def bulk(self, body: Body | bytes) -> Reply:
        """
        Take one bulk.
        """
        raw = bytes(body)
        self._requests += 1
        loop = asyncio.get_running_loop()
        answered: asyncio.Future[Reply] = loop.create_future()

        def tell(reply: Reply) -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(_answer, answered, reply)

        self._history.note("sink", "sends bulk {}: {}", self._requests, _Documents(raw))
        self._send(self._requests, raw, tell)
        return await answered

    def _send(self, number: int, raw: bytes, tell: Callable[[Reply], None]) -> None:
        scheduler, slowest_s = self._scheduler, self.slowest_s
        back_s = scheduler.within(0, slowest_s)

        def arrive() -> None:
            if any(b'"%b"' % index in raw for index in self._silent):
                return
            reply = self._answer(raw)
            self._history.note("elastic", "answers bulk {}: {}", number, _Said(reply))
            scheduler.at(scheduler.now_s + back_s, lambda: tell(reply))

        scheduler.at(scheduler.now_s + scheduler.within(0, slowest_s), arrive)
        late_s = scheduler.now_s + _REQUEST_TIMEOUT_S
        scheduler.at(late_s, lambda: tell(NO_ANSWER_IN_TIME))


def _answer(answered: "asyncio.Future[Reply]", reply: Reply) -> None:
    if not answered.done():
        answered.set_result(reply)


class _Documents:
    """
    The ids of a bulk, read when somebody wants to know.
    """

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def __format__(self, _: str) -> str:
        targets = [orjson.loads(line)["create"] for line in self._raw.split(b"\n")[0:-1:2]]
        return ", ".join(f"{target['_id']} → {target['_index']}" for target in targets)


class _Said:
    """
    An answer, in short.
    """

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    def __format__(self, _: str) -> str:
        status, body = self._reply.status, self._reply.body
        try:
            items = [item["create"] for item in orjson.loads(body)["items"]]
        except ValueError:
            return f"{status or 'none'} {self._reply.error_type} {body[:40].decode()}"
        said = [f"{i['status']} {i.get('error', {}).get('type', '')}".strip() for i in items]
        return f"{status}: {', '.join(said)}"
