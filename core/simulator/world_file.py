"""Reads a world file and checks it whole, before anything is simulated.

Strict: an unknown key, a wrong type or a name that leads nowhere is a UsageError with the place.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from core.errors import UsageError
from core.simulator.world import World
from core.strict import reader

WORLDS = Path(__file__).parent / "worlds"
"""Worlds that come with countersign, by name."""
MOST_BYTES = 256 * 1024
HINT = "docs/worlds.md describes world files"

_REFERENCE = re.compile(r"\$\{([a-z_]+)\.([A-Za-z0-9 _-]+?)(\.suffix)?\}")
_WITH_IDS = ("networks", "security_groups", "instances", "target_groups", "load_balancers")
_LINKS = (
    ("security_groups", "network", "networks"),
    ("instances", "network", "networks"),
    ("instances", "security_groups", "security_groups"),
    ("target_groups", "network", "networks"),
    ("target_groups", "targets", "instances"),
    ("load_balancers", "network", "networks"),
    ("load_balancers", "security_groups", "security_groups"),
    ("alarms", "target_group", "target_groups"),
)
"""Section and field to the section whose names the field holds."""


def find_world(name: str) -> Path:
    """Return the file of a world given as a path or by the name of one that ships."""
    if name.endswith((".yaml", ".yml")):
        if os.path.isfile(name):  # noqa: PTH113 (Path.is_file raises for a name that is too long)
            return Path(name).absolute()
        raise UsageError(f"{name}: no such world file", hint=HINT)
    path = WORLDS / f"{name}.yaml"
    if path in WORLDS.iterdir():
        return path
    names = ", ".join(sorted(each.stem for each in WORLDS.glob("*.yaml")))
    raise UsageError(f"{name}: no such world", hint=f"there are: {names}; or give a file.yaml")


def read_world(path: Path) -> World:
    """Read a world file; raises UsageError that names the place."""
    from pydantic import ValidationError

    text = json.dumps(_load(path))
    try:
        world: World = reader(World).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the document"
        raise UsageError(f"{path}: {where}: {first['msg']}", hint=HINT) from error
    for problem in _problems(world):
        raise UsageError(f"{path}: {problem}", hint=HINT)
    return world


def references(value: Any) -> Iterator[tuple[str, str, str]]:
    """Yield each ${kind.name} and ${kind.name.suffix} in a value: text, kind, name."""
    if isinstance(value, str):
        yield from ((match[0], match[1], match[2]) for match in _REFERENCE.finditer(value))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def _load(path: Path) -> Any:
    import yaml

    from core.plain_yaml import complaint, plain

    try:
        if path.stat().st_size > MOST_BYTES:
            raise UsageError(f"{path}: larger than {MOST_BYTES} bytes", hint=HINT)
        document = plain(path.read_bytes())
        json.dumps(document, allow_nan=False)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}", hint=HINT) from error
    except yaml.YAMLError as error:
        raise UsageError(f"{path}: not YAML: {complaint(error)}", hint=HINT) from error
    except (TypeError, ValueError, RecursionError) as error:
        raise UsageError(f"{path}: dates and times go in quotes", hint=HINT) from error
    return document


def _problems(world: World) -> Iterator[str]:
    """Yield each name that leads nowhere, with its place."""
    for place, section, name in (*_links(world), *_inner_links(world)):
        if name not in getattr(world, section):
            yield f"{place}: there is no {name!r} in {section}"
    for text, section, name in references(asdict(world)):
        if section not in _WITH_IDS or name not in getattr(world, section):
            yield f"{text}: there is no {name!r} in {section}"
    for place, network, subnet in _subnets(world):
        if network in world.networks and subnet not in world.networks[network].subnets:
            yield f"{place}: there is no subnet {subnet!r} in {network}"


def _links(world: World) -> Iterator[tuple[str, str, str]]:
    """Yield place, section and name wherever a field holds the name of something else."""
    for section, key, leads_to in _LINKS:
        for name, thing in getattr(world, section).items():
            value = getattr(thing, key)
            for each in value if isinstance(value, list) else [value]:
                if each:
                    yield f"{section}.{name}.{key}", leads_to, each


def _inner_links(world: World) -> Iterator[tuple[str, str, str]]:
    for name, group in world.security_groups.items():
        for rule in (*group.ingress, *group.egress):
            if not is_cidr(rule.peer):
                yield f"security_groups.{name}: peer", "security_groups", rule.peer
    for name, balancer in world.load_balancers.items():
        for listener in balancer.listeners:
            yield f"load_balancers.{name}.listeners", "target_groups", listener.forward
    for number, event in enumerate(world.events):
        yield f"events.{number}.by", "principals", event.by


def _subnets(world: World) -> Iterator[tuple[str, str, str]]:
    for name, instance in world.instances.items():
        yield f"instances.{name}.subnet", instance.network, instance.subnet
    for name, balancer in world.load_balancers.items():
        for subnet in balancer.subnets:
            yield f"load_balancers.{name}.subnets", balancer.network, subnet


def is_cidr(peer: str) -> bool:
    """Tell whether a rule's peer is a range of addresses and not the name of a group."""
    try:
        ip_network(peer)
    except ValueError:
        return False
    return True
