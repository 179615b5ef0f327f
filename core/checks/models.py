"""What botocore's models say: which services, operations, paginators and waiters there are.

The loader is our own and looks only at the models that come with botocore, never into ~/.aws,
where a foreign model could make a misspelt operation look right.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.loaders import Loader


@lru_cache(maxsize=1)
def services() -> frozenset[str]:
    """The names that `boto3.client` takes."""
    return frozenset(_loader().list_available_services("service-2"))


@lru_cache(maxsize=64)
def operations(service: str) -> Mapping[str, str]:
    """A client's method names, each with the operation that it calls."""
    from botocore import xform_name

    return {xform_name(name): name for name in _document(service, "service-2", "operations")}


@lru_cache(maxsize=64)
def paginators(service: str) -> Mapping[str, str]:
    """The names that `get_paginator` takes, each with its operation."""
    from botocore import xform_name

    return {xform_name(name): name for name in _document(service, "paginators-1", "pagination")}


@lru_cache(maxsize=64)
def waiters(service: str) -> Mapping[str, str]:
    """The names that `get_waiter` takes, each with the operation that it repeats."""
    from botocore import xform_name

    found = _document(service, "waiters-2", "waiters")
    return {xform_name(name): rules["operation"] for name, rules in found.items()}


def method_name(operation: str) -> str:
    """The name of the client's method for an operation."""
    from botocore import xform_name

    return str(xform_name(operation))


def _document(service: str, kind: str, key: str) -> Mapping[str, Any]:
    from botocore.exceptions import DataNotFoundError

    try:
        return dict(_loader().load_service_model(service, kind)[key])
    except DataNotFoundError:
        return {}


@lru_cache(maxsize=1)
def _loader() -> Loader:
    from botocore.loaders import Loader

    return Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
