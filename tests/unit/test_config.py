"""The settings file: what it means, what it refuses, and how it says so."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from core.config import PerRun, Settings, known_keys, load, with_limits
from core.errors import ConfigError, UsageError
from sandbox.limits import Limits

EXAMPLE = Path(__file__).parents[2] / "config.example.yaml"


def written(folder: Path, text: str) -> Path:
    """Write a settings file and return its path."""
    file = folder / "config.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def refusal(folder: Path, text: str) -> str:
    """Return what `load` says about a file, without the path of the file in front."""
    file = written(folder, text)
    with pytest.raises(ConfigError) as caught:
        load(file, {})
    return str(caught.value).removeprefix(f"{file}: ")


def leaves(document: dict[str, Any], prefix: str = "") -> list[str]:
    """Return the dotted path of every value in a parsed file."""
    paths: list[str] = []
    for key, value in document.items():
        paths += (
            leaves(value, f"{prefix}{key}.")
            if isinstance(value, dict) and value
            else [prefix + key]
        )
    return paths


# ------------------------------------------------------------------ defaults
def test_the_example_is_the_defaults() -> None:
    """config.example.yaml loads to exactly what no file at all means."""
    assert Settings() == load(EXAMPLE, {})


def test_the_example_names_every_key() -> None:
    """config.example.yaml spells out each key that the models know, in their order."""
    document = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))

    assert list(known_keys()) == leaves(document)


def test_the_default_limits_are_those_of_the_sandbox() -> None:
    """The defaults of the file and of `Limits` say the same thing in different units."""
    assert asdict(Limits()) == asdict(Settings().limits())


def test_no_file_means_defaults() -> None:
    """A user without a settings file gets every default."""
    assert Settings() == load(None, {})


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "null\n", "\ufeff"])
def test_an_empty_file_means_defaults(tmp_path: Path, text: str) -> None:
    """A file that sets nothing changes nothing."""
    assert Settings() == load(written(tmp_path, text), {})


def test_the_usual_data_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a setting, data lies where this machine keeps the data of applications."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    assert tmp_path / "countersign" == load(None, {}).data_directory


# ------------------------------------------------------------------ values
def test_every_value_arrives(tmp_path: Path) -> None:
    """Each key of the file is found again in the settings, limits in the units of a digest."""
    settings = load(
        written(
            tmp_path,
            """
            mode: automated
            ceiling: 1
            regions: [eu-west-1, us-gov-east-1]
            data_directory: /srv/countersign
            limits: {wall_seconds: 2, cpu_seconds: 3, memory_mib: 128, run_memory_mib: 256,
                     processes: 5, descriptors: 16, work_mib: 6, files: 20, output_kib: 7,
                     result_kib: 8, aws_calls: 0, aws_mib: 10}
            budget: {steps: 3, minutes: 4}
            redact: {patterns: ['CUST-[0-9]{8}']}
            """,
        ),
        {},
    )

    assert (
        "automated",
        1,
        ("eu-west-1", "us-gov-east-1"),
        Path("/srv/countersign"),
        Limits(2000, 3000, 128 << 20, 256 << 20, 5, 16, 6 << 20, 20, 7 << 10, 8 << 10, 0, 10 << 20),
        (3, 4),
        ("CUST-[0-9]{8}",),
    ) == (
        settings.mode,
        settings.ceiling,
        settings.regions,
        settings.data_directory,
        settings.limits(),
        (settings.budget.steps, settings.budget.minutes),
        settings.redact.patterns,
    )


def test_a_data_directory_from_home(tmp_path: Path) -> None:
    """`~` is the home of the user."""
    settings = load(written(tmp_path, "data_directory: ~/sessions"), {})

    assert Path.home() / "sessions" == settings.data_directory


def test_settings_can_not_be_changed() -> None:
    """What a session was started with stays what it was."""
    settings = Settings()

    with pytest.raises(ValidationError, match="frozen"):
        settings.ceiling = 4


# ------------------------------------------------------------------ which file, which directory
def test_the_environment_names_the_file(tmp_path: Path) -> None:
    """$COUNTERSIGN_CONFIG is read when no path is given."""
    file = written(tmp_path, "ceiling: 0")

    assert load(None, {"COUNTERSIGN_CONFIG": str(file)}).ceiling == 0


def test_a_given_path_wins_over_the_environment(tmp_path: Path) -> None:
    """--config is nearer than the environment."""
    file = written(tmp_path, "ceiling: 0")

    assert load(file, {"COUNTERSIGN_CONFIG": "/nonexistent"}).ceiling == 0


def test_the_users_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a named file, the one in the configuration directory is read."""
    (tmp_path / "countersign").mkdir()
    written(tmp_path / "countersign", "ceiling: 0")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))

    assert load(None, {}).ceiling == 0


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """A misspelt --config is an error, not the defaults."""
    with pytest.raises(ConfigError, match="no such file"):
        load(tmp_path / "missing.yaml", {})


