"""The forms of a model's answers: what is sent as a schema, and what an answer is checked against.

The schemas stay within what structured outputs allow everywhere: objects with every key required
and none besides, no length or range limits. What comes back is read strictly all the same, since a
server may ignore the schema. Values of a claim are the only place where types are mixed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Literal

from core.errors import ModelBroken
from core.events import Scalar, Status
from core.strict import reader
from sandbox.job import Json

MOST_SCRIPT = 64 * 1024
"""Characters of a script that a model may write."""


@dataclass(frozen=True, slots=True)
class Given:
    """One parameter of a script."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One explanation that is being weighed."""

    text: str
    state: Literal["open", "supported", "contradicted"]


@dataclass(frozen=True, slots=True)
class Step:
    """The one next thing worth knowing."""

    title: str
    why: str
    work: Literal["collect", "analyse", "change"]
    task: str
    """For the coder, who sees no evidence."""
    parameters: list[Given]
    inputs: list[str]
    """Cards whose results the script reads, such as "E1"."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where a claim's value stands."""

    card: str
    pointer: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class ClaimForm:
    """One sentence with what it rests on."""

    text: str
    evidence: list[Evidence]


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answer."""

    status: Status
    cause: str
    claims: list[ClaimForm]
    gaps: list[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """What the planner returns: hypotheses, and exactly one of the two."""

    hypotheses: list[Hypothesis]
    step: Step | None
    answer: Conclusion | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of a statement, such as StringEquals on aws:RequestedRegion."""

    operator: str
    key: str
    values: list[str]


@dataclass(frozen=True, slots=True)
class Allow:
    """One statement of a policy; a model can only allow."""

    actions: list[str]
    resources: list[str]
    conditions: list[Condition]


@dataclass(frozen=True, slots=True)
class Note:
    """What a second reader points out."""

    line: int | None
    text: str


@dataclass(frozen=True, slots=True)
class Notes:
    """What a second reader returns."""

    notes: list[Note]


@dataclass(frozen=True, slots=True)
class Explanation:
    """What a planner says to a question of the engineer on call."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """What the coder returns."""

    script: str
    allow: list[Allow]
    requirements: list[str] = field(default_factory=list)
    """Names of packages besides boto3, at most with versions: "pandas>=2"."""
    rollback: str | None = None
    """Of a change: the script that takes it back."""
    post_check: str | None = None
    """Of a change: the script that tells whether it worked, by its exit code."""
    tests: str | None = None
    """Of the script, where it has something worth testing; a rehearsal runs them."""


def schema_of(form: type) -> dict[str, Any]:
    """Return the JSON schema of a form."""
    from pydantic import TypeAdapter

    document = TypeAdapter(form).json_schema()
    definitions = document.pop("$defs", {})
    schema: dict[str, Any] = _closed(document, definitions)
    return schema


def read(form: type, value: Json | None) -> Any:
    """Return `value` as a `form`; raises ModelBroken with what is wrong, in a sentence."""
    from pydantic import ValidationError

    if value is None:
        raise ModelBroken("the answer holds no JSON object")
    try:
        found: Any = reader(form, str_max_length=MOST_SCRIPT).validate_json(json.dumps(value))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"]) or "the answer"
        raise ModelBroken(f"{place}: {first['msg']}") from error
    if isinstance(found, Plan) and (found.step is None) == (found.answer is None):
        raise ModelBroken("exactly one of step and answer must be given, the other must be null")
    return found


def policy_of(allow: list[Allow]) -> dict[str, Any]:
    """Return the IAM policy document of some statements."""
    return {"Version": "2012-10-17", "Statement": [_statement(each) for each in allow]}


def _statement(allow: Allow) -> dict[str, Any]:
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": sorted(set(allow.actions)),
        "Resource": sorted(set(allow.resources)),
    }
    conditions: dict[str, dict[str, list[str]]] = {}
    for each in allow.conditions:
        conditions.setdefault(each.operator, {})[each.key] = each.values
    return {**statement, "Condition": conditions} if conditions else statement


def _closed(node: Any, definitions: Json) -> Any:
    """Inline references, and leave only keys that every server understands."""
    if isinstance(node, list):
        return [_closed(each, definitions) for each in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return _closed(definitions[node["$ref"].rpartition("/")[2]], definitions)
    kept = {key: node[key] for key in ("type", "enum", "anyOf", "items", "const") if key in node}
    schema = {key: _closed(value, definitions) for key, value in kept.items()}
    if "properties" in node:
        properties = node["properties"]
        schema["properties"] = {name: _closed(properties[name], definitions) for name in properties}
        schema["required"] = list(properties)
        schema["additionalProperties"] = False
    return schema
