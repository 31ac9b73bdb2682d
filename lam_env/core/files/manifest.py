"""A folder's manifest: the digest of each of its files. What has changed since is not taken for the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lam_env.core.files.inputs import BROKEN, read_bytes, read_json

MANIFEST = "manifest.json"
_MOST, _MOST_OF_FILE = 1 << 20, 1 << 32  # [bytes] of it, and of a file that it lists


def write_manifest(folder: Path, version: int, **more: object) -> None:
    """Of the files that are in the folder now, and in folders of it. `version`: of what they mean; `more` stands beside
    it, to be read."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / MANIFEST)
    digests = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    text = json.dumps({"format": version, **more, "sha256": digests}, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


def listed(folder: Path) -> list[str]:
    """The files that a folder's manifest names; none where it cannot be read."""
    try:
        return list(map(str, read_json(folder / MANIFEST, _MOST)["sha256"]))
    except BROKEN:
        return []


def is_whole(folder: Path) -> bool:
    """Whether the folder holds the files of its manifest, unchanged."""
    try:
        listed = read_json(folder / MANIFEST, _MOST)["sha256"]
        there = {name: hashlib.sha256(read_bytes(folder / name, _MOST_OF_FILE)).hexdigest() for name in listed}
        return bool(there == listed)
    except BROKEN:
        return False


def read_files(folder: Path, most: Mapping[str, int], version: int) -> dict[str, bytes]:
    """The contents of the files named in `most` (name -> largest size [bytes]); ValueError if one was changed, or if
    the manifest is of another version."""
    manifest = read_json(folder / MANIFEST, _MOST)
    if not isinstance(manifest, dict) or manifest.get("format") != version:
        raise ValueError(f"its format is not {version}")
    content = {}
    for name, limit in most.items():
        content[name] = read_bytes(folder / name, limit)
        if hashlib.sha256(content[name]).hexdigest() != manifest["sha256"][name]:
            raise ValueError(f"{name} is not the file that was saved: sha256 differs")
    return content
