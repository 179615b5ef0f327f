"""Makes sandbox/gateway/routes.json.gz anew from the installed botocore: `make routes`.

For each name that requests are signed for it holds the services that use it, and for each of their
operations the method and the path, so that a request can be recognised without reading 439 models.
"""

from __future__ import annotations

import gzip
import json
from typing import Any

import botocore
from botocore.model import OperationModel, ServiceModel

from sandbox.gateway.routes import DATA
from sandbox.gateway.services import private_loader

REST = ("rest-json", "rest-xml")


def main() -> None:
    """Write the table; the same botocore gives the same bytes."""
    loader = private_loader()
    table: dict[str, Any] = {"botocore": botocore.__version__, "signs_as": {}}
    for name in loader.list_available_services("service-2"):
        model = ServiceModel(loader.load_service_model(name, "service-2"), name)
        table["signs_as"].setdefault(model.signing_name, {})[name] = service(model)
    text = json.dumps(table, separators=(",", ":"), sort_keys=True)
    DATA.write_bytes(gzip.compress(text.encode("ascii"), 9, mtime=0))
    print(f"{DATA.name}: {DATA.stat().st_size} bytes, botocore {botocore.__version__}")


def service(model: ServiceModel) -> dict[str, Any]:
    """Return what the table says of one service."""
    protocol = model.resolved_protocol
    operations = [model.operation_model(name) for name in sorted(model.operation_names)]
    return {
        "protocol": protocol,
        "host": model.endpoint_prefix,
        "marker": model.metadata.get("targetPrefix", model.api_version),
        "operations": [route(operation, rest=protocol in REST) for operation in operations],
    }


def route(operation: OperationModel, *, rest: bool) -> list[str]:
    """Return an operation's name, and what tells it apart."""
    if not rest:
        return [operation.name]
    return [operation.name, operation.http["method"], operation.http["requestUri"]]


if __name__ == "__main__":
    main()
