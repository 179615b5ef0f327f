"""What one value of the settings file may be: checks that pydantic calls.

Each raises ValueError with a sentence that can follow the path of the key.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import platformdirs
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from sandbox.packages import is_name, normal_name

APPLICATION = "countersign"


class Section(BaseModel):
    """A mapping of the file: no other keys, no other types, no changes."""

    model_config = ConfigDict(strict=True, extra="forbid", defer_build=True, frozen=True)


def folder(value: object) -> object:
    """An absolute folder; null is the usual place of this machine."""
    if value is None:
        return default_data_directory()
    if not isinstance(value, str):
        raise ValueError("must be a path or null")  # noqa: TRY004  pydantic collects ValueErrors
    path = expanded(value)
    if not path.is_absolute():
        raise ValueError("must be absolute or start with ~")
    return path


def expanded(value: str) -> Path:
    """A path with its ~ put in; raises ValueError."""
    try:
        return Path(value).expanduser()
    except RuntimeError as error:
        raise ValueError("must start with ~ or the ~name of a user of this machine") from error


def default_data_directory() -> Path:
    """Where sessions lie if nobody says otherwise."""
    return platformdirs.user_data_path(APPLICATION)


def sequence(value: object) -> object:
    """A list, as a tuple."""
    if not isinstance(value, list):
        raise ValueError("must be a list")  # noqa: TRY004  pydantic collects ValueErrors
    return tuple(value)


def whole_number(value: object) -> object:
    """A number without a fraction."""
    if type(value) is not int:  # a Literal of pydantic would let true and 2.0 pass
        raise ValueError("must be a whole number")
    return value


def region(value: str) -> str:
    """The name of a region."""
    if re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", value) is None:
        raise ValueError("must be the name of a region, such as eu-west-1")
    return value


def pattern(value: str) -> str:
    """A regular expression that takes something out."""
    try:
        matches_empty_text = re.compile(value).match("") is not None
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"must be a regular expression: {error}") from error
    if matches_empty_text:
        raise ValueError("must not match the empty text")
    return value


def address(value: str) -> str:
    """Where a server is."""
    parts = urlsplit(value)
    near = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and near):
        raise ValueError("must begin with https://, or http:// on this machine")
    if not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError("must be an address without user, query and fragment")
    if value.rstrip("/").endswith("/v1"):
        raise ValueError("must not end with /v1, which is added")
    return value.rstrip("/")


def role_arn(value: str) -> str:
    """The ARN of a role."""
    if re.fullmatch(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[!-~]{1,576}", value) is None:
        raise ValueError("must be the ARN of a role")
    return value


def package(value: str) -> str:
    """The normal name of a package."""
    if not is_name(value):
        raise ValueError("must be the name of a package, such as python-docx")
    return normal_name(value)


Regions = Annotated[tuple[Annotated[str, AfterValidator(region)], ...], BeforeValidator(sequence)]
Patterns = Annotated[tuple[Annotated[str, AfterValidator(pattern)], ...], BeforeValidator(sequence)]
Packages = Annotated[tuple[Annotated[str, AfterValidator(package)], ...], BeforeValidator(sequence)]


def file(value: object) -> object:
    """An absolute file, or null."""
    return None if value is None else folder(value)


def account(value: object) -> object:
    """A mapping by the numbers or aliases of accounts; YAML takes a bare number for one."""
    if isinstance(value, dict) and any(not isinstance(key, str) for key in value):
        raise ValueError("must have the numbers of accounts in quotes")
    return value


def by_name(value: object) -> object:
    """A mapping by names; YAML takes a bare no, yes or number for something else."""
    if isinstance(value, dict) and any(not isinstance(key, str) for key in value):
        raise ValueError("must have names, in quotes where YAML reads something else")
    return value


def _keys(value: object) -> object:
    listed = value if isinstance(value, list) else [value]
    if any(not isinstance(each, str) for each in listed):
        raise ValueError("must be a key or a list of keys, in quotes where YAML needs them")
    return tuple(listed)


Keys = Annotated[tuple[str, ...], BeforeValidator(_keys)]
