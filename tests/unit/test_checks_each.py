"""Every check by what only it finds: seen with the check, and by nobody without it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft
from core.checks.finding import Finding
from core.checks.review import review
from core.checks.standards import NAMES, Gate, Standards
from core.workflows.planner import load_library

LIBRARY = load_library()
HASH = " --hash=sha256:" + "a" * 64
GOOD = '''\
"""Count the virtual networks."""

import json
from pathlib import Path

import boto3
from botocore.exceptions import ClientError

result = {"facts": {}, "errors": []}
try:
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    pages = ec2.get_paginator("describe_vpcs").paginate()
    result["facts"]["vpcs"] = sum(len(page["Vpcs"]) for page in pages)
except ClientError as error:
    result["errors"].append(str(error))
Path("out/result.json").write_text(json.dumps(result))
'''


def policy(*actions: str) -> dict[str, Any]:
    """Return a policy that allows these, on everything."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


VPCS = "ec2:DescribeVpcs"
DRAFT = Draft(
    step="S1",
    version=1,
    author="model",
    kind="collect",
    language="python",
    script=GOOD.encode(),
    requirements=(),
    policy=policy(VPCS),
    rollback=None,
    post_check=None,
    parameters={},
    inputs=(),
)
CAUGHT = GOOD.replace("from botocore.exceptions import ClientError\n", "")
CHANGING = GOOD.replace(
    'ec2.get_paginator("describe_vpcs").paginate()', 'ec2.reboot_instances(InstanceIds=["i-1"])'
).replace('sum(len(page["Vpcs"]) for page in pages)', "len(pages)")
YAML = "import yaml\n\nprint(yaml)\n"
EVENTS = 'boto3.client("logs").get_paginator("filter_log_events").paginate(logGroupName="a")\n'
EXACT = policy(VPCS)
EXACT["Statement"] += [{**EXACT["Statement"][0], "Action": "logs:FilterLogEvents"}]
EXACT["Statement"][1]["Resource"] = "arn:aws:logs:*:*:log-group:a:*"
REBOOTS = policy(VPCS)
REBOOTS["Statement"] += [{**REBOOTS["Statement"][0], "Action": "ec2:RebootInstances"}]
REBOOTS["Statement"][1]["Resource"] = "arn:aws:ec2:*:*:instance/i-1"
TANGLED = "\n\ndef tell(given: int) -> int:\n" + "".join(
    f"    if given == {each}:\n        return {each + 1}\n" for each in range(7)
)
STANDARDS = Standards(
    allowed=("pyyaml",),
    most_complexity=5,
    gates=(Gate("no-vpcs", "warning", "never these", "attribute", "get_pagin?tor"),),
)
Planted = tuple[str, dict[str, Any]]
"""The finding, as "check/rule", and what is changed in the draft; `also` is put into the script."""
PLANTED: list[Planted] = [
    ("syntax/invalid", {"script": b"x = (\n"}),
    ("syntax/encoding", {"script": b"# coding: latin-1\n"}),
    ("readability/hidden-character", {"also": "# no\u00adthing\n"}),
    ("readability/long-line", {"also": f"# {'x' * 100}\n"}),
    ("readability/look-alike", {"also": "count1 = 1\ncountl = 2\n"}),
    ("readability/mixed-letters", {"also": "# p\u0430ypal\n"}),
    ("lint/F821", {"also": "json.dumps(missing)  # noqa\n"}),
    (
        "lint/B006",
        {"also": "\n\ndef made(given: list[int] = []) -> list[int]:\n    return given\n"},
    ),
    ("security/B324", {"also": 'import hashlib\n\nhashlib.md5(b"")  # nosec\n'}),
    ("code/import", {"also": "import curses\n\ncurses.beep()\n"}),
    ("code/import", {"also": "from .beside import helper\n\nhelper()\n"}),
    ("code/network", {"also": "import socket\n\nsocket.socket()\n"}),
    ("code/network", {"also": "from urllib3 import PoolManager\n\nPoolManager()\n"}),
    ("code/network", {"also": 'boto3.client("sts", endpoint_url="https://example.org")\n'}),
    ("code/process", {"also": "import os\n\nos.kill(1, 9)\n"}),
    ("code/process", {"also": "from os import fork as split\n\nsplit()\n"}),
    ("code/process", {"also": "import os as o\n\nprint(o.posix_spawnp)\n"}),
    ("code/native", {"also": "import ctypes\n\nctypes.c_int()\n"}),
    ("code/dynamic", {"also": "run = compile\n"}),
    ("code/dynamic", {"also": 'getattr(json, "lo" + "ads")("1")\n'}),
    ("code/dynamic", {"also": "getattr(result, result)()\n"}),
    ("code/dynamic", {"also": "import gc\n\ngc.collect()\n"}),
    ("code/reflection", {"also": "print(json.dumps.__globals__)\n"}),
    ("code/reflection", {"also": 'text = "{0.__class__}".format(result)\n'}),
    ("code/reflection", {"also": "import sys\n\nsys._getframe()\n"}),
    ("code/pickle", {"also": "import copyreg\n\nprint(copyreg)\n"}),
    ("code/path", {"also": 'Path("/etc/passwd").read_text()\n'}),
    ("code/path", {"also": 'import os\n\nos.listdir(os.path.join("/home", "somebody"))\n'}),
    ("code/path", {"also": 'Path("in/../../etc").exists()\n'}),
    ("code/path", {"also": 'Path("x").expanduser()\n'}),
    ("aws-calls/unknown-operation", {"also": "ec2.describe_vpc()\n"}),
    ("policy/excess", {"policy": policy(VPCS, "rds:DescribeDBInstances")}),
    ("policy/missing", {"policy": policy("ec2:DescribeSubnets")}),
    ("requirements/unlocked", {"requirements": ("pyyaml",), "also": YAML}),
    ("requirements/not-allowed", {"requirements": ("x-yaml==1" + HASH,), "also": YAML}),
    (
        "requirements/look-alike",
        {"requirements": ("pyyalm==1" + HASH,), "also": "import pyyalm\n\nprint(pyyalm)\n"},
    ),
    ("requirements/in-runtime", {"requirements": ("boto3==1" + HASH,)}),
    ("requirements/missing", {"also": YAML}),
    ("requirements/unused", {"requirements": ("pyyaml==6" + HASH,)}),
    ("change/no-rollback", {"kind": "change", "post_check": GOOD.encode()}),
    (
        "change/post-check-changes",
        {
            "kind": "change",
            "rollback": GOOD.encode(),
            "post_check": CHANGING.encode(),
            "policy": REBOOTS,
        },
    ),
    ("change/no-post-check", {"kind": "change", "rollback": GOOD.encode()}),
    ("quality/type-hints", {"also": "\n\ndef made(given):\n    return given\n"}),
    ("quality/docstring", {"script": GOOD.partition("\n\n")[2].encode()}),
    ("quality/error-handling", {"script": CAUGHT.replace("ClientError", "KeyError").encode()}),
    ("quality/naming", {"also": "\n\nclass made:\n    pass\n"}),
    ("quality/pep8", {"also": "if result is not None and result == None:\n    result = {}\n"}),
    ("quality/complexity", {"also": TANGLED}),
    (
        "quality/error-handling",
        {"also": "try:\n    print()\nexcept Exception as e:\n    print(e)\n"},
    ),
    ("quality/unbounded", {"also": EVENTS, "policy": EXACT}),
    ("quality/timeout", {"also": "while True:\n    json.dumps(result)\n"}),
    ("quality/timeout", {"also": "import time\n\ntime.sleep(30)\n"}),
    ("quality/timeout", {"also": 'ec2.get_waiter("vpc_available").wait(VpcIds=["vpc-1"])\n'}),
    (
        "quality/calls-in-loop",
        {"also": 'for name in ("vpc-1", "vpc-2"):\n    ec2.describe_vpcs(VpcIds=[name])\n'},
    ),
    ("gates/no-vpcs", {}),
]


