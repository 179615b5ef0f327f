"""Is a listing read to its end? AWS answers in pages, and the first page looks like everything.

A call of an operation that botocore can page is dropped paging when nothing around it asks for the
next page. It is none where the script asks for a number of items, or names what it wants.
"""

from __future__ import annotations

from collections.abc import Collection

from core.checks import models
from core.checks.literals import Entries

_NAMING = ("Ids", "Names", "Arns", "ARNs", "Identifiers", "Tasks", "Services", "Clusters")
_WHOLE = {("s3", "ListBuckets")}
"""What answers with everything unless it is asked for less."""
_ONE = ("Id", "Name", "Arn", "Identifier")


def dropped(service: str, operation: str, found: Entries, texts: Collection[str]) -> str:
    """The parameter that would ask for the next page, where nothing does; otherwise empty.

    `texts` are all texts of the script, which reads a token by its name if it reads it at all.
    """
    rules = models.paging(service, operation)
    if rules is None or not rules.tokens or found.open or (service, operation) in _WHOLE:
        return ""
    names = found.entries.keys()
    handled = rules.tokens & names or rules.answers & set(texts) or rules.limit in names
    if handled or any(_is_all(name, rules.results) for name in names):
        return ""
    return min(rules.tokens)


def _is_all(name: str, results: tuple[str, ...]) -> bool:
    """Whether a parameter names the very things that are listed."""
    for ending in _NAMING:
        if name.lower().endswith(ending.lower()):
            return True
    ending = next((one for one in _ONE if name.lower().endswith(one.lower())), "")
    noun = name[: -len(ending)].lower() if ending else ""
    return bool(noun) and any(result.lower() in (noun, f"{noun}s") for result in results)
