"""Policy variables: `${aws:username}`, `${aws:PrincipalTag/team, 'none'}`, and `${*}` for a star.

AWS puts in the value of the request, or the default where there is none. A value never acts as a
wildcard. What nobody knows here, what the request lacks without a default, and what can't be read
becomes an unknown part: it never helps an Allow and always lets a Deny bite. AWS resolves
variables in resources and in the values of String... and Arn... conditions, and only since policy
version 2012-10-17; in older policies they are plain text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from core.iam.globs import LITERAL_QUESTION, LITERAL_STAR, SIGNS, UNKNOWN_PART, literal

_VARIABLE = re.compile(
    r"\$\{(?:([*?$])\}|([^{}'*?$,]{1,256})(?:,\s?'([^'*?$]{0,256})')?\}|[^}]*\}?)"
)
_PLAIN = {"*": LITERAL_STAR, "?": LITERAL_QUESTION, "$": "$"}


def expand(pattern: str, context: Mapping[str, Any]) -> str:
    """Return `pattern` with its variables put in, ready for `core.iam.globs`.

    `context` is as `core.iam.conditions.lowered` returns it.
    """
    if "${" not in pattern:
        return pattern
    return _VARIABLE.sub(lambda found: _value(found, context), pattern)


def _value(found: re.Match[str], context: Mapping[str, Any]) -> str:
    plain, key, default = found.groups()
    if plain:
        return _PLAIN[plain]
    if not key:
        return UNKNOWN_PART
    value = context.get(key.strip().lower(), context.get("*"))
    if value is None and default is not None:
        value = default
    if isinstance(value, str) and SIGNS.isdisjoint(value):
        return literal(value)
    return UNKNOWN_PART
