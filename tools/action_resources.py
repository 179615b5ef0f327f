"""From what are the ARNs of an operation's resources made? Templates for `core.iam.resources`.

A parameter takes the place of a variable in AWS's ARN only if it is called exactly like it (or its
plural), or like the type of the resource with "Arn" behind it. All else is unknown: a wrong ARN
would be worse than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from botocore.model import OperationModel, Shape

Row = dict[str, Any]

UNKNOWN = "{?}"
_COLONS = 5
"""In front of the part of an ARN that names the resource."""


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_BUILT_IN = {"Partition": "{partition}", "Region": "{region}", "Account": "{account}"}
_VAGUE = _set(
    "id name arn resourceid resourcename resource identifier type path token key value version "
    "resourcepath resourcetype servicetype label relativeid"
)
"""Names of variables that a parameter of the same name may well not mean."""
_WHOLE = ("resourcearn", "resourcearnlist", "resourcearns")
_OF_ACCOUNTS = ("registryid", "catalogid", "awsaccountid", "accountid")
"""Parameters that say in whose account the resource is."""
_PARAMETERS = re.compile(r"\{([^}]*)\}")
_LABEL = re.compile(r"\{(\w+)\+?\}")


def derive(operation: OperationModel, types: list[Mapping[str, Any]], prefix: str) -> Row:
    """Return the templates of an operation whose action AWS defines for these resource types."""
    members = _texts(operation.input_shape)
    if not types:
        return {"on": ["*"]}
    whole = next((members[name] for name in _WHOLE if name in members), None)
    if whole is not None:
        return {"on": [f"{{{whole}}}"], "arns": {whole: ""}}
    if len(types) > 1:
        return {"on": [UNKNOWN]}
    return _of_type(types[0], members, prefix)


def from_path(operation: OperationModel) -> Row:
    """Return the template of an operation of API Gateway: its resource is the path it asks for."""
    path = operation.http["requestUri"].partition("?")[0]
    members = operation.input_shape.members if operation.input_shape else {}
    wire = {shape.serialization.get("name", name): name for name, shape in members.items()}
    filled = _LABEL.sub(lambda found: f"{{{wire[found[1]]}!name}}", path)
    return {"on": [f"arn:{{partition}}:apigateway:{{region}}::{filled}"]}


def _texts(shape: Shape | None) -> dict[str, str]:
    """The parameters that are texts or lists of texts, by their names in lower case."""
    members = getattr(shape, "members", {})
    return {
        name.lower(): name
        for name, member in members.items()
        if getattr(member, "member", member).type_name == "string"
    }


def _of_type(kind: Mapping[str, Any], members: Mapping[str, str], prefix: str) -> Row:
    arn, row = kind["arn"], Row()
    variables = [one for one in _VARIABLE.findall(arn) if one not in _BUILT_IN]
    own = {re.sub(r"[^a-z0-9]", "", kind["key"].lower()) + "arn"}
    own |= {re.sub(r"(name|id)$", "", one.lower()) + "arn" for one in variables[-1:]}
    whole = sorted(members[name] for name in own & members.keys() if name not in _VAGUE)
    named = {one: [*_called(one, members)] for one in variables}
    if whole and not any(named.values()):
        return {"on": [f"{{{'|'.join(whole)}}}"], "arns": dict.fromkeys(whole, "")}
    last = variables[-1] if variables else ""
    if last and arn.endswith(f"${{{last}}}") and named[last]:
        named[last] += whole
        row["arns"] = dict.fromkeys(whole, "")
    account, row["beyond"] = _account(members, {one.lower() for one in variables})
    filled = _BUILT_IN | {"Account": account}
    filled |= {one: f"{{{'|'.join(found)}!name}}" if found else UNKNOWN
               for one, found in named.items()}  # fmt: skip
    text = _VARIABLE.sub(lambda found: filled[found[1]], arn)
    start = f"arn:{{partition}}:{prefix}:{{region}}:{{account}}:"
    short = text.removeprefix(start)
    # What begins with a parameter would be taken for a whole ARN.
    row["on"] = [UNKNOWN if _too_vague(arn) else text if short.startswith("{") else short]
    return {name: value for name, value in row.items() if value}


def _called(variable: str, members: Mapping[str, str]) -> Iterator[str]:
    name = variable.lower()
    if name not in _VAGUE:
        plurals = (f"{name}s", f"{name[:-1]}ies" if name.endswith("y") else f"{name}list")
        yield from (members[one] for one in (name, *plurals) if one in members)


def _account(members: Mapping[str, str], variables: set[str]) -> tuple[str, list[str]]:
    """The account of an ARN, and the parameters that make it anybody's guess."""
    for name, member in members.items():
        if name in variables or not name.endswith(("accountid", "registryid", "catalogid")):
            continue
        hole = f"{{{member}=account!account}}"
        return hole, [] if name in _OF_ACCOUNTS else [member]
    return "{account}", []


def _too_vague(arn: str) -> bool:
    """Whether it is not the form of one ARN."""
    whole = arn.startswith("arn:${Partition}:") and arn.count(":") >= _COLONS
    return not whole or not {"*", ",", " "}.isdisjoint(arn)


def with_types(
    operation: OperationModel, types: list[Mapping[str, Any]], rules: Mapping[str, Any]
) -> Row | None:
    """Return the template that was written by hand for the type of an action's resource."""
    templates: Mapping[str, str] = rules.get("types", {})
    if len(types) > 1 and not rules.get("any_type"):
        return None
    wanted = {one["key"].lower() for one in types}
    members = operation.input_shape.members if operation.input_shape else {}
    for kind, template in templates.items():
        filled = _PARAMETERS.sub(lambda hole: _pruned(hole[1], members), template)
        if kind in wanted and UNKNOWN not in filled.replace(UNKNOWN, "", template.count(UNKNOWN)):
            return {"on": [filled]}
    return None


def _pruned(hole: str, members: Mapping[str, Any]) -> str:
    """A hole with those of its parameters that the operation has."""
    if hole in ("?", "partition", "region", "account"):
        return f"{{{hole}}}"
    rest, mark, reader = hole.partition("!")
    names, equals, default = rest.partition("=")
    kept = [name for name in names.split("|") if name.partition(".")[0] in members]
    if kept:
        return f"{{{'|'.join(kept)}{equals}{default}{mark}{reader}}}"
    if equals:
        return "{account}" if default == "account" else default
    return UNKNOWN
