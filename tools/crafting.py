"""What is done to the bytes of a genuine request to make a crafted one of it.

An edit is a function from bytes to bytes; edits are put together by `both`. Nothing here asks
whether what comes out is well-formed: mostly it is not meant to be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tools.moto_reading import Raw

FORM = "application/x-www-form-urlencoded; charset=utf-8"
Base = tuple[str, str, Mapping[str, Any]]
"""Service, method of its client, parameters."""


class Crafted(NamedTuple):
    """One row of a table of crafted requests."""

    base: Base
    edit: Callable[[bytes], bytes]
    """From the bytes of the genuine request to those of the crafted one."""
    naive: str = ""
    """What moto would run; empty where it would run what the request seems to ask for, or none."""
    means: tuple[str, Mapping[str, Any]] | None = None
    """None: it has to be refused."""


def text(old: str, new: str, times: int = -1) -> Callable[[bytes], bytes]:
    """Replace a text that is there."""
    return lambda data: data.replace(old.encode("latin-1"), new.encode("latin-1"), times)


def header(line: str) -> Callable[[bytes], bytes]:
    """Add a header."""
    return lambda data: data.replace(b"\r\n\r\n", f"\r\n{line}\r\n\r\n".encode("latin-1"), 1)


def without(name: str) -> Callable[[bytes], bytes]:
    """Leave out a header."""

    def edit(data: bytes) -> bytes:
        head, end, body = data.partition(b"\r\n\r\n")
        begins = f"{name}:".lower().encode()
        lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(begins)]
        return b"\r\n".join(lines) + end + body

    return edit


def body(new: bytes, kind: str = "") -> Callable[[bytes], bytes]:
    """Put another body in, with its length, and its type where one is given."""

    def edit(data: bytes) -> bytes:
        for name in ("content-length", *(["content-type"] if kind else [])):
            data = without(name)(data)
        data = data.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + new
        data = header(f"Content-Length: {len(new)}")(data)
        return header(f"Content-Type: {kind}")(data) if kind else data

    return edit


def both(*edits: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    """Do one thing after another."""

    def edit(data: bytes) -> bytes:
        for each in edits:
            data = each(data)
        return data

    return edit


def line(new: str) -> Callable[[bytes], bytes]:
    """Put another first line in."""
    return lambda data: new.encode("latin-1") + data[data.index(b"\r\n") :]


def form(new: bytes) -> Callable[[bytes], bytes]:
    """Make it a request of the query protocol."""
    return both(without("x-amz-target"), body(new, FORM))


def said(new: str) -> Callable[[bytes], bytes]:
    """Make its body another JSON."""
    return body(new.encode("utf-8", "surrogatepass"))


# ------------------------------------------------------------------ bytes and requests
def on_wire(raw: Raw) -> bytes:
    """Return the bytes of a request as they go to a proxy."""
    named = {name.lower() for name, _ in raw.headers}
    headers = [*raw.headers]
    if "host" not in named:
        headers.insert(0, ("Host", urlsplit(raw.url).netloc))
    if "content-length" not in named:
        headers.append(("Content-Length", str(len(raw.body))))
    lines = [f"{raw.method} {raw.url} HTTP/1.1", *(f"{name}: {text}" for name, text in headers)]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + raw.body


def off_wire(data: bytes) -> Raw:
    """Read bytes without asking whether they are well-formed: what moto is given of them."""
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, url, _ = (*first.split(" "), "", "", "")[:3]
    headers = [(name, text.strip()) for name, _, text in (line.partition(":") for line in lines)]
    if url.startswith("/"):
        host = next((text for name, text in headers if name.lower() == "host"), "")
        url = f"http://{host}{url}"
    return Raw(method, url, headers, body)
