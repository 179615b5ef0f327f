"""workflow.yaml: the form of a saved workflow, checked when it is read (docs/workflows.md).

Strict: an unknown key, a wrong type, a broken condition or a script that is missing is a
WorkflowError that names the place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.approval.draft import Kind
from core.errors import WorkflowError
from core.events import Status
from core.strict import reader

MOST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Next:
    """Another workflow that goes on from here when `when` is true.

    Conditions are JMESPath over result.json, with the step's own `parameters` beside it.
    """

    when: str
    workflow: str
    why: str
    parameters: dict[str, str] = field(default_factory=dict)
    """Name to JMESPath, like `when`."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a result means when `when` (see `Next`) is true."""

    when: str
    status: Status
    cause: str
    """Facts stand in braces, those of earlier cards too: "{count} targets are unhealthy"."""


@dataclass(frozen=True, slots=True)
class Document:
    """workflow.yaml as written."""

    title: str
    description: str
    why: str
    """Why this is worth knowing; shown to whoever approves it."""
    work: Kind
    policy: dict[str, Any]
    requirements: list[str] = field(default_factory=list)
    """Locked lines, as in `core.approval.draft.Draft`."""
    tags: list[str] = field(default_factory=list)
    triggers: list[str] = field(default_factory=list)
    """Words of a question that this workflow answers, in lower case."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Name to what it means; all are texts, empty when nobody gives them."""
    next: list[Next] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    conclude: list[Conclusion] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Workflow:
    """A saved workflow with its script."""

    name: str
    document: Document
    script: bytes
    tests: bytes | None = None
    """The script's own, for rehearsals."""


def read_workflow(folder: Path) -> Workflow:
    """Read `folder`/workflow.yaml, script.py and, where there is one, tests.py.

    Raises WorkflowError.
    """
    place = folder / "workflow.yaml"
    document = _document(place)
    for conclusion in document.conclude:
        _compiles(conclusion.when, place)
    for onward in document.next:
        for expression in (onward.when, *onward.parameters.values()):
            _compiles(expression, place)
    tests = folder / "tests.py"
    return Workflow(
        folder.name,
        document,
        script=_bytes(folder / "script.py"),
        tests=_bytes(tests) if tests.exists() else None,
    )


def search(expression: str, result: Mapping[str, Any]) -> Any:
    """Return what a JMESPath finds in a result; None where it finds nothing or can't be applied."""
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        return jmespath.search(expression, result)
    except JMESPathError:
        return None


def _document(place: Path) -> Document:
    import yaml
    from pydantic import ValidationError

    from core.plain_yaml import complaint, plain

    try:
        text = json.dumps(plain(_bytes(place)))
        document: Document = reader(Document).validate_json(text)
    except TypeError as error:
        raise WorkflowError(f"{place}: dates such as the policy's Version go in quotes") from error
    except yaml.YAMLError as error:
        raise WorkflowError(f"{place}: not YAML: {complaint(error)}") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WorkflowError(f"{place}: {where}: {first['msg']}") from error
    return document


def _bytes(place: Path) -> bytes:
    try:
        body = place.read_bytes()
    except OSError as error:
        raise WorkflowError(f"{place}: {error.strerror}") from error
    if len(body) > MOST_BYTES:
        raise WorkflowError(f"{place}: larger than {MOST_BYTES} bytes")
    return body


def _compiles(expression: str, place: Path) -> None:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise WorkflowError(f"{place}: {expression!r} is not JMESPath") from error
