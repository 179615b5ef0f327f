"""What this machine allows, and what to type where it does not allow enough.

Facts only explain a failed trial run (see `choose`) and fill `countersign doctor`; they never
decide. The advice loosens as little as possible and says what it loosens. It never turns a
protection of the whole machine off, and there is no advice to run without a sandbox.
"""

from __future__ import annotations

import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.engines import landlock

_BUBBLEWRAP = "bwrap-userns-restrict"
_PROFILE = "/etc/apparmor.d/countersign-python"


@dataclass(frozen=True, slots=True)
class Machine:
    """The facts that matter to user namespaces, as far as they can be read."""

    system: str
    release: str
    processor: str
    root: bool
    container: bool
    interpreter: str
    """The interpreter's binary, all links resolved."""
    user_namespaces: int | None
    """user.max_user_namespaces; None when it can't be read."""
    unprivileged: bool
    """Whether Debian's kernel.unprivileged_userns_clone leaves them to ordinary users."""
    apparmor: bool
    """Whether AppArmor takes the rights in a user namespace from programs without a profile."""
    landlock: int
    """Version of Landlock, 0 for none."""


def look() -> Machine:
    """Read the facts of this machine."""
    return Machine(
        system=platform.system(),
        release=platform.release(),
        processor=platform.machine(),
        root=os.geteuid() == 0,
        container=Path("/.dockerenv").exists() or Path("/run/.containerenv").exists(),
        interpreter=str(Path(sys.executable).resolve()),
        user_namespaces=_number("/proc/sys/user/max_user_namespaces"),
        unprivileged=_number("/proc/sys/kernel/unprivileged_userns_clone") != 0,
        apparmor=_number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1,
        landlock=landlock.version(),
    )


def describe(machine: Machine) -> tuple[str, ...]:
    """Return the facts as sentences for `countersign doctor`."""
    who = "root" if machine.root else "an ordinary user"
    where = " in a container" if machine.container else ""
    number = machine.user_namespaces
    namespaces = "unknown" if number is None else f"at most {number}"
    if not machine.unprivileged:
        namespaces += ", none for ordinary users"
    if machine.apparmor:
        namespaces += ", without rights by AppArmor"
    return (
        f"{machine.system} {machine.release} on {machine.processor}",
        f"running as {who}{where}, interpreter {machine.interpreter}",
        f"user namespaces: {namespaces}",
        f"Landlock: {f'version {machine.landlock}' if machine.landlock else 'none'}",
    )


def advise(machine: Machine) -> str:
    """Return the way out of a failed trial run: what to type, as text of some lines."""
    if machine.system != "Linux":
        return (
            "scripts run on Linux only (on Windows: in WSL 2); "
            "reviewing, checking and replaying work here"
        )
    if machine.container:
        return _for_container(root=machine.root)
    if machine.root:
        return (
            "root needs CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SETPCAP, CAP_SETUID and CAP_SETGID here, "
            "and Linux 5.12 or newer; or start countersign as an ordinary user"
        )
    if machine.apparmor:
        return _for_apparmor(machine.interpreter)
    if machine.user_namespaces == 0:
        return _for_setting("user.max_user_namespaces=10000")
    if not machine.unprivileged:
        return _for_setting("kernel.unprivileged_userns_clone=1")
    return "needs Linux 5.12 or newer with user namespaces, on x86_64 or aarch64"


def _for_container(*, root: bool) -> str:
    loosened = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
    if root:
        return (
            "start the container with these flags; Docker's own filters forbid to mount and "
            "pivot_root, so they loosen its walls while countersign's stand inside them:\n"
            f"    docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN {loosened} ..."
        )
    return (
        "start the container with these flags; they loosen its own walls, but give no rights to "
        "its user:\n"
        f"    docker run {loosened} --security-opt systempaths=unconfined ...\n"
        "where the host restricts user namespaces by AppArmor (Ubuntu), run as root inside instead"
    )


def _for_apparmor(interpreter: str) -> str:
    return (
        "AppArmor takes all rights in user namespaces from programs it has no profile for. "
        "bubblewrap has one that gives rights to it and not to what it runs; an administrator can "
        "install both:\n"
        "    apt-get install bubblewrap apparmor-profiles\n"
        f"    install -m 644 /usr/share/apparmor/extra-profiles/{_BUBBLEWRAP} /etc/apparmor.d\n"
        f"    apparmor_parser -r /etc/apparmor.d/{_BUBBLEWRAP}\n"
        "or give this interpreter a profile; every program that it runs may then make user "
        "namespaces, so an interpreter of countersign's own is better than the system's:\n"
        f"    cat > {_PROFILE} <<'END'\n"
        "    abi <abi/4.0>,\n"
        "    include <tunables/global>\n"
        f"    profile countersign-python {interpreter} flags=(unconfined) {{\n"
        "      userns,\n"
        "    }\n"
        "    END\n"
        f"    apparmor_parser -r {_PROFILE}"
    )


def _for_setting(setting: str) -> str:
    return (
        "user namespaces are switched off on this machine; an administrator can allow them, for "
        "every user and program:\n"
        f"    echo {setting} > /etc/sysctl.d/90-countersign.conf\n"
        "    sysctl --system"
    )


def _number(path: str) -> int | None:
    try:
        return int(Path(path).read_text("ascii"))
    except (OSError, ValueError):
        return None
