"""An AWS account on a loopback port: moto, and what moto lacks; started by the tests as a process.

`python -I played_account.py FD` makes the account, writes one line of JSON (the ids that it gave),
and then answers on the listener FD as a plain-HTTP proxy in front of AWS would: requests name real
hosts. What ends in `-throttled` is throttled, and functions answer in an event stream.
"""

from __future__ import annotations

import binascii
import io
import json
import struct
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from socket import socket
from threading import Lock
from time import time
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.awsrequest import AWSPreparedRequest
from moto.core.botocore_stubber import BotocoreStubber

REGION = "eu-west-1"
LARGE = 20 * 1024 * 1024
STUB = BotocoreStubber()
STUB.enabled = True
ONE_AT_A_TIME = Lock()
TEMPLATE = {"Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t2"}}}}
DEFINITION = {"StartAt": "a", "States": {"a": {"Type": "Pass", "End": True}}}
TRUST = {"Version": "2012-10-17", "Statement": []}
CHUNKS = [b"first ", b"second ", b"x" * 5000]


def client(service: str) -> Any:
    """Return a client whose calls moto answers."""
    made = boto3.Session("AKIDSEED", "secret", region_name=REGION).client(service)
    made.meta.events.register("before-send", STUB)
    return made


# ------------------------------------------------------------------ what there is
def machines(ids: dict[str, str]) -> None:
    """Make what runs: machines, a load balancer, a group of machines."""
    ec2, balancers, groups = client("ec2"), client("elbv2"), client("autoscaling")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for _ in range(7):
        run = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, InstanceType="t3.micro")
    ids["machine"] = run["Instances"][0]["InstanceId"]
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"]]
    network = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    balancers.create_load_balancer(Name="shop", Subnets=subnets[:2])
    made = balancers.create_target_group(Name="shop", Protocol="HTTP", Port=80, VpcId=network)
    ids["targets"] = made["TargetGroups"][0]["TargetGroupArn"]
    groups.create_launch_configuration(
        LaunchConfigurationName="shop", ImageId=image, InstanceType="t3.micro"
    )
    groups.create_auto_scaling_group(
        AutoScalingGroupName="shop",
        LaunchConfigurationName="shop",
        MinSize=0,
        MaxSize=2,
        DesiredCapacity=1,
        VPCZoneIdentifier=subnets[0],
    )


def containers() -> None:
    """Make clusters, a service and its task definition, a repository."""
    ecs = client("ecs")
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web", containerDefinitions=[{"name": "web", "image": "web:1", "memory": 64}]
    )
    ecs.create_service(cluster="shop", serviceName="web", taskDefinition="web", desiredCount=1)
    role = "arn:aws:iam::123456789012:role/shop"
    client("eks").create_cluster(name="shop", roleArn=role, resourcesVpcConfig={})
    client("ecr").create_repository(repositoryName="web")


def watched() -> None:
    """Make logs, metrics, alarms, a trail and a rule."""
    logs, watch = client("logs"), client("cloudwatch")
    for number in range(5):
        logs.create_log_group(logGroupName=f"/shop/{number}")
    logs.create_log_stream(logGroupName="/shop/0", logStreamName="web")
    now = round(time() * 1000)
    events = [{"timestamp": now + each, "message": f"ERROR {each} é"} for each in range(5)]
    logs.put_log_events(logGroupName="/shop/0", logStreamName="web", logEvents=events)
    for number in range(3):
        watch.put_metric_alarm(
            AlarmName=f"p{number}",
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="Latency",
            Namespace="Shop",
            Period=60,
            Statistic="Average",
            Threshold=0.5,
        )
    watch.put_metric_data(Namespace="Shop", MetricData=[{"MetricName": "Latency", "Value": 0.7}])
    client("cloudtrail").create_trail(Name="all", S3BucketName="shop-logs")
    client("events").put_rule(Name="nightly", ScheduleExpression="rate(1 day)")