def test_the_environment_names_the_data_directory(tmp_path: Path) -> None:
    """$COUNTERSIGN_DATA wins over the file."""
    file = written(tmp_path, "data_directory: /srv/one")

    assert Path("/srv/two") == load(file, {"COUNTERSIGN_DATA": "/srv/two"}).data_directory


def test_a_relative_data_directory_of_the_environment() -> None:
    """A path in the environment is meant from where the operator stands."""
    assert Path.cwd() / "here" == load(None, {"COUNTERSIGN_DATA": "here"}).data_directory


def test_empty_variables_are_unset() -> None:
    """An empty variable is the same as none."""
    assert Settings() == load(None, {"COUNTERSIGN_CONFIG": "", "COUNTERSIGN_DATA": ""})


def test_a_home_that_does_not_exist() -> None:
    """A ~name of nobody in the environment is named with its variable."""
    with pytest.raises(ConfigError, match=r"^\$COUNTERSIGN_DATA: must start with ~"):
        load(None, {"COUNTERSIGN_DATA": "~no-such-user/x"})


# ------------------------------------------------------------------ the command line
def test_limits_of_the_command_line() -> None:
    """Limits of the command line win over those of the file and leave the others alone."""
    settings = with_limits(Settings(ceiling=1), ["wall_seconds=60", "limits.aws_calls=0"])

    assert settings == Settings(ceiling=1, limits=PerRun(wall_seconds=60, aws_calls=0))
    assert Settings() == with_limits(Settings(), [])


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("wall_second=60", "wall_second: unknown key; did you mean limits.wall_seconds?"),
        ("wall_seconds=0", "wall_seconds: must be greater than or equal to 1, not 0"),
        ("wall_seconds=-1", "wall_seconds: must be greater than or equal to 1, not -1"),
        ("wall_seconds=1e3", "wall_seconds: must be a valid integer, not '1e3'"),
        ("wall_seconds", "wall_seconds: must be a valid integer, not ''"),
    ],
)
def test_a_wrong_limit_of_the_command_line(assignment: str, expected: str) -> None:
    """A wrong --limit is named in the words of the settings."""
    with pytest.raises(UsageError) as caught:
        with_limits(Settings(), [assignment])

    assert f"--limit: limits.{expected}" == str(caught.value)


