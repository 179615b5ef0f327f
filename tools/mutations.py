"""Injures genuine requests: each mutation makes one that some reader might take for another.

A mutation is a function of a request, another request of the corpus (to borrow from) and the dice;
everything follows from the dice's seed. Most results are no request that a client would make, some
are genuine requests that say something else: both are wanted.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from tools.moto_reading import Raw

Mutation = Callable[[Raw, Raw, random.Random], Raw]

TEXTS = (
    *("", " ", "a b", "é", "😀", "%", "%2F", "+", "&", "=", ";", "#", "?", "/", "//", "..", "\\"),
    *(
        "\x00",
        "\t",
        "\r\n",
        "\u2028",
        "\ud800",
        "null",
        "true",
        "0",
        "-1",
        "1e3",
        "NaN",
        "*",
        "${x}",
    ),
    *("x" * 3000, "arn:aws:iam::111122223333:role/admin", "2026-01-31T12:00:00Z", "QQ==", "{}"),
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 2**70, 0.5, 1e308, 1.0, 7)
VALUES: tuple[object, ...] = (
    *TEXTS,
    *NUMBERS,
    True,
    False,
    None,
    [],
    {},
    [[]],
    {"a": 1},
    ["x", "x"],
)
QUERY = (
    *(
        "acl",
        "versioning",
        "uploads",
        "delete",
        "list-type=2",
        "versionId=null",
        "policy",
        "torrent",
    ),
    *(
        "Action=DeleteAlarms",
        "X-Amz-Target=a.B",
        "x-id=GetObject",
        "max-keys=0",
        "Version=2010-08-01",
    ),
)
HEADERS = (
    ("X-Amz-Target", "GraniteServiceVersion20100801.DeleteAlarms"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("smithy-protocol", "rpc-v2-cbor"),
    ("Content-Encoding", "gzip"),
    ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8"),
    ("Content-Type", "application/json"),
    ("Transfer-Encoding", "chunked"),
    ("x-amz-acl", "public-read"),
    ("x-amz-copy-source", "/other/key"),
    ("x-amz-meta-a", "b"),
    ("x-amz-bypass-governance-retention", "true"),
    ("X-Amz-Security-Token", "t"),
    ("X-Forwarded-Host", "evil.example"),
)


def once_in(times: int, dice: random.Random) -> bool:
    """Tell whether it is this time."""
    return not dice.randrange(times)


# ------------------------------------------------------------------ around the body
def other_method(raw: Raw, _: Raw, dice: random.Random) -> Raw:
    """Change the method."""
    return raw._replace(
        method=dice.choice(("GET", "PUT", "POST", "DELETE", "HEAD", "PATCH", "get"))
    )


def other_host(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Send it to another host, or spell its own another way."""
    parts, host = urlsplit(raw.url), urlsplit(other.url).netloc
    name = dice.choice((host, parts.netloc.upper(), f"a.{parts.netloc}", f"{parts.netloc}:80"))
    return raw._replace(url=urlunsplit(parts._replace(netloc=name)))


