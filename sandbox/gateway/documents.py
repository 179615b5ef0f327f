"""Bodies of AWS answers as trees whose texts can be exchanged, whatever the protocol.

Two formats, JSON and XML, behind one shape: a document is a number of structures, and a structure
is its texts with the names they have on the wire. Nothing here knows the models: what is found is
found by name, in answers that hold more than the models say too.

A document that was changed is written anew, so white space, comments, keys that stood twice and the
prefixes of namespaces are not kept; botocore reads neither. CBOR is not read here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any
from xml.etree import ElementTree as ET

FORMATS = {"ec2": "xml", "json": "json", "query": "xml", "rest-json": "json", "rest-xml": "xml"}
"""Which of the two a protocol of botocore's models writes its answers in."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text in a document."""

    name: str
    """As on the wire, in lower case."""
    value: str
    write: Callable[[str], None]
    """Puts another text in its place."""


Structure = list[Text]


class JsonDocument:
    """A body in JSON."""

    def __init__(self, body: bytes) -> None:
        """Raises ValueError when it can't be read."""
        try:
            self._tree: Any = json.loads(body)
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    def structures(self) -> Iterator[Structure]:
        """Yield the texts of each object."""
        waiting = [self._tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                yield [
                    Text(name.lower(), value, partial(node.__setitem__, name))
                    for name, value in node.items()
                    if isinstance(value, str)
                ]
                waiting.extend(node.values())
            elif isinstance(node, list):
                waiting.extend(node)

    def to_bytes(self) -> bytes:
        """Return the document as it is now."""
        return json.dumps(self._tree).encode("ascii")


class XmlDocument:
    """A body in XML."""

    def __init__(self, body: bytes) -> None:
        """Raises ValueError when it can't be read."""
        try:
            self._root = ET.fromstring(body)  # noqa: S314  expat limits what entities become
        except ET.ParseError as error:
            raise ValueError(str(error)) from error
        namespace = self._root.tag.partition("}")[0].lstrip("{") if "}" in self._root.tag else ""
        for element in self._root.iter():
            element.tag = element.tag.rpartition("}")[2]
        if namespace:
            self._root.set("xmlns", namespace)

    def structures(self) -> Iterator[Structure]:
        """Yield the texts of each element that holds others."""
        for element in self._root.iter():
            leaves = [child for child in element if not len(child)]
            yield [
                Text(leaf.tag.lower(), leaf.text or "", partial(setattr, leaf, "text"))
                for leaf in leaves
            ]

    def to_bytes(self) -> bytes:
        """Return the document as it is now; raises ValueError when it is nested too deep."""
        try:
            written: bytes = ET.tostring(self._root, encoding="utf-8", xml_declaration=True)
        except RecursionError as error:
            raise ValueError("nested too deep") from error
        return written


Document = JsonDocument | XmlDocument


def read_document(protocol: str, body: bytes) -> Document:
    """Return a body of a protocol of `FORMATS`; raises ValueError when it is no such thing."""
    if protocol not in FORMATS:
        raise ValueError(f"answers in {protocol} can't be rewritten")
    try:
        return XmlDocument(body) if FORMATS[protocol] == "xml" else JsonDocument(body)
    except ValueError as error:
        raise ValueError(f"the answer is not what {protocol} looks like: {error}") from error
