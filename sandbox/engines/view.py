"""What a script can see of the host, and the few files that are written for it.

One place for both engines: `room` mounts it, `builder` has bubblewrap mount it. Shared libraries
and four devices, all read-only; nothing else of the host.
"""

from __future__ import annotations

import os
from pathlib import Path

DEVICES = ("null", "full", "random", "urandom")
"""Without zero: mapped, it would be memory that belongs to no process."""
LOADER_CACHE = "etc/ld.so.cache"
_LIBRARY_LINKS = ("lib", "lib64", "usr/lib64")
_UNMAPPED = 65534


def links(host: Path) -> dict[str, str]:
    """Return where the host's library folders are links: name to target, relative to the root."""
    return {
        name: str((host / name).readlink()) for name in _LIBRARY_LINKS if (host / name).is_symlink()
    }


def libraries(host: Path) -> list[str]:
    """Return the host's folders of shared libraries that are no links, relative to the root."""
    triple = f"{os.uname().machine}-linux-gnu"
    below = f"/{triple}" if (host / "usr/lib" / triple).is_dir() else ""
    linked = links(host)
    names = (f"usr/lib{below}", f"lib{below}", "usr/lib64", "lib64")
    return [name for name in names if (host / name).is_dir() and not _leads_over(linked, name)]


def has_loader_cache(host: Path) -> bool:
    """Tell whether the host has the loader's list of libraries, as a file of its own."""
    cache = host / LOADER_CACHE
    return cache.is_file() and not cache.is_symlink()


def settings(script_id: int) -> dict[str, str]:
    """Return the files of /etc by name, for a script that runs as this user and group."""
    # An id that is not mapped shows as the second one.
    ids = sorted({script_id, _UNMAPPED})
    return {
        "hosts": "127.0.0.1 localhost sandbox\n",
        "passwd": "".join(f"script{n}:x:{n}:{n}::/job:/none\n" for n in ids),
        "group": "".join(f"script{n}:x:{n}:\n" for n in ids),
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
    }


def _leads_over(linked: dict[str, str], name: str) -> bool:
    return any(name == link or name.startswith(f"{link}/") for link in linked)
