"""
A network that may be made bad: a byte-level TCP proxy on loopback.

It knows nothing of what passes through it, so it stands before Elasticsearch and Kafka alike.
"""

import asyncio
import socket
import struct
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, Self

from engines.ports import HOST
from tests.faults.weather import FAIR, Weather

_CHUNK_BYTES = 64 * 1024
_CHUNKS_MAX = 256  # on their way in one direction of a connection
_CALL_TIMEOUT_S = 10.0
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: close() sends RST, socket(7)


@dataclass(eq=False)
class _Connection:
    """
    A client, its own connection to the server, and how much of an answer has passed.

    Args:
        passes: How many more bytes of the answer under way pass; None: all.
    """

    client: asyncio.StreamWriter
    server: asyncio.StreamWriter
    asked: bool = False
    passes: int | None = None
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    def end(self, *, reset: bool) -> None:
        """
        Close both sides, in order or with RST.
        """
        for writer in (self.client, self.server):
            if writer.is_closing():
                continue
            if reset:
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                writer.transport.abort()
            else:
                writer.close()
        for task in self.tasks:
            task.cancel()


class Proxy:
    """
    Stands between clients and one server. A context manager; its event loop has its own thread.

    Args:
        server: host:port.
        port: Where it listens.
        random: Of jitter, and of which answers are hit.
    """

    def __init__(self, server: str, port: int, random: Random) -> None:
        self._host, port_of_server = server.rsplit(":", 1)
        self._port_of_server = int(port_of_server)
        self.port = port
        self.random = Random(random.random())  # the loop's
        self.weather = FAIR  # the loop's
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._connections: set[_Connection] = set()  # the loop's
        self._handlers: set[asyncio.Task[None]] = set()  # the loop's
        self._changed = asyncio.Event()  # the loop's: set and replaced when the weather changes
        self._listening: asyncio.Server | None = None  # the loop's
        self.accepted = 0  # connections
        self.hit = 0  # answers lost or cut

    @property
    def address(self) -> str:
        """
        Where clients find it: host:port.
        """
        return f"{HOST}:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._change(FAIR))
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CALL_TIMEOUT_S)
        self._loop.close()

    def set(self, weather: Weather) -> None:
        """
        Change the weather, for connections that are open too.
        """
        self._call(self._change(weather))

    def reset(self) -> None:
        """
        Break all connections with RST.
        """
        self._call(self._reset())

    def _call(self, action: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(action, self._loop).result(_CALL_TIMEOUT_S)

    async def _change(self, weather: Weather) -> None:
        self.weather = weather
        self._changed.set()
        self._changed = asyncio.Event()
        if weather.refuses and self._listening:
            self._listening.close()
            self._listening = None
        elif not weather.refuses and not self._listening:
            self._listening = await asyncio.start_server(self._accept, HOST, self.port)

    async def _reset(self) -> None:
        for connection in self._connections:
            connection.end(reset=True)

    async def _end(self) -> None:
        if self._listening:
            self._listening.close()
        await self._reset()
        await asyncio.gather(*self._handlers, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """
        See a connection through, from its first byte to its end.
        """
        self.accepted += 1
        handler = asyncio.current_task()
        assert handler
        self._handlers.add(handler)
        handler.add_done_callback(self._handlers.discard)
        try:
            answers, server = await asyncio.open_connection(self._host, self._port_of_server)
        except OSError:
            client.transport.abort()  # the server is away: so is what stands before it
            return
        connection = _Connection(client, server)
        self._connections.add(connection)
        there = _Way(self, connection, reader, server, to_server=True)
        back = _Way(self, connection, answers, client, to_server=False)
        connection.tasks = [
            asyncio.create_task(step()) for way in (there, back) for step in (way.take, way.give)
        ]
        await asyncio.gather(*connection.tasks, return_exceptions=True)
        self._connections.discard(connection)

    async def allowed(self, *, to_server: bool) -> Weather:
        """
        Wait until bytes may pass in a direction; give the weather.
        """
        while not (self.weather.to_server if to_server else self.weather.to_client):
            await self._changed.wait()
        return self.weather


class _Way:
    """
    One direction of a connection.
    """

    def __init__(
        self,
        proxy: Proxy,
        connection: _Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        to_server: bool,
    ) -> None:
        self._proxy = proxy
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._to_server = to_server
        self._under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS_MAX)

    async def take(self) -> None:
        """
        Take what comes in, and say when it is to arrive.
        """
        clock, due_s = asyncio.get_running_loop().time, 0.0
        chunk = b" "
        while chunk:
            try:
                chunk = await self._reader.read(_CHUNK_BYTES)
            except ConnectionError:
                chunk = b""
            due_s = max(due_s, clock() + self._proxy.weather.delay_s(self._proxy.random))
            await self._under_way.put((due_s, chunk))

    async def give(self) -> None:
        """
        Let it arrive, as fast as the weather lets it; its end ends the connection.
        """
        clock = asyncio.get_running_loop().time
        while True:
            due_s, chunk = await self._under_way.get()
            await asyncio.sleep(max(0.0, due_s - clock()))
            weather = await self._proxy.allowed(to_server=self._to_server)
            if not chunk or not await self._pass(chunk, weather.bytes_per_s):
                self._connection.end(reset=False)
                return

    async def _pass(self, chunk: bytes, bytes_per_s: int | None) -> bool:
        """
        Write a chunk.

        Returns:
            False when the connection is to end here.
        """
        passing = chunk if self._to_server else self._of_answer(chunk)
        self._connection.asked |= self._to_server
        try:
            if bytes_per_s is None:
                self._writer.write(passing)
            else:
                await self._slowly(passing, bytes_per_s)
            await self._writer.drain()
        except ConnectionError:
            return False
        return passing is chunk

    def _of_answer(self, chunk: bytes) -> bytes:
        """
        Give as much of a chunk of an answer as passes: the chunk itself, where all does.
        """
        connection = self._connection
        if connection.asked:  # what comes first after a question is a new answer
            connection.asked = False
            connection.passes = self._proxy.weather.passes(self._proxy.random)
        if connection.passes is None:
            return chunk
        passing = chunk[: connection.passes]
        connection.passes -= len(passing)
        if len(passing) == len(chunk):
            return chunk
        self._proxy.hit += 1
        return passing

    async def _slowly(self, chunk: bytes, bytes_per_s: int) -> None:
        step = max(1, bytes_per_s // 20)
        for begin in range(0, len(chunk), step):
            piece = chunk[begin : begin + step]
            self._writer.write(piece)
            await asyncio.sleep(len(piece) / bytes_per_s)
