"""The differential fuzz, in small: `tools/fuzz_requests.py` is the same by hand and at length."""

from __future__ import annotations

import random
from collections import Counter

from tools.fuzz_requests import (
    MUTATED,
    OTHER,
    RAW_READ,
    REFUSED,
    SAME,
    UNSENT,
    UNTOLD,
    Fuzz,
    Made,
    fuzz,
    table,
)
from tools.moto_reading import Raw, Reading, read
from tools.mutations import MUTATIONS, mutated

COUNT = 3000
SERVICES = ("cloudwatchomni", "dynamodb", "lambda", "route53", "s3", "sns", "sqs", "sts")
"""CBOR, JSON, REST with JSON, REST with XML, forms."""


def test_what_is_sent_is_read_as_what_was_judged() -> None:
    """Thousands of injured requests: none is judged as one call and understood as another."""
    fuzzing = fuzz(SERVICES, COUNT, seed=7)
    counts = fuzzing.counts
    assert (counts[OTHER], counts[UNTOLD], fuzzing.shown) == (0, 0, [])
    assert counts[MUTATED] == COUNT == counts[REFUSED] + counts[UNSENT] + counts[SAME]
    assert counts[SAME] > COUNT / 20
    assert counts[RAW_READ] > 0


def test_control_a_difference_is_found() -> None:
    """A call that is judged as one thing and read as another is counted and shown."""
    fuzzing, describe = Fuzz(), Reading("DescribeAlarms", {})
    body = b"Action=DeleteTopic&Version=2010-03-31&TopicArn=t"
    headers = [("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")]
    sent = Raw("POST", "https://sns.eu-west-1.amazonaws.com/", headers, body)
    fuzzing.compare("sns", describe, sent)
    fuzzing.compare("sns", describe, sent._replace(body=b""))
    fuzzing.compare("sns", read("sns", sent), sent)
    assert fuzzing.counts == {OTHER: 1, UNTOLD: 1, SAME: 1}
    assert len(fuzzing.shown) == 2


def test_the_same_seed_injures_in_the_same_way() -> None:
    """A difference that was found can be found again."""
    raw = Raw("POST", "http://h/a?b=c", [("Host", "h"), ("X", "y")], b'{"a": [1, "b"]}')
    one, two = ([mutated(raw, [raw], random.Random(seed)) for seed in range(50)] for _ in "ab")
    assert one == two
    assert len({str(each) for each in one}) > 25


def test_every_mutation_changes_something() -> None:
    """Each kind finds something to do in a request of a REST service."""
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    raw = Raw("POST", "http://h/a/b?c=d", [("Host", "h"), ("X-A", "y")], body)
    other = Made("s3", "Other", Raw("GET", "http://i/x?y=z", [("Host", "i")], b"{}")).raw
    for mutation in set(MUTATIONS):
        assert any(mutation(raw, other, random.Random(seed)) != raw for seed in range(20))


def test_the_table_has_all_that_was_counted() -> None:
    """The page gets a row for each count, and zeros are told, too."""
    lines = table(Counter({MUTATED: 5, REFUSED: 3, SAME: 2}), 1).splitlines()
    assert lines[2:5] == [f"| {MUTATED} | 5 |", f"| {REFUSED} | 3 |", f"| {UNSENT} | 0 |"]
