"""SQL statements, by a proxy before PostgreSQL that reads the clients' messages (protocol version 3)."""

import asyncio
import struct
import threading
from collections import Counter
from collections.abc import Callable

REFUSED_ENCRYPTION = b"N"
SSL_REQUEST, GSS_REQUEST = 80877103, 80877104
BLOCK = 64 * 1024
TEXT_LENGTH = 90


class StatementProxy:
    """Counts until the block ends what is executed through its port."""

    def __init__(self, host: str, port: int):
        self._upstream = (host, port)
        self._executed = Counter()
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0

    def __enter__(self) -> "StatementProxy":
        self._thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(starting, self._loop).result(timeout=10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        connections = asyncio.all_tasks() - {asyncio.current_task()}
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def measure(self, action: Callable[[], int | None]) -> tuple[Counter, int | None]:
        before = self._snapshot()
        answer = action()
        return self._snapshot() - before, answer

    def _snapshot(self) -> Counter:
        with self._lock:
            return Counter(self._executed)

    def _count(self, text: str) -> None:
        with self._lock:
            self._executed[" ".join(text.split())[:TEXT_LENGTH]] += 1

    async def _serve(self, client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        server, requests = await asyncio.open_connection(*self._upstream)
        back = asyncio.ensure_future(_copy(server, answers))
        try:
            await _start(client, answers, requests)
            await self._forward(client, requests)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            requests.close()
            await asyncio.wait([back], timeout=1)
            answers.close()

    async def _forward(self, client: asyncio.StreamReader, requests: asyncio.StreamWriter) -> None:
        statements, portals = {}, {}
        while True:
            head = await client.readexactly(5)
            kind, length = struct.unpack("!cI", head)
            body = await client.readexactly(length - 4)
            words = body.split(b"\0", 2)
            if kind == b"P":
                statements[words[0]] = words[1].decode(errors="replace")
            elif kind == b"B":
                portals[words[0]] = statements.get(words[1], "unknown")
            elif kind == b"E":
                self._count(portals.get(words[0], "unknown"))
            elif kind == b"Q":
                self._count(words[0].decode(errors="replace"))
            requests.write(head + body)
            await requests.drain()


async def _start(client: asyncio.StreamReader, answers: asyncio.StreamWriter, requests: asyncio.StreamWriter) -> None:
    """Forwards the first message, which has no kind. Encryption is refused: the messages could not be read."""
    while True:
        head = await client.readexactly(8)
        length, code = struct.unpack("!II", head)
        if code not in (SSL_REQUEST, GSS_REQUEST):
            requests.write(head + await client.readexactly(length - 8))
            await requests.drain()
            return
        answers.write(REFUSED_ENCRYPTION)
        await answers.drain()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while block := await source.read(BLOCK):
            sink.write(block)
            await sink.drain()
    except ConnectionError:
        pass
    sink.close()
