"""Endpoint discovery: which host of a service is responsible for a caller, as the service says.

A script's client asks `DescribeEndpoints`, and would go to the host that it is told over TLS, which
nothing in the sandbox can. So the answer names the service's ordinary host instead, by plain HTTP:
the client comes back to the gateway with its call. The host itself is remembered here, and calls
that can't be made elsewhere (Timestream's) are sent to it. Nobody is asked on the gateway's own
account: a client asks before its first call, and that question is judged and recorded like any.
"""

from __future__ import annotations

import json
import re
from collections import OrderedDict
from dataclasses import replace
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from sandbox.gateway.endpoints import Style, endpoint_of
from sandbox.gateway.services import service_named
from sandbox.gateway.vault import MADE_FOR_THE_OLD_BODY
from sandbox.job import AwsCall, Response

_HOST = re.compile(r"[a-z0-9-]+(?:\.[a-z0-9-]+)+")
_MOST_CELLS = 256
_SUCCESS = 200


class Cells:
    """What services said to the callers of one run; threads share it."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._hosts: OrderedDict[tuple[str, str, str], str] = OrderedDict()

    def host_for(self, call: AwsCall) -> str:
        """Return where a call has to go, "" for the ordinary endpoint.

        Raises ValueError when that is not known.
        """
        said = service_named(call.service).operation(call.operation).endpoint_discovery
        if not (said and said.get("required")):
            return ""
        with self._lock:
            host = self._hosts.get((call.service, call.region, call.principal), "")
        if not host:
            raise ValueError(
                f"{call.service} is called at a host that its DescribeEndpoints names, and nobody "
                "has asked for that in this run: leave endpoint discovery switched on"
            )
        return host

    def told(self, call: AwsCall, response: Response) -> Response:
        """Return an answer as a client may have it, with what it says of hosts remembered.

        Raises ValueError when it names something else than hosts.
        """
        if not _names_hosts(call, response):
            return response
        hosts = [str(each["Address"]) for each in _endpoints(call, response)["Endpoints"]]
        if not hosts or not all(map(_HOST.fullmatch, hosts)):
            raise ValueError(f"{call.service} is to be called at what is no name of a host")
        self._remember(call, hosts[0])
        return led_back(call, response)

    def _remember(self, call: AwsCall, host: str) -> None:
        with self._lock:
            key = call.service, call.region, call.principal
            self._hosts[key] = host
            self._hosts.move_to_end(key)
            if len(self._hosts) > _MOST_CELLS:
                self._hosts.popitem(last=False)


def led_back(call: AwsCall, response: Response) -> Response:
    """Return an answer in which the hosts that it names are the service's ordinary one."""
    if not _names_hosts(call, response):
        return response
    document = _endpoints(call, response)
    for each in document["Endpoints"]:
        each["Address"] = f"http://{_ordinary_host(call)}/"
    headers = {
        name: value
        for name, value in response.headers.items()
        if name.lower() not in MADE_FOR_THE_OLD_BODY
    }
    return replace(response, headers=headers, body=json.dumps(document).encode("ascii"))


def _names_hosts(call: AwsCall, response: Response) -> bool:
    asks = service_named(call.service).model.endpoint_discovery_operation
    return asks is not None and call.operation == asks.name and response.status == _SUCCESS


def _endpoints(call: AwsCall, response: Response) -> Any:
    """Return an answer that names hosts; raises ValueError when it can't be read."""
    try:
        document: Any = json.loads(response.body)
        for each in document["Endpoints"]:
            each["Address"].lower()
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{call.service} did not say where it is to be called") from error
    return document


def _ordinary_host(call: AwsCall) -> str:
    service = service_named(call.service)
    operation = service.operation(call.operation)
    return urlsplit(endpoint_of(service, operation, call.region, {}, Style()).url).netloc
