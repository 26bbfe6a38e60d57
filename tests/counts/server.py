"""A server, and keys to it."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
from pathlib import Path

BUCKET = "counted"
ROOT = ("COUNTROOTACCESSKEY01", "counts-root-secret-key-of-forty-characters")
READY = re.compile(r"ready (http://\S+)")
STOP_SECONDS = 120


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    """Runs until the block ends."""

    def __init__(self, words: list, log: Path, patience: float):
        environment = {
            "PATH": os.environ["PATH"],
            "BUCKETRY_ROOT_ACCESS_KEY_ID": ROOT[0],
            "BUCKETRY_ROOT_SECRET_ACCESS_KEY": ROOT[1],
        }
        try:
            with log.open("ab") as sink:
                self._process = subprocess.Popen(
                    [str(word) for word in words],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=sink,
                    text=True,
                )
        except FileNotFoundError as error:
            raise SystemExit(f"counts: there is no program {error.filename}") from None
        self.pid = self._process.pid
        overdue = threading.Timer(patience, self._process.kill)
        overdue.start()
        self.url = next((found[1] for line in self._process.stdout if (found := READY.search(line))), None)
        overdue.cancel()
        if self.url is None:
            self._process.kill()
            raise SystemExit(f"counts: {words[0]} did not start:\n{log.read_text(errors='replace')[-4000:]}")

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Key:
    """An access key to a server."""

    def __init__(self, binary: Path, url: str, pair: tuple[str, str]):
        self._binary, self._url, self._pair = binary, url, pair

    def at(self, url: str) -> "Key":
        """The same key to a server with the same data."""
        return Key(self._binary, url, self._pair)

    def token(self, bucket: str) -> "Key":
        """Makes the bucket, and a token that reads and writes it."""
        self.cli("bucket", "create", bucket)
        words = ["token", "create", "--bucket", bucket, "--name", bucket, "--permission", "read-write"]
        made = self.cli(*words)["credentials"]
        return Key(self._binary, self._url, (made["accessKeyId"], made["secretAccessKey"]))

    def cli(self, *words: str) -> dict:
        environment = {
            "PATH": os.environ["PATH"],
            "BUCKETRY_ENDPOINT": self._url,
            "BUCKETRY_ACCESS_KEY_ID": self._pair[0],
            "BUCKETRY_SECRET_ACCESS_KEY": self._pair[1],
        }
        command = [str(self._binary), *words, "--output", "json"]
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=60)
        if ended.returncode != 0:
            raise SystemExit(f"counts: bucketry {' '.join(words)}: {ended.stderr}")
        return json.loads(ended.stdout or "{}")

    def run_load(self, words: list, patience: float) -> int:
        environment = {
            "PATH": os.environ["PATH"],
            "AWS_ACCESS_KEY_ID": self._pair[0],
            "AWS_SECRET_ACCESS_KEY": self._pair[1],
        }
        command = [str(word) for word in words]
        ended = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=patience
        )
        if ended.returncode != 0:
            raise SystemExit(f"counts: {' '.join(command)}: {ended.stderr}")
        return json.loads(ended.stdout)["operations"]