def planted(also: str = "", **fields: Any) -> Draft:
    """Return the good draft with something planted: imports above, all else below."""
    lines = also.splitlines(keepends=True)
    above = "".join(each for each in lines if each.startswith(("import ", "from ")))
    below = "".join(each for each in lines if not each.startswith(("import ", "from ")))
    script = GOOD.replace("import boto3\n", f"{above}import boto3\n", 1) + below
    return replace(DRAFT, **{"script": script.encode(), **fields})


def told(draft: Draft, left_out: frozenset[str]) -> list[Finding]:
    """Return what a review tells whoever approves to look at."""
    standards = replace(STANDARDS, left_out=tuple(sorted(left_out)))
    return [one for one in review(draft, standards).findings if one.severity != "note"]


@pytest.mark.parametrize(("finding", "change"), PLANTED)
def test_a_check_finds_what_no_other_finds(finding: str, change: dict[str, Any]) -> None:
    """With the check the finding is there; without it nothing is said about this draft."""
    check = finding.partition("/")[0]
    others = frozenset({"gates"} - {check})
    draft = planted(**change)
    found = told(draft, others)

    assert finding in [f"{one.source}/{one.rule}" for one in found]
    assert {one.source for one in found} == {check}
    assert told(draft, others | {check}) == []


def test_every_check_is_in_the_table() -> None:
    """A new check needs a line above."""
    assert {finding.partition("/")[0] for finding, _ in PLANTED} == set(NAMES)


