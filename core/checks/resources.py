"""What boto3's resources do: which AWS call stands behind an attribute, and what comes of it.

Read from the models that come with boto3, with what boto3 adds to them by hand. A resource is
named by its type in the model; the empty type is the service itself (`boto3.resource("ec2")`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from core.checks import models

MemberKind = Literal["action", "collection", "resource", "field", "waiter", "plain"]


@dataclass(frozen=True, slots=True)
class Member:
    """An attribute of a resource."""

    kind: MemberKind
    operation: str = ""
    """The AWS call that it makes; empty: none."""
    type: str = ""
    """Of the resource that it is or gives."""
    shape: str = ""
    """Of the data that it is or gives."""
    many: bool = False
    """Whether it gives a list of resources."""
    loaded: bool = False
    """Whether the data of what it gives come along."""
    given: frozenset[str] = frozenset()
    """Parameters that the resource fills in itself."""


_PLAIN = Member("plain")
_ADDED: Mapping[tuple[str, str], Mapping[str, Member]] = {
    ("s3", "Bucket"): {
        "upload_file": Member("plain", "PutObject"),
        "upload_fileobj": Member("plain", "PutObject"),
        "download_file": Member("plain", "GetObject"),
        "download_fileobj": Member("plain", "GetObject"),
        "copy": Member("plain", "CopyObject"),
        "load": Member("plain", "ListBuckets"),
        "reload": Member("plain", "ListBuckets"),
        "creation_date": Member("plain", "ListBuckets"),
    },
    ("s3", "Object"): {
        "upload_file": Member("plain", "PutObject"),
        "upload_fileobj": Member("plain", "PutObject"),
        "download_file": Member("plain", "GetObject"),
        "download_fileobj": Member("plain", "GetObject"),
        "copy": Member("plain", "CopyObject"),
    },
    ("s3", "ObjectSummary"): {
        "load": Member("plain", "HeadObject"),
        "reload": Member("plain", "HeadObject"),
    },
    ("dynamodb", "Table"): {"batch_writer": Member("plain", "BatchWriteItem")},
    ("ec2", ""): {"create_tags": Member("plain", "CreateTags")},
    ("ec2", "Instance"): {"delete_tags": Member("plain", "DeleteTags")},
}
"""What boto3 adds by hand (boto3/s3/inject.py, boto3/dynamodb, boto3/ec2)."""
_COLLECTION_METHODS = frozenset({"all", "filter", "limit", "page_size", "pages"})


@lru_cache(maxsize=256)
def members(service: str, kind: str) -> Mapping[str, Member]:
    """All attributes of a resource, by the names that scripts use; empty for an unknown type."""
    model = models.resources(service)
    rules = model.get("resources", {}).get(kind, {}) if kind else model.get("service", {})
    if not rules and kind:
        return {}
    found: dict[str, Member] = {"meta": _PLAIN, "get_available_subresources": _PLAIN}
    found |= dict(_fields(service, rules))
    found |= dict(_relations(service, rules, kind))
    found |= dict(_actions(service, rules))
    return {**found, **_ADDED.get((service, kind), {})}


def collection(service: str, kind: str) -> Mapping[str, Member]:
    """What can be called on a collection of resources of a type: filters and batch actions."""
    rules = models.resources(service).get("resources", {}).get(kind, {})
    found = dict.fromkeys(_COLLECTION_METHODS, _PLAIN)
    for name, action in rules.get("batchActions", {}).items():
        found[models.method_name(name)] = _action(service, action)
    return found


def _fields(service: str, rules: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
    """Data that are loaded where they are first read, and identifiers."""
    load = rules.get("load", {}).get("request", {}).get("operation", "")
    for name, member in models.members(service, rules.get("shape", "")).items():
        yield models.method_name(name), Member("field", load, shape=member["shape"])
    for identifier in rules.get("identifiers", ()):
        yield models.method_name(identifier["name"]), _PLAIN
        if identifier.get("memberName"):
            yield models.method_name(identifier["memberName"]), _PLAIN
    if load:
        yield from (("load", Member("plain", load)), ("reload", Member("plain", load)))


def _relations(service: str, rules: Mapping[str, Any], kind: str) -> Iterator[tuple[str, Member]]:
    for name, relation in rules.get("has", {}).items():
        resource = relation["resource"]
        sources = {one.get("source") for one in resource.get("identifiers", ())}
        member = Member("resource", type=resource["type"], many="[]" in resource.get("path", ""))
        yield models.method_name(name) if "data" in sources else name, member
    if not kind:
        for name in models.resources(service).get("resources", {}):
            yield name, Member("resource", type=name)
    for name, relation in rules.get("hasMany", {}).items():
        resource, request = relation["resource"], relation["request"]
        member = Member(
            "collection",
            request["operation"],
            type=resource["type"],
            loaded="path" in resource,
            given=_given(request),
        )
        yield models.method_name(name), member


def _actions(service: str, rules: Mapping[str, Any]) -> Iterator[tuple[str, Member]]:
    for name, action in rules.get("actions", {}).items():
        yield models.method_name(name), _action(service, action)
    for name, waiter in rules.get("waiters", {}).items():
        operation = models.waited(service, waiter["waiterName"])
        given = _given(waiter)
        yield f"wait_until_{models.method_name(name)}", Member("waiter", operation, given=given)


def _action(service: str, action: Mapping[str, Any]) -> Member:
    request, resource = action.get("request", {}), action.get("resource", {})
    operation = request.get("operation", "")
    paths = [one.get("path", "") for one in resource.get("identifiers", ())]
    whole = not resource and not action.get("path")
    return Member(
        "action",
        operation,
        type=resource.get("type", ""),
        shape=models.output_of(service, operation) if whole else "",
        many=any("[]" in path for path in (*paths, resource.get("path", ""))),
        loaded="path" in resource,
        given=_given(request),
    )


def _given(request: Mapping[str, Any]) -> frozenset[str]:
    targets = (one["target"] for one in request.get("params", ()))
    return frozenset(target.partition("[")[0].partition(".")[0] for target in targets)
