"""A server, a bucket and a token for one run of a client, and the run itself."""

import os
import re
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from database import fresh_database
from manifest import Client, Combination
from outcome import Outcome, reports

# It resolves by the hosts file (`tests/prepare`), as a bucket's own name does for users of virtual-host style.
BUCKET = "client-test-bucket"
ROOT = {"BUCKETRY_ACCESS_KEY_ID": "TESTROOTACCESSKEY001", "BUCKETRY_SECRET_ACCESS_KEY": "client-tests-root-secret-key-of-40-chars"}
KEYRING = 'active = 1\n[keys]\n1 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"\n'
LIMIT_SECONDS = 600
START_LIMIT_SECONDS = 60
READY = re.compile(r"ready (\S+)")
SECRET = re.compile(r"bkty_[0-9A-Za-z]{46}|Signature=[0-9a-f]{40}")


class Failure(Exception):
    """Why a run failed; its text is for the reader of the test's output."""


@dataclass(frozen=True)
class Authority:
    """A certificate authority and a certificate of it for the server."""

    certificate: Path
    server_certificate: Path
    server_key: Path


def make_authority(folder: Path) -> Authority:
    """An authority of this run's own. The bucket's host name is spelled out: many clients refuse `*.localhost`."""
    names = f"DNS:localhost,DNS:{BUCKET}.localhost,IP:127.0.0.1"
    openssl = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    authority, key = folder / "authority.pem", folder / "authority.key"
    usage = ["-addext", "keyUsage=critical,keyCertSign"]
    command([*openssl, "-subj", "/CN=bucketry client tests", *usage, "-out", authority, "-keyout", key])
    certificate, server_key = folder / "server.pem", folder / "server.key"
    leaf = ["-addext", f"subjectAltName={names}", "-addext", "basicConstraints=critical,CA:FALSE"]
    signed = ["-CA", authority, "-CAkey", key, "-subj", "/CN=localhost", *leaf]
    if "-CA " not in command(["openssl", "req", "-help"]):
        raise Failure("openssl 3.0 or later is needed")
    command([*openssl, *signed, "-out", certificate, "-keyout", server_key])
    return Authority(authority, certificate, server_key)


