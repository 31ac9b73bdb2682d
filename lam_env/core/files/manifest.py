"""A folder's manifest: the digest of each of its files. What has changed since is not taken for the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from lam_env.core.files.inputs import read_bytes, read_json

MANIFEST = "manifest.json"
_MOST = 1 << 20  # [bytes] of it


def write_manifest(folder: Path, version: int, **more: object) -> None:
    """Of the files that are in the folder now. `version`: of what they mean; `more` stands beside it, to be read."""
    files = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    digests = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    text = json.dumps({"format": version, **more, "sha256": digests}, indent=1) + "\n"
    (folder / MANIFEST).write_text(text, encoding="utf-8")


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
