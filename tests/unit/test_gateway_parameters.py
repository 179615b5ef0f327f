"""Parameters are recovered by shape: what botocore writes comes back, and nothing else does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from botocore.model import OperationModel, ServiceModel
from botocore.serialize import create_serializer
from hypothesis import example, given
from hypothesis import strategies as st

from sandbox.errors import Unidentified
from sandbox.gateway.bodies import read_form, read_json
from sandbox.gateway.parameters import from_form, from_json
from sandbox.gateway.plain import plain

MEMBERS = {
    "Text": {"shape": "Text"},
    "Count": {"shape": "Count"},
    "Big": {"shape": "Big"},
    "Ratio": {"shape": "Ratio"},
    "Flag": {"shape": "Flag"},
    "When": {"shape": "When"},
    "Bytes": {"shape": "Bytes"},
    "Plain": {"shape": "Plain"},
    "Named": {"shape": "Named"},
    "Flat": {"shape": "Flat"},
    "FlatNamed": {"shape": "FlatNamed"},
    "Map": {"shape": "Map"},
    "FlatMap": {"shape": "FlatMap"},
    "Inner": {"shape": "Inner", "locationName": "inner"},
    "Inners": {"shape": "Inners"},
    "Stamp": {"shape": "Stamp"},
}
SHAPES: dict[str, Any] = {
    "Input": {"type": "structure", "members": MEMBERS},
    "Text": {"type": "string"},
    "Count": {"type": "integer"},
    "Big": {"type": "long"},
    "Ratio": {"type": "double"},
    "Flag": {"type": "boolean"},
    "When": {"type": "timestamp"},
    "Stamp": {"type": "timestamp", "timestampFormat": "unixTimestamp"},
    "Bytes": {"type": "blob"},
    "Plain": {"type": "list", "member": {"shape": "Text"}},
    "Named": {"type": "list", "member": {"shape": "Text", "locationName": "Item"}},
    "Flat": {"type": "list", "member": {"shape": "Text"}, "flattened": True},
    "FlatNamed": {
        "type": "list",
        "member": {"shape": "Count", "locationName": "Number"},
        "flattened": True,
    },
    "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Count"}},
    "FlatMap": {
        "type": "map",
        "key": {"shape": "Text", "locationName": "Name"},
        "value": {"shape": "Text", "locationName": "Value"},
        "flattened": True,
    },
    "Inner": {"type": "structure", "members": {"Deep": {"shape": "Plain"}}},
    "Inners": {"type": "list", "member": {"shape": "Inner"}},
}


def operation(protocol: str) -> OperationModel:
    """Return an operation of a made-up service that uses every encoding there is."""
    metadata = {
        "apiVersion": "2026-01-01",
        "endpointPrefix": "made-up",
        "jsonVersion": "1.1",
        "protocol": protocol,
        "targetPrefix": "MadeUp",
    }
    operations = {
        "Do": {
            "name": "Do",
            "http": {"method": "POST", "requestUri": "/"},
            "input": {"shape": "Input"},
        }
    }
    model = ServiceModel({"metadata": metadata, "operations": operations, "shapes": SHAPES}, "made")
    return model.operation_model("Do")


OPERATIONS = {protocol: operation(protocol) for protocol in ("query", "ec2", "json")}


def fields_of(protocol: str, parameters: dict[str, Any]) -> dict[str, str]:
    """Return what botocore writes into a form, as it is read off the wire."""
    body = create_serializer(protocol).serialize_to_request(parameters, OPERATIONS[protocol])[
        "body"
    ]
    return read_form(urlencode({name: str(value) for name, value in body.items()}).encode())


def there_and_back(protocol: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what is recovered of parameters that botocore wrote."""
    shape = OPERATIONS[protocol].input_shape
    if protocol == "json":
        serializer = create_serializer(protocol)
        body = serializer.serialize_to_request(parameters, OPERATIONS[protocol])["body"]
        return from_json(read_json(body), shape)
    fields = fields_of(protocol, parameters)
    return from_form(
        {name: text for name, text in fields.items() if name not in ("Action", "Version")},
        shape,
        ec2=protocol == "ec2",
    )


def form(body: str) -> dict[str, Any]:
    """Return the parameters of a query form."""
    return from_form(read_form(body.encode()), OPERATIONS["query"].input_shape, ec2=False)


def document(body: str) -> dict[str, Any]:
    """Return the parameters of a JSON body."""
    return from_json(read_json(body.encode()), OPERATIONS["json"].input_shape)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
