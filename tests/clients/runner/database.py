"""A database of its own for each server, on the PostgreSQL that the tests started."""

import subprocess
import uuid


def fresh_database(url: str) -> str:
    """Makes a database and gives its URL."""
    name = f"clients_{uuid.uuid4().hex}"
    made = subprocess.run(["psql", "--quiet", url, "--command", f"CREATE DATABASE {name}"], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise OSError(f"psql: {made.stderr}")
    return f"{url.rsplit('/', 1)[0]}/{name}"
