"""World files: what is refused, by place, and what the hash covers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import UsageError
from core.simulator.world import since
from core.simulator.world_file import WORLDS, find_world, read_world

SHIPPED = yaml.safe_load((WORLDS / "shop-502.yaml").read_text(encoding="utf-8"))


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    """Return a function that writes a world file."""

    def written(text: str) -> Path:
        path = tmp_path / "world.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def put(place: str, value: Any) -> dict[str, Any]:
    """Return a copy of the shipped world with another value at a dotted place."""
    world: Any = yaml.safe_load(yaml.safe_dump(SHIPPED))
    *way, last = place.split(".")
    at = world
    for part in way:
        at = at[int(part)] if isinstance(at, list) else at[part]
    at[int(last) if isinstance(at, list) else last] = value
    found: dict[str, Any] = world
    return found


def test_every_world_that_ships_is_read() -> None:
    """Their names are what `--aws simulated:` takes."""
    names = [path.stem for path in sorted(WORLDS.glob("*.yaml"))]

    assert "shop-502" in names
    assert [read_world(find_world(name)).title for name in names]


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("titel", "x", "titel"),
        ("instances.storefront-1.lunched", "-1d", r"instances\.storefront-1\.lunched"),
        ("seed", "502", "seed"),
        ("regions", [], "regions"),
        ("epoch", "yesterday", "the document"),
        ("account.id", "1234", "twelve digits"),
        ("events.0.at", "14m", "14m"),
        ("events.0.at", "+14m", r"\+14m"),
        ("alarms.shop-front-502.fires", "sometimes", r"alarms\.shop-front-502\.fires"),
        ("alarms.shop-front-502.target_group", "", "names its target_group"),
        ("networks.lantern.cidr", "10.40", r"10\.40"),
        ("instances.bastion.security_groups", ["nobody"], "there is no 'nobody'"),
        ("instances.bastion.subnet", "attic", "there is no subnet 'attic' in lantern"),
        ("events.0.by", "nobody", r"events\.0\.by: there is no 'nobody' in principals"),
        ("events.0.request", {"a": ["${instances.x}"]}, "there is no 'x' in instances"),
        ("events.0.request", {"a": "${alarms.x}"}, "in alarms"),
        ("load_balancers.shop-public.listeners.0.forward", "x", "there is no 'x'"),
        (
            "security_groups.lantern-ops.ingress.0.peer",
            "10.0.0.1/8",
            r"there is no '10\.0\.0\.1/8'",
        ),
    ],
)
def test_a_mistake_is_refused_by_place(
    written: Callable[[str], Path], place: str, value: Any, said: str
) -> None:
    """Unknown keys, wrong types, and names that lead nowhere: the message says where."""
    with pytest.raises(UsageError, match=said):
        read_world(written(yaml.safe_dump(put(place, value))))


@pytest.mark.parametrize(
    "text", ["", "- 1", "{", "title: [", "epoch: 2026-11-20T15:08:00Z", "a: .nan", "&a [*a]"]
)
def test_what_is_no_world_is_refused(written: Callable[[str], Path], text: str) -> None:
    """Broken YAML, other documents and unquoted times end as one line."""
    with pytest.raises(UsageError):
        read_world(written(text))


@pytest.mark.parametrize("name", ["nowhere", "../worlds/shop-502", "missing.yaml", ""])
def test_a_world_that_is_not_there_is_a_usage_error(name: str) -> None:
    """Names lead to shipped worlds only, paths to files that exist."""
    with pytest.raises(UsageError):
        find_world(name)


def test_layout_does_not_change_the_hash(written: Callable[[str], Path]) -> None:
    """Another order of keys, no comments, defaults written out: the same world."""
    expected = read_world(find_world("shop-502")).digest
    shuffled = put("instances.bastion.answers", 200)

    assert read_world(written(yaml.safe_dump(shuffled, sort_keys=True))).digest == expected


@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("seed", 503),
        ("epoch", "2026-11-20T15:08:01Z"),
        ("question", "Why?"),
        ("caller.denied", ["ec2:*"]),
        ("events.0.at", "-15m"),
        ("instances.bastion.tags", {}),
        ("security_groups.lantern-edge.ingress.0.port", 81),
    ],
)
def test_whatever_is_in_a_world_is_in_its_hash(
    written: Callable[[str], Path], place: str, value: Any
) -> None:
    """Seed, epoch, permissions, history and things: each changes it."""
    expected = read_world(find_world("shop-502")).digest

    assert read_world(written(yaml.safe_dump(put(place, value)))).digest != expected


def test_times_are_relative_to_the_epoch() -> None:
    """Units are seconds, minutes, hours and days before it."""
    world = read_world(find_world("shop-502"))

    assert world.at("0") == world.now
    assert (since("-90s"), since("-2m") * 30) == (since("-1m") * 1.5, since("-1h"))
    assert world.at("-1d") - world.now == since("-24h")


def test_a_world_of_aliases_is_refused(written: Callable[[str], Path]) -> None:
    """A few lines of aliases to aliases would stand for more than any machine holds."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    with pytest.raises(UsageError, match="line 2: aliases and tags are not allowed here"):
        read_world(written("\n".join(lines)))