MOMENTS = st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)).map(  # noqa: DTZ001 - set next
    lambda moment: moment.replace(tzinfo=UTC)
)
SCALARS = {
    "Text": TEXTS,
    "Count": st.integers(-(2**31), 2**31),
    "Big": st.integers(-(2**62), 2**62),
    "Ratio": st.floats(allow_nan=False, allow_infinity=False) | st.integers(-9, 9),
    "Flag": st.booleans(),
    "When": MOMENTS,
    "Bytes": st.binary(max_size=40),
    "Plain": st.lists(TEXTS, min_size=1, max_size=12),
    "Named": st.lists(TEXTS, min_size=1, max_size=3),
    "Flat": st.lists(TEXTS, min_size=1, max_size=3),
    "FlatNamed": st.lists(st.integers(0, 9), min_size=1, max_size=3),
    "Inner": st.fixed_dictionaries({"Deep": st.lists(TEXTS, min_size=1, max_size=2)}),
}
MAPS = {
    "Map": st.dictionaries(TEXTS, st.integers(0, 9), min_size=1, max_size=3),
    "FlatMap": st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=3),
    "Inners": st.lists(SCALARS["Inner"], min_size=1, max_size=2),
}


@pytest.mark.parametrize("protocol", ["query", "json"])
@given(st.data())
def test_what_botocore_writes_comes_back(protocol: str, data: st.DataObject) -> None:
    """Every encoding of the query and JSON protocols round-trips, for any values."""
    parameters = data.draw(st.fixed_dictionaries({}, optional={**SCALARS, **MAPS}))
    assert there_and_back(protocol, parameters) == parameters


@given(MOMENTS)
@example(datetime(2107, 1, 1, 0, 0, 0, 89, tzinfo=UTC))
def test_a_moment_comes_back_to_the_microsecond(moment: datetime) -> None:
    """Seconds since 1970 are a fraction in JSON; what it can't hold exactly is rounded once."""
    assert there_and_back("json", {"When": moment}) == {"When": moment}


@given(st.fixed_dictionaries({}, optional=SCALARS))
def test_what_botocore_writes_for_ec2_comes_back(parameters: dict[str, Any]) -> None:
    """ec2 capitalises names and numbers lists without a word between; maps it has none."""
    assert there_and_back("ec2", parameters) == parameters


