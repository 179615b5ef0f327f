"""What the code of a script reaches for, and what it may."""

from __future__ import annotations

import pytest

from core.checks import code
from core.checks.subject import Script


def found(script: str) -> list[tuple[str, str, int | None]]:
    """Return rule, severity and line of each finding."""
    told = code.check(Script("script", script.encode()))
    return [(one.rule, one.severity, one.line) for one in told]


@pytest.mark.parametrize(
    "script",
    [
        "",
        "import argparse, csv, datetime, logging, os, re, sys, time\nfrom pathlib import Path\n",
        "import boto3\nfrom botocore.config import Config\nfrom dateutil import parser\n",
        "from concurrent.futures import ThreadPoolExecutor\nfrom urllib.parse import quote\n",
        "from http import HTTPStatus\nimport xml.etree.ElementTree\n",
        "import re\nre.compile('a')\n",
        "import os\nos.environ['AWS_REGION']\nos.path.join('out', 'a')\nos.makedirs('out/a')\n",
        "from pathlib import Path\nOUT = Path('.') / 'out'\n(OUT / 'a.json').write_text('')\n",
        "import os\nx = input()\nopen(os.path.join('out', x), 'w')\nopen('./out/' + x, 'x')\n",
        "x = input()\nopen(f'{x}/a', 'w')\nopen('./' + x, 'w')\nopen('o%s' % x, 'w')\n",
        "x = 'a'\nx = input()\nopen(x, 'w')\nopen('out/{}.csv'.format(x), mode='a')\n",
        "open('/job/tmp/a', 'w')\nopen('tmp/a', 'w')\nopen('/dev/null', 'w')\n",
        "y = y + 'a'\nopen(y, 'w')\nopen('script.py', 'rb')\nopen('a', input())\n",
        "from pathlib import Path\nPath('in/a.json').read_text()\nPath('a').open()\n",
        "s3.download_file('bucket', '/key', '/tmp/a')\nbucket.download_file('/key', 'out/a')\n",
        "open('in/parameters.json')\nopen('/tmp/x', 'w')\nopen(f'/job/out/{1}')\n",
        "print(type(1).__name__, ValueError.__class__.__name__, __name__, __file__)\n",
        "class A:\n    def __init__(self):\n        self.__dict__.update({})\n",
        "getattr(object(), 'name', None)\n",
        "import boto3\nboto3.client('logs').describe_log_groups(logGroupNamePrefix='/aws/')\n",
        "text = '{0.name} {x}'.format(1, x=2)\n",
        "'/'.join(['a'])\nopen('/'.join(['a', 'b']))\n",
        "import numpy\n",
    ],
)
def test_honest_scripts(script: str) -> None:
    """What scripts of on-call people use is no finding."""
    assert found(script) == []


@pytest.mark.parametrize(
    ("script", "rule"),
    [
        ("from os import system\n", "process"),
        ("from os import execve as go\n", "process"),
        ("import os as o\nx = o.spawnlp\n", "process"),
        ("import asyncio\nasyncio.create_subprocess_shell('ls')\n", "process"),
        ("import asyncio\nasyncio.open_connection('a', 1)\n", "network"),
        ("import http.client\n", "network"),
        ("from urllib import request\n", "network"),
        ("import urllib.request as u\n", "network"),
        ("import importlib\n", "dynamic"),
        ("e = eval\n", "dynamic"),
        ("globals()['a']\n", "dynamic"),
        ("import os\ngetattr(os, 'sys' + 'tem')('ls')\n", "dynamic"),
        ("import os\ngetattr(os, 'system')('ls')\n", "process"),
        ("import builtins\n", "dynamic"),
        ("import sys\nsys.path.insert(0, 'x')\n", "dynamic"),
        ("print(__builtins__)\n", "reflection"),
        ("().__class__.__bases__[0].__subclasses__()\n", "reflection"),
        ("getattr(f, '__globals__')\n", "reflection"),
        ("'{0.__globals__}'.format(print)\n", "reflection"),
        ("try:\n    1\nexcept OSError as e:\n    e.__traceback__.tb_frame\n", "reflection"),
        ("import sys\nsys.modules['os']\n", "reflection"),
        ("from pickle import loads\n", "pickle"),
        ("import pandas as pd\npd.read_pickle('x')\n", "pickle"),
        ("open('/etc/passwd')\n", "path"),
        ("open('~/.aws/credentials')\n", "path"),
        ("name = 1\nopen('/home/%s' % name)\nx = open\n", "path"),
        ("name = 1\nopen(f'/proc/{name}')\n", "path"),
        ("import os\nos.listdir('..')\n", "path"),
        ("from pathlib import Path as P\nP('/') / 'etc'\n", "path"),
        ("from pathlib import Path\nPath.home()\n", "path"),
        ("from os.path import expanduser\nexpanduser('x')\n", "path"),
        ("open('/tmp/../etc/passwd')\n", "path"),
        ("open('/job/in/../../etc/passwd')\n", "path"),
        ("A = '/etc'\nB = A + '/passwd'\nopen(B)\n", "path"),
        ("import os\nos.path.join\nopen(os.path.join('in', '/etc/passwd'))\n", "path"),
        ("s3.download_file('bucket', 'key', '/etc/passwd')\n", "path"),
        ("open('result.json', 'w')\n", "write"),
        ("open('in/a', mode='r+')\n", "write"),
        ("open('/job/a', 'x')\n", "write"),
        ("open('outside', 'w')\n", "write"),
        ("x = 1\nopen(f'report-{x}.csv', 'w')\n", "write"),
        ("x = 1\nopen('report-{}.csv'.format(x), 'w')\n", "write"),
        ("x = 1\nopen('report-%s' % x, 'w')\n", "write"),
        ("from pathlib import Path\nPath('result.json').write_text('')\n", "write"),
        ("from pathlib import Path\nA: Path = Path('in')\n(A / 'b').open('w')\n", "write"),
        ("import os\nos.makedirs('reports', exist_ok=True)\n", "write"),
        ("import shutil\nshutil.copy('out/a', 'a')\n", "write"),
        ("s3.download_file('bucket', 'key', 'a')\n", "write"),
        ("s3.download_file(Bucket='bucket', Key='key', Filename='a')\n", "write"),
        ("import tkinter\n", "import"),
        ("from . import beside\n", "import"),
    ],
)
def test_what_no_honest_script_needs(script: str, rule: str) -> None:
    """Each way around is a blocker, by whatever name it is reached."""
    assert {each[:2] for each in found(script)} == {(rule, "blocker")}


def test_a_computed_attribute_of_a_thing_is_a_warning() -> None:
    """On a module it reaches for anything; on a client it is one of its methods."""
    assert found("import boto3\nx = boto3.client('ec2')\ngetattr(x, input())()\n") == [
        ("dynamic", "warning", 3)
    ]


def test_each_is_told_once_a_line() -> None:
    """The same on one line is one finding, on two lines two."""
    assert found("eval('1'); eval('2')\neval('3')\n") == [
        ("dynamic", "blocker", 1),
        ("dynamic", "blocker", 2),
    ]
