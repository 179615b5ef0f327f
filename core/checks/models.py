"""What botocore's models say: services, operations, paginators, waiters, and shapes of data.

The models are read as the JSON that comes with botocore, each once, and never from ~/.aws, where a
foreign model could make a misspelt operation look right. No session of botocore is made for it.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

_MODELS = ("service-2.json.gz", "service-2.json")

Shape = Mapping[str, Any]
"""A shape as the model writes it."""


_TRANSFERS = {
    "copy": "CopyObject",
    "download_file": "GetObject",
    "download_fileobj": "GetObject",
    "upload_file": "PutObject",
    "upload_fileobj": "PutObject",
}
"""What boto3 adds to the S3 client."""


@dataclass(frozen=True, slots=True)
class Paging:
    """How an operation is paged."""

    tokens: frozenset[str]
    """Parameters that ask for the next page."""
    answers: frozenset[str]
    """First names of what says in an answer that there is more."""
    limit: str
    results: tuple[str, ...]


@lru_cache(maxsize=1)
def services() -> frozenset[str]:
    """The names that `boto3.client` takes."""
    return frozenset(each.name for each in _data("botocore").iterdir() if each.is_dir())


@lru_cache(maxsize=256)
def operations(service: str) -> Mapping[str, str]:
    """A client's method names, each with the operation that it calls."""
    return {method_name(name): name for name in _model(service).get("operations", {})}


def methods(service: str) -> Mapping[str, str]:
    """Return the operation behind each method of a service's client that calls one."""
    return {**operations(service), **(_TRANSFERS if service == "s3" else {})}


@lru_cache(maxsize=256)
def paginators(service: str) -> Mapping[str, str]:
    """The names that `get_paginator` takes, each with its operation."""
    return {method_name(name): name for name in _paginators(service)}


@lru_cache(maxsize=256)
def waiters(service: str) -> Mapping[str, str]:
    """The names that `get_waiter` takes, each with the operation that it repeats."""
    return {method_name(name): rules["operation"] for name, rules in _waiters(service).items()}


def waited(service: str, waiter: str) -> str:
    """The operation that a waiter, by the model's name for it, repeats."""
    return str(_waiters(service).get(waiter, {}).get("operation", ""))


@lru_cache(maxsize=4096)
def method_name(operation: str) -> str:
    """The name of the client's method for an operation."""
    from botocore import xform_name

    return str(xform_name(operation))


@lru_cache(maxsize=1024)
def paging(service: str, operation: str) -> Paging | None:
    """How an operation is paged; None where it has no paginator."""
    rules = _paginators(service).get(operation)
    if rules is None:
        return None
    answers = [*_listed(rules.get("output_token")), *_listed(rules.get("more_results"))]
    return Paging(
        tokens=frozenset(_listed(rules.get("input_token"))),
        answers=frozenset(one.replace("|", " ").replace(".", " ").split()[0] for one in answers),
        limit=rules.get("limit_key", ""),
        results=tuple(_listed(rules.get("result_key"))),
    )


# ------------------------------------------------------------------ shapes
def input_of(service: str, operation: str) -> str:
    """The shape of an operation's parameters; empty where it takes none."""
    return str(_operation(service, operation).get("input", {}).get("shape", ""))


def output_of(service: str, operation: str) -> str:
    """The shape of an operation's answer; empty where it has none."""
    return str(_operation(service, operation).get("output", {}).get("shape", ""))


def shape(service: str, name: str) -> Shape:
    """A shape by its name; one without a type where there is none."""
    found: Shape = _model(service).get("shapes", {}).get(name, {})
    return found


def members(service: str, name: str) -> Mapping[str, Mapping[str, Any]]:
    """The members of a structure, each with the name of its shape; of other shapes, none."""
    found: Mapping[str, Mapping[str, Any]] = shape(service, name).get("members", {})
    return found


def inner(service: str, name: str, step: str | int) -> str:
    """The shape that lies inside another: of a member, an item or a value; empty if there is none.

    `step` is as in `core.checks.names`: "=key", a position, "any" or "each".
    """
    outer = shape(service, name)
    kind = outer.get("type")
    if kind == "structure" and step == "each" and outer.get("eventstream"):
        return name
    if kind == "structure" and isinstance(step, str) and step.startswith("="):
        return str(members(service, name).get(step[1:], {}).get("shape", ""))
    if kind == "list" and not (isinstance(step, str) and step.startswith("=")):
        return str(outer["member"]["shape"])
    if kind == "map" and step != "each":
        return str(outer["value"]["shape"])
    return ""


def _operation(service: str, operation: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = _model(service).get("operations", {}).get(operation, {})
    return found


# ------------------------------------------------------------------ boto3's resources
@lru_cache(maxsize=1)
def resource_services() -> frozenset[str]:
    """The names that `boto3.resource` takes."""
    return frozenset(each.name for each in _data("boto3").iterdir() if each.is_dir())


@lru_cache(maxsize=16)
def resources(service: str) -> Mapping[str, Any]:
    """The resources of a service as boto3 writes them; empty where it has none."""
    return _document("boto3", service, "resources-1.json")


# ------------------------------------------------------------------ files
@lru_cache(maxsize=64)
def _model(service: str) -> Mapping[str, Any]:
    return _document("botocore", service, *_MODELS)


@lru_cache(maxsize=256)
def _paginators(service: str) -> Mapping[str, Mapping[str, Any]]:
    found = _document("botocore", service, "paginators-1.json", "paginators-1.json.gz")
    return dict(found.get("pagination", {}))


@lru_cache(maxsize=256)
def _waiters(service: str) -> Mapping[str, Mapping[str, Any]]:
    found = _document("botocore", service, "waiters-2.json", "waiters-2.json.gz")
    return dict(found.get("waiters", {}))


def _document(package: str, service: str, *names: str) -> Mapping[str, Any]:
    folder = _data(package) / service
    path = _newest(folder, *names) if service and folder.is_dir() else None
    if path is None:
        return {}
    data = path.read_bytes()
    found: Mapping[str, Any] = json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)
    return found


def _newest(folder: Path, *names: str) -> Path | None:
    """The file of one of these names in the newest version that has one, as botocore takes it."""
    versions = sorted((each for each in folder.iterdir() if each.is_dir()), reverse=True)
    paths = (version / name for version in versions for name in names)
    return next((path for path in paths if path.is_file()), None)


@lru_cache(maxsize=2)
def _data(package: str) -> Path:
    found = importlib.util.find_spec(package)
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0], "data") if places else Path("/nonexistent")


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())
