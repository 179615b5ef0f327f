"""Secrets taken out of everything that is kept: output, AWS answers, results, parameters.

What is taken out: values that are known to be secret, whatever stands under a name that says so
(password, SecretAccessKey, ...), and what looks like a credential wherever it stands. In its place
comes `[redacted:what:1a2b3c4d]`; the last part is an HMAC under a key of this installation, so
equal secrets can be recognised and searched for without being kept.

JSON stays JSON. Trade-offs: harmless text after "password=" goes too; a secret that was cut in two,
encrypted, compressed or spelled backwards is not found. This is the last net, not a wall: what
script and model must not see is decided by policy and tier.
"""

from __future__ import annotations

import base64
import hmac
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

from core.known_secrets import KnownSecrets

SHORTEST_SECRET = 6
"""Known values with fewer characters are left alone: they would tear every text apart."""
SHORTEST_KEY = 16
"""Bytes; with a shorter key the tag of a weak secret could be guessed."""
LEARNED = "sensitive"
"""What a secret is called that was learned from the call it stood in."""
MOST_DEPTH = 64
"""What is nested deeper is taken out whole."""

NAMES = (
    "access token",
    "amz signature",
    "api key",
    "auth token",
    "authorization token",
    "client secret",
    "key material",
    "passphrase",
    "passwd",
    "password",
    "password data",
    "plaintext",
    "pre shared key",
    "private key",
    "refresh token",
    "secret access key",
    "secret binary",
    "secret key",
    "secret string",
    "security token",
    "session token",
    "user data",
)
"""What the end of a name says of its value, in any spelling: DB_PASSWORD, masterUserPassword."""
HEADERS = {"authorization": "authorization", "cookie": "cookie", "setcookie": "cookie"}
"""Keys of JSON that are secret when they are the whole name."""

_OF_MARKERS = f"[redacted:{LEARNED}:"
_LABELS = {name.replace(" ", ""): name.replace(" ", "-") for name in NAMES}
_BY_LENGTH = sorted(_LABELS, key=len, reverse=True)
_LONGEST_LABEL = 40
_LONGEST_MARKER = _LONGEST_LABEL + 20
_MARKER = re.compile(rf"\[redacted:[a-z0-9-]{{1,{_LONGEST_LABEL}}}:[0-9a-f]{{8}}\]")
_NAME = "|".join(name.replace(" ", "[_-]?") for name in sorted(NAMES, key=len, reverse=True))
_NAMED = re.compile(
    rf"""(?ix) (?P<name>{_NAME})
    (?: \\*["']? \s* (?:=>|[:=]) \s*               # "password": or password=, quotes escaped or not
        (?: "(?P<double>(?:[^"\\]|\\.)+)
          | '(?P<single>(?:[^'\\]|\\.)+)
          | \\+["'](?P<escaped>[^"'\\]+)
          | (?P<bare>[^\s"'&;<>\\]*[^\s"'&;<>\\,.(){{}}\[\]]) )
      | > (?:\s*<value>)? (?P<element>[^<>]+) < )  # <Password>...</Password>
    """
)
_SHAPES = [
    (what, re.compile(shape, re.DOTALL))
    for what, shape in (
        (
            "private-key",
            r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*-----|\Z)",
        ),
        ("access-key-id", r"(?<![A-Za-z0-9])((?:AKIA|ASIA)[A-Z0-9]{16})(?![A-Za-z0-9])"),
        ("jwt", r"(?<![\w-])(eyJ[\w-]{5,}\.[\w-]{5,}\.[\w-]*)"),
        (
            "authorization",
            r"(?i)authorization\\*[\"']?\s*[:=]\s*\\*[\"']?(?:bearer|basic)\s+([^\s\"'\\]+)",
        ),
        ("bearer", r"(?i)\bbearer\s+([\w.~+/=-]{20,})"),
        ("url-password", r"(?<=://)[^\s/:@]*:([^\s/@]+)@"),
        ("api-key", r"(?<![\w-])((?:sk-|gh[pousr]_|xox[a-z]-)[\w-]{20,})"),
    )
]
"""What it is, and the form by which it is known; the last group is what goes."""

Span = tuple[int, int, str]
"""Start, end, what it is."""


