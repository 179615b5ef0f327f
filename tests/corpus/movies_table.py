# Origin: awsdocs/aws-doc-sdk-examples,
# python/example_code/dynamodb/GettingStarted/scenario_getting_started_movies.py (Apache-2.0);
# what it does, written anew.
"""Read one order and the orders of a day, by the table resource."""

import boto3
from boto3.dynamodb.conditions import Key

table = boto3.resource("dynamodb").Table("orders")
print(table.table_status, table.item_count)
one = table.get_item(Key={"id": "o-1001"}, ConsistentRead=True)
print(one.get("Item", {}).get("state"))
start = None
while True:
    asked = {"IndexName": "by-day", "KeyConditionExpression": Key("day").eq("2026-11-30")}
    if start:
        asked["ExclusiveStartKey"] = start
    found = table.query(**asked)
    for order in found["Items"]:
        print(order["id"], order["total"])
    start = found.get("LastEvaluatedKey")
    if not start:
        break