def test_an_empty_list_is_said_in_a_query_form_and_in_json() -> None:
    """Having no elements is another thing than not being given, where the protocol can say so."""
    assert there_and_back("query", {"Plain": []}) == {"Plain": []}
    assert there_and_back("json", {"Plain": [], "Map": {}, "Inner": {}}) == {
        "Plain": [],
        "Map": {},
        "Inner": {},
    }
    assert there_and_back("ec2", {"Plain": []}) == {}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("Nonsense=1", "unknown parameter 'Nonsense'"),
        ("text=1", "unknown parameter 'text'"),
        ("inner.Shallow=1", "unknown parameter 'inner.Shallow'"),
        ("Text=a&Text=b", "'Text' more than once"),
        ("Text=a&Text=a", "'Text' more than once"),
        ("Text.x=a", "'Text' has fields below it"),
        ("Text=a&Text.x=a", "below a field that has a value"),
        ("Text.x=a&Text=a", "is a value and has fields below it"),
        ("inner=a", "'inner' has a value, where only fields below"),
        ("Plain.member.2=a", "not numbered 1, 2, 3"),
        ("Plain.member.01=a", "not numbered 1, 2, 3"),
        ("Plain.member.1=a&Plain.member.3=a", "not numbered 1, 2, 3"),
        ("Plain.1=a", "other than 'member'"),
        ("Plain.member.1=a&Plain.x.1=b", "other than 'member'"),
        ("Plain=a", "has a value, where only fields"),
        ("Map.entry.1.key=a", "not one key and one value"),
        ("Map.entry.1.key=a&Map.entry.1.value=1&Map.entry.1.x=1", "not one key and one value"),
        (
            "Map.entry.1.key=a&Map.entry.1.value=1&Map.entry.2.key=a&Map.entry.2.value=2",
            "names 'a' more than once",
        ),
        ("Count=1.0", "not an integer"),
        ("Count=+1", "not an integer"),
        ("Count=01", "not an integer"),
        ("Count=%D9%A1", "not an integer"),
        ("Count=" + "9" * 5000, "not an integer"),
        ("Ratio=nan", "not a number"),
        ("Ratio=1e999", "not a finite number"),
        ("Ratio=1_0", "not a number"),
        ("Flag=True", "neither true nor false"),
        ("When=2026-01-31", "not a time"),
        ("When=2026-02-31T00%3A00%3A00Z", "not a time"),
        ("Bytes=a", "not base64"),
        ("Bytes=AB%3D%3D", "not base64 as botocore writes it"),
        ("Text=%ff", "can't be read"),
        ("Text=%c3%a9", "not written the way botocore writes"),
        ("Text=%20", "not written the way botocore writes"),
        ("Text=a;Count=1", "not written the way botocore writes"),
        ("Text", "can't be read"),
        ("Text=a&", "can't be read"),
        ("Text=\u00e9", "can't be read"),
        ("&".join(f"T{number}=" for number in range(5000)), "can't be read"),
    ],
)
def test_a_form_is_read_strictly(body: str, reason: str) -> None:
    """What botocore would never write is refused with the path of the field."""
    with pytest.raises(Unidentified) as refused:
        form(body)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('{"Nonsense": 1}', "unknown parameter 'Nonsense'"),
        ('{"text": "a"}', "unknown parameter 'text'"),
        ('{"inner": {"Shallow": 1}}', "unknown parameter 'inner.Shallow'"),
        ('{"Inner": {}}', "unknown parameter 'Inner'"),
        ('{"Text": "a", "Text": "b"}', "'Text' more than once"),
        ('{"inner": {"Deep": [], "Deep": []}}', "'Deep' more than once"),
        ('{"Text": 1}', "'Text' is not a str"),
        ('{"Text": null}', "'Text' is not a str"),
        ('{"Text": "\\ud800"}', "half a surrogate pair"),
        ('{"Map": {"\\udfff": 1}}', "half a surrogate pair"),
        ('{"Count": true}', "'Count' is not a int"),
        ('{"Count": 1.0}', "'Count' is not a int"),
        ('{"Ratio": "1"}', "not a finite number"),
        ('{"Ratio": 1e999}', "not a finite number"),
        ('{"Ratio": NaN}', "NaN, which is no JSON"),
        ('{"Ratio": -Infinity}', "-Infinity, which is no JSON"),
        ('{"Flag": "true"}', "'Flag' is not a bool"),
        ('{"When": "2026-01-31T00:00:00Z"}', "not a finite number"),
        ('{"When": 1e300}', "not a time between"),
        ('{"When": -99999999999999}', "not a time between"),
        ('{"Plain": {}}', "'Plain' is not a list"),
        ('{"Plain": ["a", 1]}', "'Plain.2' is not a str"),
        ('{"Map": []}', "'Map' is not a dict"),
        ('{"Bytes": "a"}', "not base64"),
        ("[]", "not an object"),
        ('"a"', "not an object"),
        ("", "can't be read"),
        ("{} {}", "can't be read"),
        ("{}x", "can't be read"),
        ("\ufeff{}", "can't be read"),
        ('{"Count": ' + "1" * 5000 + "}", "can't be read"),
        ("[" * 100_000, "nested too deep"),
    ],
)
def test_json_is_read_strictly(body: str, reason: str) -> None:
    """Duplicate keys, wrong types, constants and trailing bytes are refused with their path."""
    with pytest.raises(Unidentified) as refused:
        document(body)
    assert reason in refused.value.reason


def test_bytes_that_are_no_utf_8_are_refused() -> None:
    """JSON is UTF-8 and nothing else."""
    with pytest.raises(Unidentified, match="can't be read"):
        read_json(b'{"Text": "\xff"}')


def test_an_operation_without_parameters_takes_none() -> None:
    """Where the model has no input shape, any field is one too many."""
    assert from_form({}, None, ec2=False) == from_json({}, None) == {}
    with pytest.raises(Unidentified, match="takes no parameters, and got 'x'"):
        from_json({"x": 1}, None)


def test_plain_is_json_and_leaves_nothing_out() -> None:
    """Times become ISO 8601 in UTC, bytes base64; the rest stays as it is."""
    given_ = {
        "a": datetime(2026, 1, 31, 12, tzinfo=UTC),
        "b": (b"\x00", {"c": datetime(2026, 1, 31, 12, 0, 0, 5, tzinfo=UTC)}),
        "d": [1, 0.5, True, None, "x"],
    }
    assert json.loads(json.dumps(plain(given_))) == {
        "a": "2026-01-31T12:00:00Z",
        "b": ["AA==", {"c": "2026-01-31T12:00:00.000005Z"}],
        "d": [1, 0.5, True, None, "x"],
    }
