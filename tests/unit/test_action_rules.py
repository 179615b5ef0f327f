"""How an action is rated that nobody has looked at: names only ever raise it."""

from __future__ import annotations

import pytest
from botocore.model import Shape, ShapeResolver

from tools.action_rules import level_of, rate, tells_content


@pytest.mark.parametrize(
    ("prefix", "name", "level", "tier"),
    [
        ("x", "DescribeThings", "List", 1),
        ("x", "DescribeThings", "Read", 1),
        ("x", "ListThings", "List", 1),
        ("x", "GetThing", "Read", 2),
        ("x", "GetThingStatus", "Read", 1),
        ("x", "GetRecordStatus", "Read", 2),
        ("x", "BatchGetThing", "Read", 2),
        ("x", "DescribeExecutions", "List", 1),
        ("x", "SearchThings", "List", 2),
        ("x", "DescribeSecret", "Read", 3),
        ("x", "GetApiKey", "Read", 3),
        ("x", "GetPresignedUrl", "Read", 3),
        ("x", "ListAccessTokens", "List", 3),
        ("x", "InvokeThing", "Read", 3),
        ("x", "DetectThing", "Read", 3),
        ("x", "view", "Read", 3),
        ("x", "StartThing", "Read", 4),
        ("x", "BatchDeleteThing", "Read", 4),
        ("x", "CreateThing", "List", 4),
        ("x", "DescribeThings", "Write", 4),
        ("x", "GetClusterCredentials", "Write", 4),
        ("x", "TagThing", "Tagging", 4),
        ("x", "PutThingPolicy", "Permissions management", 4),
        ("iam", "PutThingPolicy", "Permissions management", 5),
        ("iam", "TagThing", "Tagging", 4),
        ("organizations", "MoveThing", "Write", 5),
        ("organizations", "ListThings", "List", 1),
        ("account", "PutThing", "Write", 5),
        ("ce", "DescribeThings", "List", 2),
    ],
)
def test_ratings(prefix: str, name: str, level: str, tier: int) -> None:
    """The level is the floor; verb, words and service may raise it."""
    assert rate(prefix, name, level)[0] == tier


@pytest.mark.parametrize("level", ["Write", "Tagging", "Permissions management"])
def test_no_name_makes_a_write_a_read(level: str) -> None:
    """However harmless it is called."""
    assert rate("x", "DescribeThings", level)[0] >= 4


def test_the_first_level_counts() -> None:
    """AWS writes two for what tags and for what gives permissions."""
    assert level_of("Tagging, Write") == "Tagging"
    assert level_of("Read") == "Read"


def answer(members: dict[str, dict[str, str]]) -> Shape:
    """Return an answer with one member called `member`, which holds `members`."""
    shapes = {
        "Answer": {"type": "structure", "members": {"member": {"shape": "List"}}},
        "List": {"type": "list", "member": {"shape": "Item"}},
        "Item": {"type": "structure", "members": members},
        "Text": {"type": "string"},
        "Marked": {"type": "string", "sensitive": True},
        "Map": {"type": "map", "key": {"shape": "Text"}, "value": {"shape": "Text"}},
    }
    return ShapeResolver(shapes).get_shape_by_name("Answer")


@pytest.mark.parametrize(
    ("name", "shape", "expected"),
    [
        ("Name", "Text", False),
        ("Name", "Marked", True),
        ("NextToken", "Marked", False),
        ("UserData", "Text", True),
        ("environment", "Map", True),
        ("Inner", "Item", False),
    ],
)
def test_what_an_answer_tells(name: str, shape: str, expected: bool) -> None:
    """Marked texts, environments and user data, however deep; but no page's token."""
    assert tells_content(answer({name: {"shape": shape}})) is expected


def test_what_tells_content_is_no_metadata() -> None:
    """A harmless name does not help."""
    assert rate("x", "DescribeThings", "List", tells=True)[0] == 2
    assert rate("x", "DescribeSecrets", "List", tells=True)[0] == 3
    assert rate("x", "DescribeThings", "Write", tells=True)[0] == 4