# ------------------------------------------------------------------ refusals
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "limits: {wall_second: 3}",
            "limits.wall_second: unknown key; did you mean limits.wall_seconds?",
        ),
        ("wall_seconds: 3", "wall_seconds: unknown key; did you mean limits.wall_seconds?"),
        ("modes: guided", "modes: unknown key; did you mean mode?"),
        ("per_run: {}", "per_run: unknown key; the keys are mode, "),
        ("zzz: 1", "zzz: unknown key; the keys are mode, ceiling, regions, data_directory, limits"),
        ("7: 1", "7: unknown key; the keys are mode, "),
    ],
)
def test_an_unknown_key(tmp_path: Path, text: str, expected: str) -> None:
    """An unknown key is named by its dotted path, with the nearest key there is."""
    assert expected == refusal(tmp_path, text)[: len(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode: bold", "mode: must be 'guided', 'hybrid', 'automated' or 'manual', not 'bold'"),
        ("mode: off", "mode: must be 'guided', 'hybrid', 'automated' or 'manual', not False"),
        ("accounts: {123456789012: {}}", "accounts: must have the numbers of accounts in quotes"),
        ("accounts: {shop: {ceiling: 5}}", "accounts.shop.ceiling: must be 0, 1, 2, 3 or 4"),
        ("accounts: {shop: {celing: 3}}", "accounts.shop.celing: unknown key"),
        (
            "accounts: {shop: {modes: [hybrid]}}",
            "accounts.shop.modes: must have guided or manual, which a session can fall back to",
        ),
        ("approval: {minutes: 10081}", "approval.minutes: must be less than or equal to 10080"),
        ("ceiling: 5", "ceiling: must be 0, 1, 2, 3 or 4, not 5"),
        ("ceiling: true", "ceiling: must be a whole number, not True"),
        ("ceiling: 2.0", "ceiling: must be a whole number, not 2.0"),
        ("ceiling:", "ceiling: must be a whole number, not None"),
        ("regions: eu-west-1", "regions: must be a list, not 'eu-west-1'"),
        ("regions: [7]", "regions[0]: must be a valid string, not 7"),
        (
            "regions: [eu-west-1, Ireland]",
            "regions[1]: must be the name of a region, such as eu-west-1, not 'Ireland'",
        ),
        ("data_directory: data", "data_directory: must be absolute or start with ~, not 'data'"),
        ("data_directory: 7", "data_directory: must be a path or null, not 7"),
        (
            "data_directory: ~no-such-user/x",
            "data_directory: must start with ~ or the ~name of a user of this machine",
        ),
        ("limits: 7", "limits: must be a mapping of keys to values"),
        (
            "limits: {wall_seconds: 0}",
            "limits.wall_seconds: must be greater than or equal to 1, not 0",
        ),
        (
            "limits: {wall_seconds: '30'}",
            "limits.wall_seconds: must be a valid integer, not '30'",
        ),
        ("limits: {aws_calls: true}", "limits.aws_calls: must be a valid integer, not True"),
        ("budget: {steps: 101}", "budget.steps: must be less than or equal to 100, not 101"),
        (
            "redact: {patterns: ['(']}",
            "redact.patterns[0]: must be a regular expression: missing ), unterminated subpattern",
        ),
        ("redact: {patterns: ['x{99999999999}']}", "redact.patterns[0]: must be a regular expr"),
        (f"redact: {{patterns: ['{'(' * 9999}']}}", "redact.patterns[0]: must be a regular expr"),
        (
            "redact: {patterns: ['x*']}",
            "redact.patterns[0]: must not match the empty text, not 'x*'",
        ),
    ],
)
def test_a_wrong_value(tmp_path: Path, text: str, expected: str) -> None:
    """A value of another type or out of range is named with its path and what was expected."""
    assert expected == refusal(tmp_path, text)[: len(expected)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mode: guided\n: :\n", "line 2: "),
        ("mode: [guided\n\n", "line 3: "),
        ("ceiling: 1\nceiling: 2\n", "line 2: a key is given twice, or is not a text: 'ceiling'"),
        ("limits:\n  aws_mib: 1\n  aws_mib: 2\n", "line 3: a key is given twice"),
        ("? [a]\n: 1\n", "line 1: a key is given twice, or is not a text"),
        ("budget: &b {steps: 1}\nlimits: *b\n", "line 2: aliases and tags are not allowed here"),
        ("\nmode: !!bool x\n", "line 2: aliases and tags are not allowed here"),
        ("mode: !!python/name:os.system\n", "line 1: aliases and tags are not allowed here"),
        ("ceiling: 1\n--- \nceiling: 2\n", "line 2: but found another document"),
        ("mode: guided\n\u0001\n", "line 2: a character that YAML does not allow"),
        ("- mode\n", "line 1: must be a mapping of keys to values"),
        ("[" * 60_000, "not a settings file: "),
        ("#" * 65_537, "larger than 64 KiB"),
    ],
)
def test_a_file_that_is_not_plain_yaml(tmp_path: Path, text: str, expected: str) -> None:
    """What can't be read as plain YAML is refused with the line."""
    assert expected == refusal(tmp_path, text)[: len(expected)]


def test_a_file_of_exactly_the_largest_size(tmp_path: Path) -> None:
    """64 KiB are allowed."""
    assert Settings() == load(written(tmp_path, "#" * 65_536), {})


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused with their place."""
    file = tmp_path / "config.yaml"
    file.write_bytes(b"mode: \xff")

    with pytest.raises(ConfigError, match="not UTF-8 at byte 6"):
        load(file, {})


def test_a_file_that_can_not_be_read(tmp_path: Path) -> None:
    """A folder in place of the file is refused with the reason."""
    with pytest.raises(ConfigError, match="can't be read: Is a directory"):
        load(tmp_path, {})


@given(text=st.text(alphabet=st.sampled_from("modelimits:{}[]-?!&*<>=|'\"#%@ \n\t0x1.~_,\u0001é")))
def test_any_text_is_settings_or_refused(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    """No text whatever makes reading fail in another way than with a ConfigError."""
    file = written(tmp_path_factory.getbasetemp(), text)
    try:
        settings = load(file, {})
    except ConfigError as error:
        assert str(error).startswith(f"{file}: ")  # noqa: PT017  either outcome is right
    else:
        assert isinstance(settings, Settings)