def stored(ids: dict[str, str]) -> None:
    """Make buckets with objects, tables, databases and caches."""
    s3, tables = client("s3"), client("dynamodb")
    for name in ("shop-logs", "shop-data"):
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    for number in range(5):
        s3.put_object(Bucket="shop-data", Key=f"a b/é+{number}", Body=f"{number}".encode())
    s3.put_object(Bucket="shop-data", Key="empty", Body=b"")
    s3.put_object(Bucket="shop-data", Key="large", Body=bytes(range(256)) * (LARGE // 256))
    tables.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for number in range(5):
        item = {"id": {"S": f"o{number}"}, "n": {"N": "1.5"}, "b": {"B": b"\x00\xff"}}
        tables.put_item(TableName="orders", Item=item)
    client("rds").create_db_instance(
        DBInstanceIdentifier="orders",
        DBInstanceClass="db.t3.micro",
        Engine="postgres",
        MasterUsername="u",
        MasterUserPassword="password",
        AllocatedStorage=20,
    )
    client("elasticache").create_cache_cluster(
        CacheClusterId="carts", Engine="redis", CacheNodeType="cache.t3.micro", NumCacheNodes=1
    )
    ids["key"] = client("kms").create_key(Description="orders")["KeyMetadata"]["KeyId"]


def others(ids: dict[str, str]) -> None:
    """Make all else: queues, topics, roles, secrets, stacks, zones, APIs, state machines."""
    ids["queue"] = client("sqs").create_queue(QueueName="orders")["QueueUrl"]
    ids["topic"] = client("sns").create_topic(Name="pages")["TopicArn"]
    for name in ("deploy", "on-call", "shop"):
        role = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    client("ssm").put_parameter(Name="/shop/mode", Value="open", Type="String")
    client("secretsmanager").create_secret(Name="shop", SecretString="hush")
    client("cloudformation").create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE))
    zone = client("route53").create_hosted_zone(Name="shop.example", CallerReference="1")
    ids["zone"] = zone["HostedZone"]["Id"].rpartition("/")[2]
    ids["api"] = client("apigateway").create_rest_api(name="shop")["id"]
    arn = role["Role"]["Arn"]
    ids["states"] = client("stepfunctions").create_state_machine(
        name="refund", definition=json.dumps(DEFINITION), roleArn=arn
    )["stateMachineArn"]
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("f.py", "")
    client("lambda").create_function(
        FunctionName="resize",
        Runtime="python3.12",
        Role=arn,
        Handler="f.f",
        Code={"ZipFile": packed.getvalue()},
    )
    client("kinesis").create_stream(StreamName="clicks", ShardCount=1)


# ------------------------------------------------------------------ what moto lacks
def message(headers: dict[str, str], payload: bytes) -> bytes:
    """Return one message of AWS's event streams."""
    named = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
        for name, text in headers.items()
    )
    prelude = struct.pack(">II", 16 + len(named) + len(payload), len(named))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + named + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


def events() -> list[bytes]:
    """Return the messages of a function that answers in pieces."""
    said = [({":event-type": "PayloadChunk"}, chunk) for chunk in CHUNKS]
    said.append(({":event-type": "InvokeComplete"}, b"{}"))
    return [message({":message-type": "event", **named}, payload) for named, payload in said]


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def answer(self) -> None:
        """Answer a request: scripted, or by moto."""
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        if b"-throttled" in body:
            said = b'{"__type": "ThrottlingException", "message": "Rate exceeded"}'
            named = {"x-amzn-errortype": "ThrottlingException", "retry-after": "7"}
            self.give(400, {**named, "content-type": "application/x-amz-json-1.1"}, said)
        elif urlsplit(self.path).path.endswith("/response-streaming-invocations"):
            self.stream()
        else:
            request = AWSPreparedRequest(
                self.command, self.path.replace("http:", "https:", 1), self.headers, body, False
            )
            with ONE_AT_A_TIME:
                answered = STUB.process_request(request)
            status, headers, content = answered or (501, {}, b"")
            said = content.encode() if isinstance(content, str) else content
            self.give(status, {name.lower(): str(text) for name, text in headers.items()}, said)

    def __getattr__(self, name: str) -> object:
        """Return what answers a method, whichever it is."""
        if name.startswith("do_"):
            return self.answer
        raise AttributeError(name)

    def give(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Send an answer whole."""
        self.send_response(status)
        named = {"content-length": str(len(body)), **headers} if self.command == "HEAD" else headers
        for name, text in named.items():
            if self.command == "HEAD" or name not in ("content-length", "transfer-encoding"):
                self.send_header(name, text)
        if self.command != "HEAD":
            self.send_header("content-length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def stream(self) -> None:
        """Send an event stream, a message at a time."""
        self.send_response(200)
        self.send_header("content-type", "application/vnd.amazon.eventstream")
        self.send_header("x-amz-executed-version", "$LATEST")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        for each in events():
            self.wfile.write(b"%x\r\n%b\r\n" % (len(each), each))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def main(descriptor: int) -> None:
    """Make the account, say so, answer until killed."""
    ids: dict[str, str] = {}
    stored(ids)
    machines(ids)
    others(ids)
    containers()
    watched()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = socket(fileno=descriptor)
    server.server_address = server.socket.getsockname()
    server.daemon_threads = True
    sys.stdout.write(json.dumps(ids) + "\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[3]))
    main(int(sys.argv[1]))
