"""A server with two accounts: an attacker's and a neighbour's."""

import json
import os
import re
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = {
    "BUCKETRY_ACCESS_KEY_ID": "ATTACKROOTACCESSKEY1",
    "BUCKETRY_SECRET_ACCESS_KEY": "attacks-root-secret-key-of-forty-characters",
}
READY = re.compile(r"ready (https?)://(\S+)")
LARGE = "large"
CERTIFICATE = "cert.pem"
LARGE_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Party:
    """A bucket of an account with a token on it."""

    bucket: str
    key: tuple[str, str]
    administrator: tuple[str, str]


def _descriptors(limit: int | None):
    """What lowers the soft limit of a child's descriptors, as a shell's `ulimit -S -n` does."""
    if limit is None:
        return None
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


class Scene:
    """Ends its processes when closed. `facing` are arguments of the process that clients connect to."""

    def __init__(
        self,
        folder: Path,
        server: Path,
        adapter: Path | None,
        arguments: list[str],
        facing: list[str],
        descriptors: int | None,
    ):
        self._server, self._processes = server, []
        self._authority = folder / CERTIFICATE
        if not adapter:
            arguments = [*arguments, *facing]
        environment = {"PATH": os.environ["PATH"]}
        root = {f"BUCKETRY_ROOT_{name[9:]}": value for name, value in ROOT.items()}
        words = [server, "serve", "--console-listen", "none", "--listen", "127.0.0.1:0"]
        words += ["--data-dir", folder / "data", *arguments]
        started = self._start(words, environment | root, folder / "server.log", descriptors)
        self.pid, self.service_scheme, self.service = started
        self.attacked_pid, self.scheme, self.address = started
        if adapter:
            made = self.cli("key", "create", "--edge", "attacks")
            edge = {"BUCKETRY_ACCESS_KEY_ID": made["key"]["accessKeyId"], "BUCKETRY_SECRET_ACCESS_KEY": made["secretAccessKey"]}
            words = [adapter, "--listen", "127.0.0.1:0", "--service", f"http://{self.service}", *facing]
            started = self._start(words, environment | edge, folder / "adapter.log", descriptors)
            self.attacked_pid, self.scheme, self.address = started

    def _start(self, words: list, environment: dict[str, str], log: Path, descriptors: int | None) -> tuple[int, str, str]:
        with log.open("wb") as sink:
            child = subprocess.Popen(
                [str(word) for word in words],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=sink,
                text=True,
                preexec_fn=_descriptors(descriptors),
            )
        self._processes.append(child)
        for line in child.stdout:
            if found := READY.search(line):
                return child.pid, *found.groups()
        raise SystemExit(f"{words[0]} did not start:\n{log.read_text()}")

    def cli(self, *words: str, key: dict[str, str] = ROOT) -> dict:
        environment = {"PATH": os.environ["PATH"], "BUCKETRY_ENDPOINT": f"{self.service_scheme}://{self.service}", **key}
        if self.service_scheme == "https":
            environment["BUCKETRY_CA_FILE"] = str(self._authority)
        ended = subprocess.run(
            [str(self._server), *words, "--output", "json"], env=environment, capture_output=True, text=True, check=False
        )
        if ended.returncode != 0:
            raise SystemExit(f"bucketry {' '.join(words)}: {ended.stderr}")
        return json.loads(ended.stdout)

    def party(self, name: str, permission: str) -> Party:
        account = self.cli("account", "create", name)
        administrator = {
            "BUCKETRY_ACCESS_KEY_ID": account["accessKeyId"],
            "BUCKETRY_SECRET_ACCESS_KEY": account["secretAccessKey"],
        }
        bucket = f"{name}-bucket"
        self.cli("bucket", "create", bucket, key=administrator)
        words = ["token", "create", "--bucket", bucket, "--name", name, "--permission", permission]
        made = self.cli(*words, key=administrator)["credentials"]
        return Party(bucket, (made["accessKeyId"], made["secretAccessKey"]), tuple(administrator.values()))

    def close(self) -> None:
        for process in reversed(self._processes):
            process.terminate()
        for process in reversed(self._processes):
            try:
                process.wait(timeout=40)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def descriptors(pid: int) -> int:
    return len(os.listdir(f"/proc/{pid}/fd"))