def other_path(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Change, add or repeat a segment of the path."""
    parts = urlsplit(raw.url)
    segments, theirs = parts.path.split("/"), urlsplit(other.url).path.split("/")
    at = dice.randrange(len(segments))
    segments[at : at + dice.randint(0, 1)] = [
        dice.choice(
            (
                *(
                    "",
                    ".",
                    "..",
                    "%2e%2e",
                    "%2F",
                    "%252F",
                    "%00",
                    "+",
                    "a%20b",
                    "a:b",
                    "é",
                    "%C3%A9",
                ),
                *(quote(dice.choice(TEXTS), safe="", errors="replace"), dice.choice(theirs)),
                *(
                    segments[at].upper(),
                    segments[at] + "/",
                    segments[at] + ";x",
                    dice.choice(segments),
                ),
            )
        )
    ]
    return raw._replace(url=urlunsplit(parts._replace(path="/".join(segments))))


def other_query(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Change, add or repeat a parameter of the query."""
    parts = urlsplit(raw.url)
    pairs = [each for each in parts.query.split("&") if each]
    theirs = [each for each in urlsplit(other.url).query.split("&") if each]
    name = dice.choice(pairs).partition("=")[0] if pairs else "a"
    new = dice.choice(
        (
            *(dice.choice(QUERY), dice.choice(theirs or ["b=c"]), dice.choice(pairs or ["c"])),
            f"{name}={quote(dice.choice(TEXTS), errors='replace')}",
            f"{name.upper()}=x",
        )
    )
    at = dice.randrange(len(pairs) + 1)
    pairs[at : at + dice.randint(0, 1)] = [new]
    return raw._replace(url=urlunsplit(parts._replace(query="&".join(pairs))))


def more_headers(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Add a header: a marker, one that is there already, or one of another request."""
    name, text = dice.choice((*HEADERS, dice.choice(raw.headers), dice.choice(other.headers)))
    headers = list(raw.headers)
    headers.insert(dice.randrange(len(headers) + 1), (dice.choice((name, name.lower())), text))
    return raw._replace(headers=headers)


def other_header(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Change what a header says."""
    headers = list(raw.headers)
    at = dice.randrange(len(headers))
    name, text = headers[at]
    words = dice.choice(TEXTS).encode("ascii", "replace").decode().replace("\r\n", " ")
    theirs = other.header(name.lower())
    new = dice.choice((theirs or text, text.upper(), text + " ", text + "," + text, words))
    headers[at] = (name, new)
    if name.lower() == "x-amz-target":
        prefix, _, operation = text.rpartition(".")
        headers[at] = (name, f"{prefix}.{dice.choice((operation.lower(), new, 'Delete', ''))}")
    return raw._replace(headers=headers)


def fewer_headers(raw: Raw, _: Raw, dice: random.Random) -> Raw:
    """Leave out a header."""
    gone = dice.randrange(len(raw.headers))
    return raw._replace(headers=[each for at, each in enumerate(raw.headers) if at != gone])


# ------------------------------------------------------------------ the body
def other_bytes(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Change some bytes of the body, wherever they are."""
    body = bytearray(raw.body)
    at = dice.randrange(len(body) + 1)
    to = min(len(body), at + dice.randint(0, 8))
    body[at:to] = dice.choice(
        (
            *(b"", bytes([dice.randrange(256)]), bytes(body[at:to]) * 2, other.body[at : at + 20]),
            *(
                b"&Action=DeleteAlarms",
                b"\x00",
                b"\xff",
                b"\xef\xbb\xbf",
                b"<!--x-->",
                b"]]>",
                b'"',
            ),
        )
    )
    return raw._replace(body=bytes(body))


def broken_off(raw: Raw, _: Raw, dice: random.Random) -> Raw:
    """Leave out the end of the body."""
    return raw._replace(body=raw.body[: dice.randrange(len(raw.body) + 1)])


def swapped_body(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Put the body of another request in, or behind its own."""
    return raw._replace(body=dice.choice((other.body, raw.body + other.body, b"", b"{}", b"[]")))


def other_content(raw: Raw, other: Raw, dice: random.Random) -> Raw:
    """Change what the body says, in its own format; a body of another format is injured."""
    for begin, change in ((b"{", _json), (b"<", _xml), (b"Action=", _form)):
        if raw.body.startswith(begin):
            with suppress(ValueError, IndexError):  # injured too much to be changed
                return raw._replace(body=change(raw.body, dice))
    return other_bytes(raw, other, dice)


def _json(body: bytes, dice: random.Random) -> bytes:
    if once_in(3, dice):
        return _json_text(body, dice)
    document = json.loads(body)
    _change(document, dice)
    return json.dumps(document, ensure_ascii=once_in(2, dice)).encode("utf-8", "surrogatepass")


def _json_text(body: bytes, dice: random.Random) -> bytes:
    """Change how a document is written: names twice, other escapes, other numbers."""
    text = body.decode()
    names = re.findall(r'"(\w+)":', text) or ["a"]
    name, value = dice.choice(names), json.dumps(dice.choice(VALUES))
    twice = f'{{"{name}": {value}, ' + text[1:]
    escaped = text.replace(f'"{name}"', f'"\\u{ord(name[0]):04x}{name[1:]}"')
    number = re.sub(r"\b7\b", dice.choice(("7.0", "07", "7e0", "-0", "1E400", "7_0")), text)
    other = (twice, escaped, number, text.replace(",", ",,"), text + " ", text + "{}", f"[{text}]")
    return dice.choice((*other, text.replace(name, name.swapcase()))).encode()


def _change(node: object, dice: random.Random) -> None:
    """Change one thing somewhere below a node, in place."""
    places: list[tuple[dict[str, object] | list[object], object]] = []
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, dict):
            places += [(each, key) for key in each]
            waiting += each.values()
        elif isinstance(each, list):
            places += [(each, index) for index in range(len(each))]
            waiting += each
    if not places:
        return
    holder, at = dice.choice(places)
    into: dict[object, object] = holder  # type: ignore[assignment]  # a list is set by index alike
    _, source = dice.choice(places), dice.choice(VALUES)
    into[at] = dice.choice((source, [into[at]], {"a": into[at]}, str(into[at]), source))
    if isinstance(holder, dict) and once_in(5, dice):
        holder[dice.choice(("Nonsense", str(at).lower(), str(at).title()))] = holder.pop(str(at))


def _form(body: bytes, dice: random.Random) -> bytes:
    pairs = parse_qsl(body.decode(), keep_blank_values=True)
    at = dice.randrange(len(pairs))
    name, value = pairs[at]
    text = str(dice.choice((*TEXTS, *NUMBERS, "True", "FALSE", value)))
    other = dice.choice(
        (
            *((name, text), (name, text), (name.lower(), value), (f"{name}.1", text)),
            *(
                ("Action", text),
                (name.replace(".1", ".2"), value),
                (name.replace(".1", ".01"), value),
            ),
            *((name.replace(".member", ""), value), (name.rpartition(".")[0] or "x", value)),
        )
    )
    pairs[at : at + dice.randint(0, 1)] = [other]
    if once_in(5, dice):
        dice.shuffle(pairs)
    written = urlencode(pairs, errors="replace")
    if once_in(10, dice):
        written = dice.choice((written.replace("+", "%20"), written.lower(), written + "&"))
    return written.encode()


def _xml(body: bytes, dice: random.Random) -> bytes:
    text = body.decode()
    tags = re.findall(r"<(\w+)[ >]", text)
    name = dice.choice(tags)
    word = dice.choice(TEXTS).replace("<", "").replace("&", "&amp;")
    whole = re.search(rf"<{name}[ >].*?</{name}>", text, re.DOTALL)
    element = whole[0] if whole else ""
    said = re.sub(r">[^<>]+<", lambda _: f">{word}<", text, count=dice.randint(1, 3))
    doctype = f'<!DOCTYPE x [<!ENTITY e "{name}">]>{text.replace("value", "&e;")}'
    other = (
        *(said, said, text.replace(element, element * 2, 1), text.replace(element, "", 1)),
        *(text.replace(f"<{name}>", f"<{name} a='b'>", 1), doctype, f"<?xml version='1.0'?>{text}"),
        *(text.replace(">", "><!-- -->", 1), text.replace(">", "> ", 1), text + element),
        *(
            re.sub(r">([^<>]+)<", r"><![CDATA[\1]]><", text, count=1),
            re.sub(r' xmlns="[^"]*"', "", text),
        ),
        *(text.replace(f"<{name}", f"<x:{name} xmlns:x='y'").replace(f"</{name}", f"</x:{name}"),),
    )
    return dice.choice(other).encode("utf-8", "surrogatepass")


MUTATIONS: Sequence[Mutation] = (
    *(other_method, other_host, other_path, other_path, other_query, other_query),
    *(more_headers, other_header, fewer_headers, other_bytes, broken_off, swapped_body),
    *([other_content] * 9),
)
"""What the dice choose from; the content of bodies is where most meanings are."""


def mutated(raw: Raw, corpus: Sequence[Raw], dice: random.Random) -> Raw:
    """Return a request with one to three mutations that borrow from a corpus."""
    for _ in range(dice.choice((1, 1, 1, 2, 3))):
        raw = dice.choice(MUTATIONS)(raw, dice.choice(corpus), dice)
    return framed(raw)


def framed(raw: Raw) -> Raw:
    """Give a request the length that its body has, and take the spaces around headers away.

    No other request gets past the gateway's reader of HTTP.
    """
    length = str(len(raw.body))
    headers = [
        (name, length if name.lower() == "content-length" else text.strip(" \t"))
        for name, text in raw.headers
    ]
    return raw._replace(headers=headers)