def command(words: list, **options) -> str:
    ended = subprocess.run(
        [str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options
    )
    if ended.returncode != 0:
        raise Failure(f"{words[0]} exited with {ended.returncode}: {ended.stdout}")
    return ended.stdout


class Process:
    """A server that prints a line when it is ready. Its log is kept; one that shows a secret fails the run."""

    def __init__(self, words: list, environment: dict[str, str], log: Path):
        self.log = log
        with log.open("wb") as sink:
            self.child = subprocess.Popen(
                [str(word) for word in words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=sink, text=True
            )
        # If the server dies, its closed output ends this wait.
        limit = threading.Timer(START_LIMIT_SECONDS, self.child.kill)
        limit.start()
        ready = (READY.search(line) for line in self.child.stdout)
        found = next((match for match in ready if match), None)
        limit.cancel()
        if found is None:
            self.child.kill()
            self.child.wait()
            raise Failure(f"the server did not start: {log.read_text(encoding='utf-8', errors='replace')}")
        self.url = found[1]
        # What it prints later must not fill the pipe.
        threading.Thread(target=self.child.stdout.read, daemon=True).start()

    def stop(self) -> None:
        self.child.terminate()
        try:
            self.child.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise Failure("the server did not stop within 60 s") from None
        shown = SECRET.search(self.log.read_text(encoding="utf-8", errors="replace"))
        if shown:
            raise Failure(f"the log shows a secret or a signature: {shown[0][:12]}…")


class Scene:
    """What all runs share."""

    def __init__(self, repository: Path, binary: Path, adapter: Path | None, postgres: str | None, authority: Authority):
        self.repository = repository
        self.binary = binary
        self.adapter = adapter
        self.postgres = postgres
        self.authority = authority

    def run(self, client: Client, combination: Combination) -> Outcome:
        begin = time.monotonic()
        outcome = Outcome(client, combination, 0.0)
        with tempfile.TemporaryDirectory(prefix="bucketry-client-") as folder:
            try:
                outcome.reports = self.run_in(Path(folder), client, combination)
            except (Failure, ValueError, OSError) as error:
                outcome.failure = str(error)
        outcome.seconds = time.monotonic() - begin
        return outcome

    def run_in(self, folder: Path, client: Client, combination: Combination) -> list[dict]:
        running: list[Process] = []
        try:
            server = self.start_service(folder, combination)
            running.append(server)
            port = server.url.rsplit(":", 1)[1]
            admin = {**minimal_environment(), **ROOT, "BUCKETRY_ENDPOINT": f"{server.url.split(':', 1)[0]}://localhost:{port}"}
            if combination.scheme == "https" and self.adapter is None:
                admin["BUCKETRY_CA_FILE"] = str(self.authority.certificate)
            token = self.make_token(admin)
            if self.adapter is not None:
                edge = self.start_adapter(folder, server, combination, self.make_edge_key(admin))
                running.append(edge)
                port = edge.url.rsplit(":", 1)[1]
            token["AWS_ENDPOINT_URL"] = f"{combination.scheme}://localhost:{port}"
            return reports(self.run_client(folder, client, combination, token))
        finally:
            for process in reversed(running):
                process.stop()

    def start_service(self, folder: Path, combination: Combination) -> Process:
        words = [self.binary, "serve", "--console-listen", "none"]
        words += ["--data-dir", folder / "data", "--listen", "127.0.0.1:0"]
        environment = minimal_environment()
        environment["BUCKETRY_ROOT_ACCESS_KEY_ID"] = ROOT["BUCKETRY_ACCESS_KEY_ID"]
        environment["BUCKETRY_ROOT_SECRET_ACCESS_KEY"] = ROOT["BUCKETRY_SECRET_ACCESS_KEY"]
        if combination.scheme == "https" and self.adapter is None:
            words += ["--tls-cert", self.authority.server_certificate, "--tls-key", self.authority.server_key]
        if self.postgres is not None:
            # That of the tests has fsync=off.
            words += ["--database-url", fresh_database(self.postgres), "--allow-unsafe-database"]
            environment["BUCKETRY_KEYRING"] = KEYRING
        return Process(words, environment, folder / "server.log")

    def start_adapter(self, folder: Path, server: Process, combination: Combination, key: dict[str, str]) -> Process:
        if combination.scheme != "http":
            raise Failure("the separate adapter is run over HTTP here")
        words = [self.adapter, "--service", server.url, "--listen", "127.0.0.1:0", "--domain", "localhost"]
        return Process(words, {**minimal_environment(), **key}, folder / "adapter.log")

    def make_edge_key(self, admin: dict[str, str]) -> dict[str, str]:
        printed = command([self.binary, "key", "create", "--edge", "adapter", "--output", "env"], env=admin)
        pairs = (line.split("=", 1) for line in printed.splitlines() if "=" in line)
        return {name: value for name, value in pairs if name.startswith("BUCKETRY_")}

    def make_token(self, admin: dict[str, str]) -> dict[str, str]:
        command([self.binary, "bucket", "create", BUCKET], env=admin)
        create = ["token", "create", "--bucket", BUCKET, "--name", "client", "--permission", "read-write", "--output", "env"]
        printed = command([self.binary, *create], env=admin)
        pairs = (line.split("=", 1) for line in printed.splitlines() if "=" in line)
        return {name: value for name, value in pairs if name.startswith(("AWS_", "BUCKET_"))}

    def run_client(self, folder: Path, client: Client, combination: Combination, token: dict[str, str]) -> str:
        cache = self.repository / ".cache"
        work, home = folder / "work", folder / "home"
        work.mkdir()
        home.mkdir()
        environment = {
            **minimal_environment(),
            **token,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "CLIENT_ADDRESSING": combination.addressing,
            "CLIENT_NAMES": str(self.repository / "tests/clients/workload/names.txt"),
            "CACHE": str(cache),
            "TARGET_DIR": str(self.binary.parents[1]),
            "HOME": str(home),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        if combination.scheme == "https":
            environment["CLIENT_CA_FILE"] = str(self.authority.certificate)
        program = shutil.which(client.command[0])
        if program is None:
            raise Failure(f"{client.command[0]} is not installed")
        words = [program, *(str(client.folder / word) for word in client.command[1:2]), *client.command[2:]]
        try:
            ended = subprocess.run(
                words, cwd=work, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=LIMIT_SECONDS, check=False,
            )
        except subprocess.TimeoutExpired as error:
            printed = error.stdout.decode(errors="replace") if isinstance(error.stdout, bytes) else error.stdout
            raise Failure(f"not finished after {LIMIT_SECONDS} s\n{printed}") from None
        if ended.returncode != 0:
            log = (folder / "server.log").read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
            raise Failure("\n".join([f"exit status {ended.returncode}", ended.stdout[-6000:], "the server's log:", *log]))
        return ended.stdout


def minimal_environment() -> dict[str, str]:
    """The environment without this machine's configuration, except where programs are."""
    kept = ("PATH", "JAVA_HOME", "GOROOT", "LD_LIBRARY_PATH")
    return {"LANG": "C.UTF-8", **{name: os.environ[name] for name in kept if name in os.environ}}
