"""The small parts around a model: forms, prices, the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from keyring.backends import chainer, fail, null

from core.config import Settings, load
from core.errors import ConfigError, ModelBroken, ModelUnavailable, UsageError
from core.llm import forms, usage
from core.llm.choose import choose
from core.llm.key import check_key, find_key, real
from core.llm.model import find_object
from core.llm.planner import ModelPlanner
from core.llm.usage import Usage, cost, dollars
from core.workflows.planner import WorkflowPlanner


# ------------------------------------------------------------------ forms
def objects(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield each object's schema in a schema."""
    if isinstance(schema, list):
        for item in schema:
            yield from objects(item)
    if isinstance(schema, dict):
        if schema.get("type") == "object":
            yield schema
        for item in schema.values():
            yield from objects(item)


@pytest.mark.parametrize("form", [forms.Plan, forms.Code, forms.Conclusion])
def test_every_object_of_a_schema_is_closed(form: type) -> None:
    """Structured outputs want each key required and none besides; no references, no limits."""
    schema = forms.schema_of(form)

    assert [
        each
        for each in objects(schema)
        if each["additionalProperties"] is not False or each["required"] != list(each["properties"])
    ] == []
    assert [word for word in ("$ref", "default", "minimum") if word in json.dumps(schema)] == []


def test_a_form_is_read_strictly() -> None:
    """A wrong type, a missing or a further key, and half a surrogate pair are told by place."""
    good = {"script": "x", "allow": []}
    assert forms.read(forms.Code, good) == forms.Code("x", [])
    for bad, place in (
        (None, "no JSON object"),
        ({"script": "x"}, "allow"),
        ({**good, "script": 1}, "script"),
        ({**good, "more": 1}, "more"),
        ({**good, "script": "\ud800"}, "JSON"),
    ):
        with pytest.raises(ModelBroken, match=place):
            forms.read(forms.Code, bad)


def test_statements_become_a_policy() -> None:
    """A model can only allow; conditions of one operator come together."""
    made = [
        forms.Condition("StringEquals", "aws:RequestedRegion", ["eu-west-1"]),
        forms.Condition("StringEquals", "ec2:Vpc", ["v"]),
    ]
    (statement,) = forms.policy_of([forms.Allow(["b:B", "a:A"], ["*"], made)])["Statement"]

    assert statement == {
        "Effect": "Allow",
        "Action": ["a:A", "b:B"],
        "Resource": ["*"],
        "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1"], "ec2:Vpc": ["v"]}},
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', {"a": 1}),
        ('Well:\n```json\n{"a": 1}\n```\nSo.', {"a": 1}),
        ('I think {"a": {"b": 2}} it is', {"a": {"b": 2}}),
        ("[1]", None),
        ("{", None),
        ("", None),
        ("[" * 100_000, None),
    ],
)
def test_an_object_is_found_in_a_text(text: str, found: Any) -> None:
    """As it is, fenced, or between prose; anything else is nothing."""
    assert find_object(text) == found


# ------------------------------------------------------------------ prices
def test_a_known_model_has_a_cost() -> None:
    """Each kind of token has its price, in micro-dollars."""
    assert cost("claude-opus-5-5", Usage(1000, 100, 500, 200)) == 4000 + 2000 + 100 + 1000


def test_long_prompts_may_cost_more() -> None:
    """The row of a price is chosen by the whole prompt, cached or not."""
    assert cost("claude-haiku-5-5", Usage(100_000, 0)) == 10_000
    assert cost("claude-haiku-5-5", Usage(100_000, 0, 0, 1)) == 50_001


def test_an_unknown_model_has_no_cost() -> None:
    """No guess, and never zero."""
    assert cost("llama-of-somebody", Usage(1000, 1000)) is None


def test_every_price_is_whole() -> None:
    """Each row has four prices, and only the last is without an upper end."""
    models = json.loads(usage.PRICES.read_bytes())["models"]
    names = {"input", "output", "cache_read", "cache_write"}

    assert [name for name, rows in models.items() if any(names - set(row) for row in rows)] == []
    assert [name for name, rows in models.items() if "up_to" in rows[-1]] == []


def test_dollars_are_written_with_cents() -> None:
    """Micro-dollars are for machines."""
    assert [dollars(each) for each in (0, 9_999, 1_500_000)] == ["$0.00", "$0.01", "$1.50"]


# ------------------------------------------------------------------ the key
def backend(module: str) -> Any:
    """Return a keyring of a module's name."""
    return type("Keyring", (), {"__module__": module})()


@pytest.mark.parametrize("module", ["SecretService", "kwallet", "libsecret", "macOS", "Windows"])
def test_keyrings_of_operating_systems_are_accepted(module: str) -> None:
    """Each real backend counts, alone and behind a chain."""
    kept = backend(f"keyring.backends.{module}")
    chain = backend("keyring.backends.chainer")
    chain.backends = [backend("keyring.backends.null"), kept]

    assert real(kept) is kept
    assert real(chain) is kept


@pytest.mark.parametrize("other", ["keyrings.alt.file", "keyring.backend", "my.own", "keyrings"])
def test_other_keyrings_are_refused(other: str) -> None:
    """Plain files, nothing at all, and chains of these keep no key of ours."""
    chain = SimpleNamespace(backends=[backend(other)])

    assert real(backend(other)) is None
    refused: list[Any] = [fail.Keyring, null.Keyring, chainer.ChainerBackend]
    assert [each for each in refused if real(each())] == []
    assert real(chain) is None  # type: ignore[arg-type]  # no keyring at all


def test_the_environment_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key in the environment is taken without a look into a keyring."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "no.such.module")

    assert find_key({"ANTHROPIC_API_KEY": " sk-1 "}) == "sk-1"


def test_a_null_keyring_has_no_key() -> None:
    """Without a real keyring there is no key, and a model that was asked for is unavailable."""
    assert find_key({"ANTHROPIC_API_KEY": ""}) is None
    with pytest.raises(ModelUnavailable, match="no key"):
        choose(Settings(), "model", {})


@pytest.mark.parametrize("text", ["", " \n", "a b", "a\nb", "schlüssel", "x" * 5000])
def test_what_is_no_key_is_refused(text: str) -> None:
    """One line of printable characters, and no more than a key needs."""
    with pytest.raises(UsageError, match="key"):
        check_key(text)


def test_the_planner_is_chosen_by_key_and_wish(tmp_path: Any) -> None:
    """`auto` is a model when there is a key; workflows need none and take none."""
    settings = Settings.model_validate({"data_directory": str(tmp_path)})
    with_key = {"ANTHROPIC_API_KEY": "sk-1"}

    assert isinstance(choose(settings, "auto", with_key), ModelPlanner)
    assert isinstance(choose(settings, "auto", {}), WorkflowPlanner)
    assert isinstance(choose(settings, "workflows", with_key), WorkflowPlanner)


@pytest.mark.parametrize(
    "address",
    ["http://models.example.org", "ftp://x", "https://u@x", "https://x/v1", "https://", "x"],
)
def test_an_address_that_would_leak_is_refused(tmp_path: Any, address: str) -> None:
    """Plain HTTP only on this machine; nothing that the SDK would read otherwise than it stands."""
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"model": {"base_url": address}}))

    with pytest.raises(ConfigError, match=r"model\.base_url"):
        load(file, {})
