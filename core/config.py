"""The settings: one YAML file, read strictly, where a misspelt key is an error and not a default.

The models below are the file: their fields are its keys, their defaults are what a missing key
means, and `config.example.yaml` spells all of them out (docs/settings.md says what each is for).
Secrets are never in this file; credentials come from where the AWS tools keep theirs.

Trade-offs: aliases (`*name`) are refused, since a few lines of them expand to gigabytes; only the
first mistake is reported. Importing this module loads pydantic: import it where it is needed.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError

from core.approval.house import AccountRules, HouseRules
from core.approval.modes import Mode
from core.checks.settings import GATE_KEYS, CheckSettings
from core.checks.standards import Standards
from core.config_approval import Account, Approval
from core.config_values import (
    APPLICATION,
    Keys,
    Packages,
    Patterns,
    Regions,
    Section,
    account,
    address,
    by_name,
    default_data_directory,
    expanded,
    folder,
    region,
    role_arn,
    sequence,
    whole_number,
)
from core.errors import ConfigError, UsageError
from core.plain_yaml import PlainLoader
from sandbox.limits import MEBIBYTE, Limits

CONFIG_VARIABLE = "COUNTERSIGN_CONFIG"
"""Environment variable with the path of the settings file."""
DATA_VARIABLE = "COUNTERSIGN_DATA"
"""Environment variable with the path of the data directory; wins over the file."""

_LARGEST_FILE = 64 * 1024
_KIBIBYTE = 1024
_NUMBER = re.compile(r"-?[0-9]{1,15}", re.ASCII)


# ------------------------------------------------------------------ the file
class PerRun(Section):
    """`limits`: what one run may use, in units that people write."""

    wall_seconds: int = Field(default=30, ge=1, le=3600)
    cpu_seconds: int = Field(default=30, ge=1, le=3600)
    memory_mib: int = Field(default=1024, ge=64, le=65536)
    run_memory_mib: int = Field(default=1536, ge=64, le=262_144)
    processes: int = Field(default=32, ge=1, le=1024)
    descriptors: int = Field(default=128, ge=16, le=4096)
    work_mib: int = Field(default=64, ge=1, le=4096)
    files: int = Field(default=1000, ge=20, le=100_000)
    output_kib: int = Field(default=1024, ge=1, le=65536)
    result_kib: int = Field(default=4096, ge=1, le=65536)
    aws_calls: int = Field(default=200, ge=0, le=100_000)
    aws_mib: int = Field(default=32, ge=1, le=4096)


class Budget(Section):
    """`budget`: what one session may use before it must conclude."""

    steps: int = Field(default=12, ge=1, le=100)
    minutes: int = Field(default=60, ge=1, le=1440)
    cents: int = Field(default=500, ge=0, le=100_000)
    aws_cents: int = Field(default=100, ge=0, le=100_000)


class Aws(Section):
    """`aws`: whose credentials live sessions use, and how long answers count."""

    profile: str | None = Field(default=None, min_length=1, max_length=200)
    role: Annotated[str, AfterValidator(role_arn)] | None = None
    """Assumed for every run, narrowed by AWS to the approved policy."""
    cache_seconds: int = Field(default=60, ge=0, le=3600)


class Redact(Section):
    """`redact`: what is taken out of everything that is kept, besides what is always taken out."""

    patterns: Patterns = ()


class Notify(Section):
    """`notify`: how somebody who looks elsewhere hears that a decision is wanted, or of the end."""

    bell: bool = True
    title: bool = True
    terminal: bool = False
    """By OSC 9, the terminal's own notification."""
    command: Annotated[tuple[str, ...], BeforeValidator(sequence)] = ()


class Requirements(Section):
    """`requirements`: the packages that scripts may use besides boto3."""

    allowed: Packages = (
        *("certifi", "charset-normalizer", "et-xmlfile", "idna", "jinja2", "lxml", "markupsafe"),
        *("numpy", "openpyxl", "pandas", "pillow", "python-docx", "pyyaml", "reportlab"),
        *("requests", "tabulate", "typing-extensions", "tzdata", "xlsxwriter"),
    )
    """Normal names, as the index writes them."""


