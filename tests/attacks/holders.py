"""Many sockets held open by one process, without a thread for each: opened again when the server ends them."""

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# Below this a slot is not opened again at once: the tool must not become the load.
REOPEN_SECONDS = 1.0
CONNECT_SECONDS = 0.5
TICK_SECONDS = 1.0
OPENED_AT_ONCE = 64


class Session:
    """What one connection sends."""

    # Without reading, the server's buffers fill.
    reads = False

    def opening(self) -> bytes:
        return b""

    def received(self, data: bytes) -> bytes:
        """What is sent in answer."""
        return b""

    def tick(self) -> bytes:
        """What is sent every second."""
        return b""


@dataclass(frozen=True)
class Held:
    """How many connections an attack holds, and what each of them does."""

    connections: int
    session: Callable[[], Session]
    receive_buffer: int | None = None


@dataclass
class Count:
    opened: int = 0
    ended: int = 0
    refused: int = 0
    answers: dict[str, int] = field(default_factory=dict)


class Connection:
    """An open socket with what it could not send yet."""

    def __init__(self, held: socket.socket, session: Session, slot: int):
        self.socket, self.session, self.slot = held, session, slot
        self._pending = bytearray()

    def send(self, data: bytes) -> None:
        self._pending += data
        try:
            while self._pending:
                del self._pending[: self.socket.send(self._pending)]
        except BlockingIOError:
            return

    def events(self) -> int:
        wanted = select.EPOLLRDHUP | select.EPOLLERR | select.EPOLLHUP
        if self.session.reads:
            wanted |= select.EPOLLIN
        return wanted | (select.EPOLLOUT if self._pending else 0)


class Holder:
    def __init__(self, address: str, held: Held):
        host, port = address.rsplit(":", 1)
        self._address, self._held = (host, int(port)), held
        self._poll, self._open_ones = select.epoll(), {}
        self._again = [0.0] * held.connections
        self.count = Count()

    def run(self, until: float, watch: Callable[[], None]) -> None:
        tick = 0.0
        while (now := time.monotonic()) < until:
            self._open_due(now, until)
            if now >= tick:
                tick = now + TICK_SECONDS
                watch()
                self._drip()
            for descriptor, events in self._poll.poll(0.05):
                self._serve(descriptor, events)

    def close(self) -> None:
        for connection in self._open_ones.values():
            connection.socket.close()
        self._open_ones.clear()
        self._poll.close()

    def _open_due(self, now: float, until: float) -> None:
        due = [slot for slot, at in enumerate(self._again) if at <= now]
        for slot in due[:OPENED_AT_ONCE]:
            if time.monotonic() >= until:
                return
            self._again[slot] = float("inf")
            self._open(slot)

    def _open(self, slot: int) -> None:
        held = socket.socket()
        if self._held.receive_buffer:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._held.receive_buffer)
        held.settimeout(CONNECT_SECONDS)
        connection = Connection(held, self._held.session(), slot)
        try:
            held.connect(self._address)
            held.setblocking(False)
            connection.send(connection.session.opening())
        except OSError:
            held.close()
            self.count.refused += 1
            self._again[slot] = time.monotonic() + REOPEN_SECONDS
            return
        self.count.opened += 1
        self._poll.register(held.fileno(), connection.events())
        self._open_ones[held.fileno()] = connection

    def _drip(self) -> None:
        for descriptor, connection in list(self._open_ones.items()):
            self._attempt(descriptor, connection, connection.session.tick())

    def _attempt(self, descriptor: int, connection: Connection, data: bytes) -> None:
        try:
            connection.send(data)
            self._poll.modify(descriptor, connection.events())
        except OSError:
            self._end(descriptor, connection)

    def _serve(self, descriptor: int, events: int) -> None:
        connection = self._open_ones.get(descriptor)
        if connection is None:
            return
        if events & (select.EPOLLIN | select.EPOLLRDHUP):
            try:
                data = connection.socket.recv(65536)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data:
                self._note(data)
            if data and connection.session.reads:
                self._attempt(descriptor, connection, connection.session.received(data))
                return
            if data is not None:
                self._end(descriptor, connection)
                return
        if events & (select.EPOLLERR | select.EPOLLHUP):
            self._end(descriptor, connection)
        elif events & select.EPOLLOUT:
            self._attempt(descriptor, connection, b"")

    def _end(self, descriptor: int, connection: Connection) -> None:
        self._poll.unregister(descriptor)
        del self._open_ones[descriptor]
        connection.socket.close()
        self.count.ended += 1
        self._again[connection.slot] = time.monotonic() + REOPEN_SECONDS

    def _note(self, data: bytes) -> None:
        if data.startswith(b"HTTP/1.1 "):
            status = data[9:12].decode()
            self.count.answers[status] = self.count.answers.get(status, 0) + 1
