"""The whole environment of a script: nothing of ours is inherited, everything is written here.

With AWS, boto3 finds dummy credentials and a plain HTTP proxy, which is the gateway. What would
make a request harder to read from outside (compression, streaming checksums) or send it elsewhere
(metadata service, endpoint discovery, configuration files) is switched off.
"""

from __future__ import annotations

from collections.abc import Mapping

from sandbox.engines.plan import PORT
from sandbox.job import SCRIPT_SECRET

_ALWAYS = {
    "HOME": "/job",
    "LANG": "C.UTF-8",
    # The interpreter's own library, where it has one apart from its binary.
    "LD_LIBRARY_PATH": "/runtime/python/lib",
    # Libraries for arithmetic would start a thread for every processor of the machine.
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PATH": "/runtime/python/bin",
    "TMPDIR": "/job/tmp",
    "TZ": "UTC",
}
_PROXY = f"http://127.0.0.1:{PORT}"
_WITH_AWS = {
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_DISABLE_REQUEST_COMPRESSION": "true",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_ENDPOINT_DISCOVERY_ENABLED": "false",
    "AWS_MAX_ATTEMPTS": "1",  # whether to try again is decided outside
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    "AWS_S3_DISABLE_EXPRESS_SESSION_AUTH": "true",
    "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT": "regional",
    "AWS_SECRET_ACCESS_KEY": SCRIPT_SECRET,
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    "AWS_STS_REGIONAL_ENDPOINTS": "regional",
    "HTTPS_PROXY": _PROXY,
    "HTTP_PROXY": _PROXY,
    "http_proxy": _PROXY,
    "https_proxy": _PROXY,
}


def script_environment(*, aws: bool) -> dict[str, str]:
    """Return the environment that every job's interpreter starts in."""
    return {**_ALWAYS, **(_WITH_AWS if aws else {})}


def script_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return what a job may add of its own variables; where both speak, the engine wins."""
    return {name: value for name, value in variables.items() if name not in _ALWAYS | _WITH_AWS}