class ModelSettings(Section):
    """`model`: which models plan and write scripts, and where they are."""

    provider: Literal["anthropic"] = "anthropic"
    base_url: Annotated[str, AfterValidator(address)] = "https://api.anthropic.com"
    planner: str = Field(default="claude-opus-5-5", min_length=1, max_length=200)
    coder: str = Field(default="claude-sonnet-5-5", min_length=1, max_length=200)
    reviewer: str | None = Field(default=None, min_length=1, max_length=200)
    """Reads each draft a second time and adds notes; None: nobody does."""


class Settings(Section):
    """The whole file with every default filled in."""

    mode: Mode = "guided"
    ceiling: Annotated[Literal[0, 1, 2, 3, 4], BeforeValidator(whole_number)] = 2
    """The highest tier that runs by itself; see `core.approval.modes.ceiling_of`."""
    regions: Regions = ()
    """The regions that a run may call; empty: those of the target."""
    data_directory: Annotated[Path, BeforeValidator(folder)] = Field(
        default_factory=default_data_directory
    )
    """Absolute. Sessions and the sealed runtime lie here."""
    per_run: PerRun = Field(default=PerRun(), alias="limits")
    budget: Budget = Budget()
    aws: Aws = Aws()
    redact: Redact = Redact()
    requirements: Requirements = Requirements()
    checks: CheckSettings = CheckSettings()
    model: ModelSettings = ModelSettings()
    approval: Approval = Approval()
    notify: Notify = Notify()
    accounts: Annotated[dict[str, Account], BeforeValidator(account)] = Field(default_factory=dict)
    theme: str = Field(default="countersign", min_length=1, max_length=40)
    """Of the screen; the names are known to tui/look.py."""
    keys: Annotated[dict[str, Keys], BeforeValidator(by_name)] = Field(default_factory=dict)
    """Keys of the screen by action; what they may be is known to tui/keymap.py."""

    def house(self) -> HouseRules:
        """Return who may let what run, as a session records it."""
        return HouseRules(
            unattended=self.ceiling,
            accounts=tuple(
                AccountRules(name, each.label, each.production, each.ceiling, each.modes)
                for name, each in self.accounts.items()
            ),
            rehearse=self.approval.rehearse,
            request_ms=self.approval.minutes * 60_000,
            second_person=self.approval.second_person,
        )

    def standards(self) -> Standards:
        """Return what reviews hold drafts to."""
        return self.checks.standards(self.requirements.allowed)

    def limits(self) -> Limits:
        """Return the limits of a run in the units that a digest binds."""
        return Limits(
            wall_ms=self.per_run.wall_seconds * 1000,
            cpu_ms=self.per_run.cpu_seconds * 1000,
            memory_bytes=self.per_run.memory_mib * MEBIBYTE,
            run_memory_bytes=self.per_run.run_memory_mib * MEBIBYTE,
            processes=self.per_run.processes,
            descriptors=self.per_run.descriptors,
            work_bytes=self.per_run.work_mib * MEBIBYTE,
            files=self.per_run.files,
            output_bytes=self.per_run.output_kib * _KIBIBYTE,
            result_bytes=self.per_run.result_kib * _KIBIBYTE,
            aws_calls=self.per_run.aws_calls,
            aws_bytes=self.per_run.aws_mib * MEBIBYTE,
        )


def known_keys() -> tuple[str, ...]:
    """Return the dotted path of every key that the file may hold."""
    return tuple(_keys_of(Settings, ""))


