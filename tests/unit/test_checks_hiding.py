"""Ways to hide an AWS call from the review, each of which is said to hide one.

Automated mode runs nothing with a call that nobody could read, so what is not noticed here runs by
itself there, within its policy.
"""

from __future__ import annotations

import ast

import pytest

from core.checks.aws_calls import extract

START = "import boto3\nec2 = boto3.client('ec2')\n"
HIDDEN = {
    "a pattern": "match ec2:\n    case x:\n        f = x.describe_vpcs\nf()\n",
    "a namesake": "describe_vpcs = None\nmatch ec2:\n    case x:\n        x.describe_vpcs()\n",
    "an exception": "try:\n    raise ValueError(ec2)\nexcept ValueError as e:\n"
    "    f = e.args[0].describe_vpcs\nf()\n",
    "a decorator": "def d(f): return f(ec2)\n@d\ndef g(c):\n    h = c.describe_vpcs\n    h()\n",
    "an iterator": "class A:\n    def __iter__(self): yield ec2\n"
    "for x in A():\n    f = x.describe_vpcs\n    f()\n",
    "a context": "class A:\n    def __enter__(self): return ec2\n"
    "    def __exit__(self, *_): pass\nwith A() as x:\n    f = x.describe_vpcs\n    f()\n",
    "gathered": "def run(*k):\n    f = k[0].describe_vpcs\n    f()\nrun(ec2)\n",
    "a queue": "import queue\nq = queue.Queue()\nq.put(ec2)\nf = q.get().describe_vpcs\nf()\n",
    "a copy": "import copy\nf = copy.copy(ec2).describe_vpcs\nf()\n",
    "a type": "f = type(ec2).describe_vpcs\nf(ec2)\n",
    "__dict__": "type(ec2).__dict__['describe_vpcs'](ec2)\n",
    "inside boto3": "import botocore.client\n"
    "botocore.client.BaseClient._make_api_call(ec2, 'DescribeVpcs', {})\n",
    "getattr renamed": "g = getattr\ng(ec2, 'describe_vpcs')()\n",
    "getattr mapped": "list(map(getattr, [ec2], ['describe_vpcs']))[0]()\n",
    "getattr taken": "from builtins import getattr as g\ng(ec2, 'describe_vpcs')()\n",
    "methodcaller renamed": "from operator import methodcaller as mc\nmc('describe_vpcs')(ec2)\n",
    "attrgetter renamed": "import operator\ng = operator.attrgetter\ng('describe_vpcs')(ec2)()\n",
    "a paginator's getter": "p = ec2.get_paginator\np('describe_vpcs').paginate()\n",
    "a waiter's getter": "w = ec2.get_waiter\nw('vpc_available').wait()\n",
    "a getter by name": "getattr(ec2, 'get_paginator')('describe_vpcs').paginate()\n",
    "__getattr__": "class A:\n    def __getattr__(self, name): return ec2\n"
    "    def describe_vpcs(self): pass\nA().x.describe_vpcs()\n",
}


@pytest.mark.parametrize("script", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_call_that_is_hidden_is_not_resolved(script: str) -> None:
    """None of these lets a script pass for one whose calls are all known."""
    assert extract(ast.parse(START + script)).unresolved > 0


HONEST = {
    "its own method": "class A:\n    def describe_vpcs(self): return 1\nA().describe_vpcs()\n",
    "its own function": "def getattr(x): return x\nf = getattr\nf(1)\n",
    "getattr called": "print(getattr(ec2, 'meta'))\n",
    "handed on": "def run(f): return f()\nrun(ec2.describe_vpcs)\n",
    "a paginator": "ec2.get_paginator('describe_vpcs').paginate()\n",
    "words": "print({'describe_vpcs': 1}['describe_vpcs'])\n",
}


@pytest.mark.parametrize("script", HONEST.values(), ids=HONEST.keys())
def test_what_hides_nothing_is_resolved(script: str) -> None:
    """What merely looks like it raises no doubt."""
    assert extract(ast.parse(START + script)).unresolved == 0
