"""The engine that needs nothing but the kernel: fresh namespaces for each run, put up by ourselves.

Works as an ordinary user (a user namespace) and as root (the script gets a user id of its own and
none of root's rights).
"""

from __future__ import annotations

from sandbox.engines.run import Walled


class Namespaces(Walled):
    """`Sandbox` by namespaces; use `choose` to learn whether this machine allows it."""

    engine = "namespaces"
