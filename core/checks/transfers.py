"""What boto3 adds to S3 by hand: `upload_file` and its like, their arguments and `ExtraArgs`.

They are no operations of a model, take their arguments in order too, and make several calls; boto3
itself refuses what it does not know. `TransferConfig` is looked at as well.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.checks import literals
from core.checks.following import Clients
from core.checks.literals import Entries, Known, Literals
from core.checks.names import last_name
from core.checks.parameters import Problem, nearest
from core.checks.values import NOT_OF_BOTO3, Value

_LAST = ("ExtraArgs", "Callback", "Config")
_COPY_LAST = ("ExtraArgs", "Callback", "SourceClient", "Config")
_SIGNATURES: Mapping[str, tuple[str, ...]] = {
    "copy": ("CopySource", "Bucket", "Key", *_COPY_LAST),
    "download_file": ("Bucket", "Key", "Filename", *_LAST),
    "download_fileobj": ("Bucket", "Key", "Fileobj", *_LAST),
    "upload_file": ("Filename", "Bucket", "Key", *_LAST),
    "upload_fileobj": ("Fileobj", "Bucket", "Key", *_LAST),
}
"""Of the methods of a client; a bucket knows its name, and an object its key too."""
_KNOWS: Mapping[str, frozenset[str]] = {
    "Bucket": frozenset({"Bucket"}),
    "Object": frozenset({"Bucket", "Key"}),
}
_WRITING = frozenset(
    (
        *("ACL", "CacheControl", "ChecksumAlgorithm", "ContentDisposition"),
        *("ContentEncoding", "ContentLanguage", "ContentType", "ExpectedBucketOwner"),
        *("Expires", "GrantFullControl", "GrantRead", "GrantReadACP", "GrantWriteACP"),
        *("Metadata", "ObjectLockLegalHoldStatus", "ObjectLockMode"),
        *("ObjectLockRetainUntilDate", "RequestPayer", "SSECustomerAlgorithm"),
        *("SSECustomerKey", "SSECustomerKeyMD5", "SSEKMSEncryptionContext"),
        *("SSEKMSKeyId", "ServerSideEncryption", "StorageClass", "Tagging"),
        *("WebsiteRedirectLocation",),
    )
)
_SUMS = frozenset(
    (
        *("ChecksumCRC32", "ChecksumCRC32C", "ChecksumCRC64NVME", "ChecksumMD5"),
        *("ChecksumSHA1", "ChecksumSHA256", "ChecksumSHA512", "ChecksumType"),
        *("ChecksumXXHASH128", "ChecksumXXHASH3", "ChecksumXXHASH64", "MpuObjectSize"),
    )
)
_COPYING = frozenset(
    (
        *("AnnotationDirective", "CopySourceIfMatch", "CopySourceIfModifiedSince"),
        *("CopySourceIfNoneMatch", "CopySourceIfUnmodifiedSince"),
        *("CopySourceSSECustomerAlgorithm", "CopySourceSSECustomerKey"),
        *("CopySourceSSECustomerKeyMD5", "MetadataDirective", "TaggingDirective"),
    )
)
_EXTRA: Mapping[str, frozenset[str]] = {
    "copy": _WRITING | _COPYING,
    "download": frozenset(
        (
            *("ChecksumMode", "ExpectedBucketOwner", "RequestPayer"),
            *("SSECustomerAlgorithm", "SSECustomerKey", "SSECustomerKeyMD5", "VersionId"),
        )
    ),
    "upload": _WRITING | _SUMS,
}
"""What ExtraArgs may hold, as s3transfer (a part of boto3) has it; it refuses all else."""
_CONFIG = frozenset(
    (
        *("multipart_threshold", "max_concurrency", "multipart_chunksize", "max_bandwidth"),
        *("num_download_attempts", "max_io_queue", "io_chunksize", "use_threads"),
        *("preferred_transfer_client",),
    )
)


@dataclass(frozen=True, slots=True)
class Transfer:
    """One call of a transfer."""

    method: str
    takes: tuple[str, ...]
    """The names of its arguments, in their order."""
    given: Mapping[str, Literals]
    open: bool
    """There may be more, by `*` or `**`."""
    surplus: tuple[str, ...]
    """Names that it does not take, or takes once only."""
    crowded: bool
    """There are more arguments than it takes."""


def problems(clients: Clients, node: ast.Call) -> Iterator[Problem]:
    """What is wrong with the arguments of a transfer, or of its configuration."""
    if last_name(node.func) == "TransferConfig":
        for keyword in node.keywords:
            if keyword.arg and keyword.arg not in _CONFIG:
                yield _no_parameter("TransferConfig", keyword.arg, _CONFIG)
        return
    transfer = read(clients, node)
    if transfer is None:
        return
    for name in transfer.surplus:
        yield _no_parameter(transfer.method, name, frozenset(transfer.takes))
    if transfer.crowded:
        message = f"{transfer.method} takes {len(transfer.takes)} arguments at most"
        yield Problem("positional", "blocker", message)
    for name in transfer.takes:
        needed = name not in (*_LAST, *_COPY_LAST)
        if needed and name not in transfer.given and not transfer.open:
            message = f"{transfer.method} needs the parameter {name!r}"
            yield Problem("missing-parameter", "blocker", message, name)
    yield from _types(transfer)
    yield from _extra(transfer)


def read(clients: Clients, node: ast.Call) -> Transfer | None:
    """The transfer that a call makes; None where it makes none, or perhaps another one."""
    function = node.func
    if not isinstance(function, ast.Attribute) or function.attr not in _SIGNATURES:
        return None
    owners = [one for one in clients.values(function.value) if one.kind not in NOT_OF_BOTO3]
    if not owners or not all(map(_is_of_s3, owners)) or len({one.of for one in owners}) > 1:
        return None
    known = _KNOWS.get(owners[0].of, frozenset())
    takes = tuple(name for name in _SIGNATURES[function.attr] if name not in known)
    plain = [one for one in node.args if not isinstance(one, ast.Starred)]
    starred = len(plain) < len(node.args)
    in_order = {} if starred else dict(zip(takes, plain, strict=False))
    named = literals.arguments(clients, node)
    given = {name: literals.read(clients, one) for name, one in in_order.items()}
    surplus = [one for one in named.entries if one not in takes or one in given]
    return Transfer(
        method=function.attr,
        takes=takes,
        given={**named.entries, **given},
        open=named.open or starred,
        surplus=tuple(surplus),
        crowded=not starred and len(plain) > len(takes),
    )


def _is_of_s3(owner: Value) -> bool:
    if owner.name != "s3":
        return False
    return owner.kind == "client" or (owner.kind == "resource" and owner.of in _KNOWS)


def _types(transfer: Transfer) -> Iterator[Problem]:
    """Names are texts, and extra arguments a dictionary."""
    for name in ("Bucket", "Key", "Filename"):
        for one in transfer.given.get(name, ()):
            if isinstance(one, Known) and not isinstance(one.value, str) and name != "Filename":
                message = f"{name} of {transfer.method} is a string"
                yield Problem("wrong-type", "blocker", message, "a string")
    for one in transfer.given.get("ExtraArgs", ()):
        if not isinstance(one, Entries) and _is_sure(one):
            message = f"ExtraArgs of {transfer.method} is a dictionary"
            yield Problem("wrong-type", "blocker", message, "a dictionary")


def _is_sure(one: literals.Literal) -> bool:
    if isinstance(one, Known):
        return one.value is not None
    return one != literals.UNKNOWN


def _extra(transfer: Transfer) -> Iterator[Problem]:
    allowed = _EXTRA[transfer.method.partition("_")[0]]
    for one in transfer.given.get("ExtraArgs", ()):
        for name in one.entries if isinstance(one, Entries) else ():
            if name not in allowed:
                yield _no_parameter(f"ExtraArgs of {transfer.method}", name, allowed)


def _no_parameter(where: str, name: str, known: frozenset[str]) -> Problem:
    message = f"{where} has no parameter {name!r}"
    return Problem("unknown-parameter", "blocker", message, nearest(name, known))
