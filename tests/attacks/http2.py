"""HTTP/2 frames by hand: just enough to hold streams open in ways that no library does."""

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0x0, 0x1, 0x4, 0x6, 0x8
END_STREAM, END_HEADERS, ACK = 0x1, 0x4, 0x1
INITIAL_WINDOW_SIZE = 0x4
HEAD_BYTES = 9


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def settings(initial_window: int | None = None) -> bytes:
    payload = b""
    if initial_window is not None:
        payload = INITIAL_WINDOW_SIZE.to_bytes(2, "big") + initial_window.to_bytes(4, "big")
    return frame(SETTINGS, 0, 0, payload)


def initial_window(payload: bytes, former: int) -> int:
    """The initial window of streams that a SETTINGS frame sets, or the former one."""
    pairs = (payload[at : at + 6] for at in range(0, len(payload), 6))
    found = {int.from_bytes(pair[:2], "big"): int.from_bytes(pair[2:], "big") for pair in pairs}
    return found.get(INITIAL_WINDOW_SIZE, former)


def _string(text: str) -> bytes:
    raw = text.encode()
    if len(raw) < 127:
        return bytes([len(raw)]) + raw
    length, encoded = len(raw) - 127, b"\x7f"
    while length >= 128:
        encoded += bytes([length % 128 + 128])
        length //= 128
    return encoded + bytes([length]) + raw


def headers(stream: int, fields: dict[str, str], end: bool) -> bytes:
    """A whole header list as literals without indexing (RFC 7541, section 6.2.2)."""
    block = b"".join(b"\0" + _string(name) + _string(value) for name, value in fields.items())
    return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, block)


def grpc(stream: int, path: str, authority: str, bearer: str | None = None) -> bytes:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": authority,
        "content-type": "application/grpc",
        "te": "trailers",
    }
    if bearer:
        fields["authorization"] = f"Bearer {bearer}"
    return headers(stream, fields, end=False)


class Frames:
    """Cuts received bytes into frames."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[tuple[int, int, int, bytes]]:
        self._pending += data
        found = []
        while len(self._pending) >= HEAD_BYTES:
            length = int.from_bytes(self._pending[:3], "big")
            if len(self._pending) < HEAD_BYTES + length:
                break
            kind, flags = self._pending[3], self._pending[4]
            stream = int.from_bytes(self._pending[5:9], "big")
            found.append((kind, flags, stream, self._pending[HEAD_BYTES : HEAD_BYTES + length]))
            self._pending = self._pending[HEAD_BYTES + length :]
        return found
