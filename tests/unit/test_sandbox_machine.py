"""What is said of a machine where nothing can run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sandbox.engines.machine import Machine, advise, describe, look

USABLE = Machine(
    system="Linux",
    release="6.12",
    processor="x86_64",
    root=False,
    container=False,
    interpreter="/home/ann/python/bin/python3.12",
    user_namespaces=1000,
    unprivileged=True,
    apparmor=False,
    landlock=7,
)
UBUNTU = replace(USABLE, apparmor=True)
HARDENED = replace(USABLE, user_namespaces=0)
OLD_DEBIAN = replace(USABLE, unprivileged=False)
ROOT = replace(USABLE, root=True)
CONTAINER = replace(USABLE, container=True)
ROOT_IN_CONTAINER = replace(USABLE, container=True, root=True)
MAC = replace(USABLE, system="Darwin")
EVERY = (USABLE, UBUNTU, HARDENED, OLD_DEBIAN, ROOT, CONTAINER, ROOT_IN_CONTAINER, MAC)


@pytest.mark.parametrize(
    ("machine", "to_type"),
    [
        (UBUNTU, "apt-get install bubblewrap apparmor-profiles"),
        (UBUNTU, "apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict"),
        (UBUNTU, "profile countersign-python /home/ann/python/bin/python3.12 flags=(unconfined)"),
        (UBUNTU, "apparmor_parser -r /etc/apparmor.d/countersign-python"),
        (HARDENED, "echo user.max_user_namespaces=10000 > /etc/sysctl.d/90-countersign.conf"),
        (OLD_DEBIAN, "echo kernel.unprivileged_userns_clone=1 > /etc/sysctl.d/90-countersign.conf"),
        (ROOT, "CAP_SYS_ADMIN"),
        (CONTAINER, "--security-opt systempaths=unconfined"),
        (ROOT_IN_CONTAINER, "docker run --cap-add SYS_ADMIN --cap-add NET_ADMIN --security-opt"),
        (MAC, "WSL"),
        (USABLE, "Linux 5.12 or newer"),
    ],
)
def test_advice_holds_what_to_type(machine: Machine, to_type: str) -> None:
    """Each kind of machine gets its own way out, with the exact words."""
    assert to_type in advise(machine)


@pytest.mark.parametrize("machine", EVERY)
def test_advice_never_gives_the_walls_up(machine: Machine) -> None:
    """No advice runs scripts without a sandbox, or turns AppArmor's protection off for everyone."""
    advice = advise(machine)

    assert "apparmor_restrict_unprivileged_userns" not in advice
    assert "--privileged" not in advice
    assert "sudo" not in advice
    assert "without" not in advice


def test_a_machine_is_described() -> None:
    """`doctor` shows the facts, a sentence each."""
    assert describe(replace(UBUNTU, unprivileged=False)) == (
        "Linux 6.12 on x86_64",
        "running as an ordinary user, interpreter /home/ann/python/bin/python3.12",
        "user namespaces: at most 1000, none for ordinary users, without rights by AppArmor",
        "Landlock: version 7",
    )
    assert describe(replace(ROOT_IN_CONTAINER, user_namespaces=None, landlock=0))[1:] == (
        "running as root in a container, interpreter /home/ann/python/bin/python3.12",
        "user namespaces: unknown",
        "Landlock: none",
    )


def test_this_machine_can_be_looked_at() -> None:
    """The facts of the machine of this test are read without error."""
    assert look().system == "Linux"