def test_the_script_that_is_planted_in_is_good() -> None:
    """Nothing is found but what was planted."""
    assert review(planted(), replace(STANDARDS, gates=())).findings == ()


def test_a_check_that_is_left_out_is_told() -> None:
    """A check that was not made never looks like one that found nothing."""
    (note,) = review(planted(), Standards(left_out=("security",))).findings

    assert (note.severity, note.rule) == ("note", "left-out")
    assert note.message == "the check security was not made: the settings leave it out"


def test_a_review_changes_no_byte() -> None:
    """What is reviewed is what was there before, to the byte, with all that it holds."""
    script = b"import os\r\nx=1 \nprint( x )\n"
    draft = replace(planted(kind="change"), script=script, rollback=script, post_check=script)
    before = (draft.preimage(), draft.code_preimage())
    review(draft)

    assert (draft.script, draft.rollback, draft.post_check) == (script,) * 3
    assert (draft.preimage(), draft.code_preimage()) == before


def test_a_severity_is_that_of_the_settings() -> None:
    """A rule is rated as the settings say, and only that rule."""
    draft = planted('import hashlib\n\nhashlib.md5(b"")\n')
    rated = replace(STANDARDS, severities={"security/B324": "note"}, gates=())

    assert [one.severity for one in review(draft, replace(rated, severities={})).findings] == [
        "blocker"
    ]
    assert [one.severity for one in review(draft, rated).findings] == ["note"]


@pytest.mark.parametrize(("most", "poor"), [(2, True), (3, False)])
def test_more_remarks_on_quality_than_allowed_are_poor(most: int, poor: bool) -> None:
    """A draft with three warnings about quality is poor where two are allowed."""
    plain = "\n\ndef made(given):\n    return given\n\n\n"
    draft = planted(f"import time\n{plain}time.sleep(30)\nif result == None:\n    result = {{}}\n")
    found = review(draft, Standards(most_quality=most))

    assert sum(one.source == "quality" for one in found.findings) == 3
    assert found.poor is poor


def test_what_cannot_be_read_is_counted() -> None:
    """Automated mode runs no script whose calls can't be told, whichever checks are left out."""
    hidden = planted("getattr(ec2, input())()\n")

    assert review(planted(), Standards()).unresolved == 0
    assert review(hidden, Standards()).unresolved == 1
    assert review(hidden, Standards(left_out=("aws-calls",))).unresolved == 1


@pytest.mark.parametrize("name", sorted(LIBRARY))
def test_saved_workflows_are_as_good_as_we_want_them(name: str) -> None:
    """No script that ships has a blocker, hides a call, or is one that a model would have back."""
    workflow = LIBRARY[name]
    draft = replace(
        DRAFT,
        author="workflow",
        script=workflow.script,
        policy=workflow.document.policy,
        tests=workflow.tests,
    )
    found = review(draft)

    assert (found.blockers, found.poor, found.unresolved) == ((), False, 0)
    assert (found.missing, found.excess) == ((), ())
