"""What bubblewrap is told to do, when it is trusted, and what of the host it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engines import view
from sandbox.engines.bubblewrap import why_not
from sandbox.engines.builder import arguments
from sandbox.engines.plan import Plan

ORDINARY = (1000, 1000, 1000)
PLAN = Plan(
    runtime="/home/ann/runtime",
    arguments=["/runtime/python/bin/python3"],
    environment={"AWS_SECRET_ACCESS_KEY": "a-secret", "LD_PRELOAD": "/home/ann/evil.so"},
    listen=True,
    wall_ms=1,
    cpu_s=1,
    memory_bytes=1,
    processes=1,
    descriptors=16,
    work_bytes=4096,
    files=20,
    bubblewrap="/usr/bin/bwrap",
)
ROOT_IN_A_NAMESPACE = """
import os, socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sandbox.engines import builder, kernel
user = os.getuid()
kernel.unshare(kernel.CLONE_NEWUSER)
Path("/proc/self/uid_map").write_text(f"0 {user} 1")
assert os.getresuid() == (0, 0, 0)
try:
    builder.build(None, socket.socket())
except OSError as error:
    print(error.strerror)
"""


@pytest.fixture
def line() -> list[str]:
    """Return the command line for the plan."""
    machine_files = {"sys": True, "keys": False}
    return arguments(PLAN, texts={"hosts": 7}, machine_files=machine_files, program=["x"])


def holds(line: list[str], text: str) -> bool:
    """Tell whether these words stand in the command line, one after the other."""
    wanted = text.split()
    return any(line[at : at + len(wanted)] == wanted for at in range(len(line)))


def test_root_never_uses_bubblewrap() -> None:
    """Whichever of the three user ids is root's, and wherever the program lies."""
    for user_ids in ((0, 1000, 1000), (1000, 0, 1000), (1000, 1000, 0), (0, 0, 0)):
        assert why_not(Path("/usr/bin/env"), user_ids) == "bubblewrap is never used by root"


def test_the_launcher_refuses_root_too() -> None:
    """What starts bubblewrap looks for itself, also where root is root of a namespace only."""
    house = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-I", "-c", ROOT_IN_A_NAMESPACE, house],
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout == "bubblewrap is never used by root\n"


def test_a_program_of_root_is_trusted() -> None:
    """A plain file in folders that only root can change, such as every one of the distribution."""
    assert why_not(Path("/usr/bin/env").resolve(), ORDINARY) == ""


def test_a_program_in_a_folder_of_others_is_refused(tmp_path: Path) -> None:
    """Whoever may change the folder may change the program; /tmp is one of those above it."""
    program = tmp_path / "bwrap"
    program.touch(mode=0o755)

    assert why_not(program, ORDINARY).endswith("can be changed by others than root")


def test_a_program_that_is_not_there_is_refused() -> None:
    """The reason names the path, so that an operator sees where it is looked for."""
    assert why_not(Path("/usr/bin/no-bwrap"), ORDINARY) == (
        "/usr/bin/no-bwrap: No such file or directory"
    )


def test_a_folder_is_no_program() -> None:
    """Only a plain file is executed."""
    assert why_not(Path("/usr"), ORDINARY) == "/usr is not a plain file"


# ------------------------------------------------------------------ the command line
@pytest.mark.parametrize(
    "wanted",
    [
        "/usr/bin/bwrap --unshare-all --unshare-user --disable-userns --cap-drop ALL",
        "--uid 1000 --gid 1000 --hostname sandbox --as-pid-1 --die-with-parent --new-session",
        "--ro-bind /home/ann/runtime /runtime",
        "--dev-bind /dev/null /dev/null",
        "--perms 0555 --size 4096 --tmpfs /proc/sys --remount-ro /proc/sys",
        "--ro-bind /dev/null /proc/keys --remount-ro /proc",
        "--perms 0444 --ro-bind-data 7 /etc/hosts",
        "--perms 0700 --size 4096 --tmpfs /job",
        "--remount-ro / --chdir /job -- x",
    ],
)
def test_bubblewrap_is_told(line: list[str], wanted: str) -> None:
    """Each of these words is a wall, and their order decides what covers what."""
    assert holds(line, wanted)


def test_bubblewrap_is_not_told_of_the_script(line: list[str]) -> None:
    """Its command line can be read by every user, and what a job chooses is not bubblewrap's."""
    assert not {"--setenv", "--clearenv", "--share-net", "--bind", "--cap-add"} & set(line)
    assert "a-secret" not in " ".join(line)
    assert "evil.so" not in " ".join(line)


# ------------------------------------------------------------------ the view
def test_libraries_of_a_debian(tmp_path: Path) -> None:
    """With merged folders those that are no links are shown, and the links are made anew."""
    triple = f"{os.uname().machine}-linux-gnu"
    for name in (f"usr/lib/{triple}", "usr/lib64"):
        (tmp_path / name).mkdir(parents=True)
    for name in ("lib", "lib64"):
        (tmp_path / name).symlink_to(f"usr/{name}")

    assert view.links(tmp_path) == {"lib": "usr/lib", "lib64": "usr/lib64"}
    assert view.libraries(tmp_path) == [f"usr/lib/{triple}", "usr/lib64"]


def test_libraries_of_an_arch(tmp_path: Path) -> None:
    """Without folders for each architecture all of /usr/lib is shown, once."""
    (tmp_path / "usr/lib").mkdir(parents=True)
    (tmp_path / "usr/lib64").symlink_to("lib")
    for name in ("lib", "lib64"):
        (tmp_path / name).symlink_to("usr/lib")

    assert view.links(tmp_path) == {"lib": "usr/lib", "lib64": "usr/lib", "usr/lib64": "lib"}
    assert view.libraries(tmp_path) == ["usr/lib"]


def test_libraries_of_an_old_debian(tmp_path: Path) -> None:
    """With folders that are not merged each is shown where it is."""
    triple = f"{os.uname().machine}-linux-gnu"
    for name in (f"usr/lib/{triple}", f"lib/{triple}", "lib64"):
        (tmp_path / name).mkdir(parents=True)

    assert view.links(tmp_path) == {}
    assert view.libraries(tmp_path) == [f"usr/lib/{triple}", f"lib/{triple}", "lib64"]


def test_only_a_plain_loader_cache_is_shown(tmp_path: Path) -> None:
    """A link could lead anywhere."""
    (tmp_path / "etc").mkdir()
    assert not view.has_loader_cache(tmp_path)
    (tmp_path / view.LOADER_CACHE).touch()
    assert view.has_loader_cache(tmp_path)
    (tmp_path / view.LOADER_CACHE).unlink()
    (tmp_path / view.LOADER_CACHE).symlink_to("/etc/passwd")
    assert not view.has_loader_cache(tmp_path)
