# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/athena/athena_wrapper.py (Apache-2.0);
# what it does, written anew.
"""Run one query over the access logs in Athena and print its rows."""

import time

import boto3

athena = boto3.client("athena")


def run(statement, database=None):
    """Start a query and wait for its end."""
    parameters = dict(QueryString=statement, WorkGroup="on-call")
    if database is not None:
        parameters["QueryExecutionContext"] = {"Database": database}
    identity = athena.start_query_execution(**parameters)["QueryExecutionId"]
    while True:
        execution = athena.get_query_execution(QueryExecutionId=identity)["QueryExecution"]
        state = execution["Status"]["State"]
        if state == "SUCCEEDED":
            return identity
        if state in ("FAILED", "CANCELLED"):
            raise SystemExit(execution["Status"].get("StateChangeReason", "no reason given"))
        time.sleep(2)


def rows(identity):
    """Yield the rows of a result, the heading first."""
    pages = athena.get_paginator("get_query_results").paginate(QueryExecutionId=identity)
    for page in pages:
        for row in page["ResultSet"]["Rows"]:
            yield [cell.get("VarCharValue", "") for cell in row["Data"]]


done = run("SELECT status, count(*) FROM access GROUP BY status", "logs")
for row in rows(done):
    print(" ".join(row))