def _keys_of(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        path = prefix + (field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _keys_of(field.annotation, f"{path}.")
        else:
            yield path


# ------------------------------------------------------------------ reading
def load(path: Path | None, environment: Mapping[str, str]) -> Settings:
    """Read the settings from `path`, else $COUNTERSIGN_CONFIG, else the user's own file.

    Only the user's own file may be missing: one that was named must exist. Raises ConfigError.
    """
    file, document = _document(path, environment)
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        raise ConfigError(f"{file}: {_sentence(error.errors()[0])}") from error
    data_directory = _path_in(environment, DATA_VARIABLE)
    if data_directory is None:
        return settings
    return settings.model_copy(update={"data_directory": data_directory})


def file_of(path: Path | None, environment: Mapping[str, str]) -> Path:
    """Return the settings file, which may be missing: `path` or what `load` takes instead."""
    named = path or _path_in(environment, CONFIG_VARIABLE)
    return named or platformdirs.user_config_path(APPLICATION) / "config.yaml"


def given_keys(path: Path | None, environment: Mapping[str, str]) -> frozenset[str]:
    """Return the dotted path of every key that stands in the file; raises ConfigError."""
    _, document = _document(path, environment)
    return frozenset(key for key in known_keys() if _has(document, key.split(".")))


def _has(document: Any, parts: Sequence[str]) -> bool:
    if not parts:
        return True
    return (
        isinstance(document, dict) and parts[0] in document and _has(document[parts[0]], parts[1:])
    )


def _document(path: Path | None, environment: Mapping[str, str]) -> tuple[Path, dict[str, Any]]:
    named = path or _path_in(environment, CONFIG_VARIABLE)
    file = file_of(path, environment)
    return file, _parse(file, _read(file, may_be_missing=named is None))


def with_limits(settings: Settings, assignments: Sequence[str]) -> Settings:
    """Return `settings` with limits from the command line, such as "wall_seconds=60".

    Names and ranges are those of the file. Raises UsageError.
    """
    limits: dict[str, Any] = settings.per_run.model_dump()
    for assignment in assignments:
        name, _, value = assignment.partition("=")
        limits[name.removeprefix("limits.")] = int(value) if _NUMBER.fullmatch(value) else value
    try:
        return settings.model_copy(update={"per_run": PerRun.model_validate(limits)})
    except ValidationError as error:
        first = error.errors()[0]
        sentence = _sentence({**first, "loc": ("limits", *first["loc"])})
        raise UsageError(f"--limit: {sentence}") from error


def check_regions(names: Sequence[str]) -> None:
    """Hold regions from the command line to the rule of the file; raises UsageError."""
    for name in names:
        try:
            region(name)
        except ValueError as error:
            raise UsageError(f"--region {name}: {error}") from error


def _path_in(environment: Mapping[str, str], variable: str) -> Path | None:
    value = environment.get(variable, "")
    try:
        return expanded(value).absolute() if value else None
    except ValueError as error:
        raise ConfigError(f"${variable}: {error}, not {value!r}") from error


def _read(file: Path, *, may_be_missing: bool) -> str:
    try:
        with file.open("rb") as stream:
            data = stream.read(_LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise ConfigError(f"{file}: larger than {_LARGEST_FILE // _KIBIBYTE} KiB")
        return data.decode("utf-8")
    except FileNotFoundError as error:
        if may_be_missing:
            return ""
        raise ConfigError(f"{file}: no such file") from error
    except OSError as error:
        raise ConfigError(f"{file}: can't be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: not UTF-8 at byte {error.start}") from error


class _StrictLoader(PlainLoader):
    """Plain YAML with no key that is given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set[str]()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or key.value in seen:
                problem = f"a key is given twice, or is not a text: {reprlib.repr(key.value)}"
                raise yaml.constructor.ConstructorError(None, None, problem, key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def _parse(file: Path, text: str) -> dict[str, Any]:
    try:
        document = yaml.load(text, _StrictLoader)  # noqa: S506  a subclass of SafeLoader
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ConfigError(f"{file}: line {line}: {error.problem}") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{file}: line {line}: a character that YAML does not allow") from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{file}: not a settings file: {error}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise ConfigError(f"{file}: line 1: must be a mapping of keys to values")
    return document


# ------------------------------------------------------------------ what is wrong, in one line
def _sentence(error: Mapping[str, Any]) -> str:
    path = _dotted(error["loc"])
    if error["type"] in ("extra_forbidden", "invalid_key"):
        return f"{path}: unknown key; {_suggestion(path)}"
    if error["type"] == "model_type":
        return f"{path}: must be a mapping of keys to values"
    problem = str(error.get("ctx", {}).get("error", error["msg"]))
    problem = problem.replace("Input should be", "must be")
    return f"{path}: {problem}, not {reprlib.repr(error['input'])}"


def _dotted(place: tuple[int | str, ...]) -> str:
    return "".join(
        f"[{part}]" if isinstance(part, int) and number else f"{'.' if number else ''}{part}"
        for number, part in enumerate(place)
    )


def _suggestion(path: str) -> str:
    keys = (*known_keys(), *(f"checks.gates.{each}" for each in GATE_KEYS))
    nearest = get_close_matches(path, keys, n=1)
    return f"did you mean {nearest[0]}?" if nearest else f"the keys are {', '.join(keys)}"