class Redactor:
    """Takes secrets out; holds them, so it must not be kept longer than they are."""

    def __init__(
        self,
        key: bytes,
        secrets: Iterable[tuple[str, str]] = (),
        patterns: Iterable[str] = (),
    ) -> None:
        """`secrets` are (what it is, value); `patterns` further regular expressions.

        Raises ValueError when the key is shorter than SHORTEST_KEY.
        """
        if len(key) < SHORTEST_KEY:
            raise ValueError(f"a key of {len(key)} bytes protects nothing")
        self._key = key
        self._known = KnownSecrets(
            (spelling, _label(what))
            for what, value in secrets
            if len(value) >= SHORTEST_SECRET
            for spelling in _spellings(value)
        )
        self._patterns = [re.compile(pattern) for pattern in patterns]

    def learn(self, values: Iterable[str]) -> None:
        """Take these out too from now on; any thread may say so while another one redacts.

        Of what was learned, the latest some ten thousand values are remembered. A value that a
        replacement itself is made of is left alone.
        """
        self._known.learn(
            (spelling, LEARNED)
            for value in values
            if len(value) >= SHORTEST_SECRET and value not in _OF_MARKERS
            for spelling in _spellings(value)
        )

    def redact(self, text: str) -> str:
        """Return `text` with every secret replaced; text of earlier redactions stays as it is."""
        parts, done = [], 0
        for start, end, what in _merged(self._spans(text)):
            parts += [text[done:start], self._tag(what, text[start:end])]
            done = end
        return "".join(parts) + text[done:]

    def redact_bytes(self, data: bytes) -> bytes:
        """Return `data` with every secret replaced; JSON stays JSON, anything else is UTF-8 text.

        Bytes in which nothing was found come back as they are.
        """
        try:
            document = json.loads(data, object_pairs_hook=_without_duplicates)
        except (ValueError, RecursionError):
            text = data.decode("utf-8", "surrogateescape")
            return self.redact(text).encode("utf-8", "surrogateescape")
        redacted = self.redact_json(document)
        return data if redacted == document else json.dumps(redacted).encode()

    def redact_json(self, value: Any) -> Any:
        """Return a parsed JSON value with secrets replaced, by name and by look; shapes stay."""
        return self._walk(value, "", 0)

    def _walk(self, value: Any, what: str, depth: int) -> Any:
        """Below a secret name (`what`) every text and number goes."""
        if depth > MOST_DEPTH:
            return self._tag("too-deep", "")
        if isinstance(value, Mapping):
            named = _named_value(value)
            return {
                self.redact(key): self._walk(
                    item, what or _secret_name(key) or named.get(key, ""), depth + 1
                )
                for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._walk(item, what, depth + 1) for item in value]
        if isinstance(value, str):
            taken = what and value and not _MARKER.fullmatch(value)
            return self._tag(what, value) if taken else self.redact(value)
        if what and isinstance(value, int | float) and not isinstance(value, bool):
            return self._tag(what, str(value))
        return value

    def _spans(self, text: str) -> Iterator[Span]:
        yield from self._known.spans(text)
        for span in self._likely(text):
            if not _in_marker(text, *span[:2]):
                yield span

    def _likely(self, text: str) -> Iterator[Span]:
        for pattern in self._patterns:
            for found in pattern.finditer(text):
                yield *found.span(), "pattern"
        for what, shape in _SHAPES:
            for found in shape.finditer(text):
                yield *found.span(found.lastindex or 0), what
        for found in _NAMED.finditer(text):
            yield *found.span(found.lastgroup or 0), _secret_name(found["name"])

    def _tag(self, what: str, secret: str) -> str:
        mac = hmac.new(self._key, secret.encode("utf-8", "surrogatepass"), "sha256").hexdigest()
        return f"[redacted:{what}:{mac[:8]}]"


def _merged(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield spans in order; those that overlap become one, named after the one that starts it."""
    merged: list[Span] = []
    for start, end, what in sorted(spans, key=lambda span: (span[0], -span[1])):
        if merged and start < merged[-1][1]:
            first, last, name = merged[-1]
            merged[-1] = first, max(last, end), name
        elif start < end:
            merged.append((start, end, what))
    return iter(merged)


def _in_marker(text: str, start: int, end: int) -> bool:
    """Whether this is what an earlier redaction left, or begins inside of it."""
    opening = text.rfind("[redacted:", max(0, start - _LONGEST_MARKER), start + len("[redacted:"))
    marker = _MARKER.match(text, opening) if opening >= 0 else None
    return marker is not None and (end <= marker.end() or opening < start < marker.end())


def _spellings(value: str) -> set[str]:
    """Return how a value may stand in a text: as it is, escaped for JSON, for a URL, in base64."""
    return {
        value,
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
        quote(value, safe="", errors="replace"),
        base64.b64encode(value.encode("utf-8", "surrogatepass")).decode().rstrip("="),
    }


def _secret_name(name: str) -> str:
    """Return what a name says of its value, or an empty text."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    found = (_LABELS[known] for known in _BY_LENGTH if plain.endswith(known))
    return HEADERS.get(plain) or next(found, "")


def _named_value(pairs: Mapping[Any, Any]) -> dict[str, str]:
    """Return what is secret in {"Name": "DB_PASSWORD", "Value": ...}, as AWS writes pairs."""
    by_name = {str(key).lower(): key for key in pairs}
    if "value" not in by_name:
        return {}
    names = [pairs[by_name[key]] for key in ("name", "key") if key in by_name]
    what = next((_secret_name(name) for name in names if isinstance(name, str)), "")
    if "type" in by_name and pairs[by_name["type"]] == "SecureString":
        what = what or "secure-string"
    return {by_name["value"]: what}


def _label(what: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", what.lower()).strip("-")[:_LONGEST_LABEL] or "secret"


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Refuse a key that stands twice: parsing would hide the first value, but not take it out."""
    if len(found := dict(pairs)) != len(pairs):
        raise ValueError("a key stands twice")
    return found
