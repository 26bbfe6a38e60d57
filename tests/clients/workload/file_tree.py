"""Writes a file for each name of CLIENT_NAMES that a file can have: python3 file_tree.py FOLDER

Left out are names that a path cannot express (a slash at the beginning or the end, an empty segment, `.` and `..`, a
segment of more than 255 bytes), names of more than 1,000 bytes, which leave no room for a prefix, and names that are a
folder of another name.
"""

import hashlib
import os
import sys
from pathlib import Path


def expressible(name: str) -> bool:
    segments = name.split("/")
    proper = all(segment not in ("", ".", "..") and len(segment.encode()) <= 255 for segment in segments)
    return proper and len(name.encode()) <= 1_000


def content(name: str) -> bytes:
    """0 to 4,095 bytes of its own."""
    digest = hashlib.sha256(name.encode()).digest()
    return hashlib.shake_128(digest).digest(int.from_bytes(digest[:2], "big") % 4_096)


def main() -> None:
    root = Path(sys.argv[1])
    names = Path(os.environ["CLIENT_NAMES"]).read_text(encoding="utf-8").split("\n")
    files = [name for name in names if expressible(name)]
    folders = {name[:at] for name in files for at in range(len(name)) if name[at] == "/"}
    files = [name for name in files if name not in folders]
    if len(files) < 100:
        sys.exit(f"only {len(files)} names can be files")
    for name in files:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content(name))


main()
