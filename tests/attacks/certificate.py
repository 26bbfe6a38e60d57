"""A certificate for a server of this machine."""

import subprocess
from pathlib import Path

from scene import CERTIFICATE


def certificate(folder: Path) -> list[str]:
    """Makes one, and gives the arguments that serve it."""
    chain, key = folder / CERTIFICATE, folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    words += ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    subprocess.run([*words, "-keyout", key, "-out", chain], check=True, capture_output=True)
    return ["--tls-cert", str(chain), "--tls-key", str(key)]
