"""Makes the sessions of core/recordings that ship with countersign.

The real program works on a question, and the sealed session that comes out is what ships. One is
the demo's incident in its simulated world. The other, checkout-503, has a recorded source: the AWS
answers below are invented, in the services' own wire forms, and put into a seed file; every other
event in it happened. Run it with `make recording`; names of sessions make only those.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from core.approval.modes import HUMAN_CEILING
from core.calls import AwsCalled
from core.canonical import sha256
from core.codec import write
from core.events import CallerIdentified, Event, SessionStarted
from core.journal.store import Journal
from core.simulator.world_file import find_world, read_world
from sandbox.job import Sha
from sandbox.limits import Limits

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "core" / "recordings" / "checkout-503.db"
WORLD = "shop-502"
QUESTION = "Why is checkout returning 503s?"
REGION, ACCOUNT = "eu-west-1", "123456789012"
STARTED_AT = 1_794_000_000_000  # 2026-11-06, in milliseconds
GROUP = "targetgroup/checkout/6d0ecf831eec9f09"
GROUP_ARN = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{GROUP}"
BALANCER = "app/shop/50dc6c495c0c9188"
FIRING = "Threshold Crossed: 3 out of the last 3 datapoints were greater than the threshold"


def alarm(name: str, metric: str, state: str, group: str | None) -> dict[str, object]:
    """Return one metric alarm in CloudWatch's JSON form."""
    dimensions = [{"Name": "LoadBalancer", "Value": BALANCER}]
    if group:
        dimensions.append({"Name": "TargetGroup", "Value": group})
    reason = FIRING if state == "ALARM" else "Threshold not crossed"
    return {
        "AlarmName": name,
        "AlarmArn": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{name}",
        "Namespace": "AWS/ApplicationELB",
        "MetricName": metric,
        "Dimensions": dimensions,
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": STARTED_AT // 1000 - 840,
    }


def alarms() -> bytes:
    """Return the answer to DescribeAlarms: two of five fire."""
    other = "targetgroup/search/0f3ad1f1c2b7e8aa"
    listed = [
        alarm("checkout-5xx", "HTTPCode_ELB_5XX_Count", "ALARM", GROUP),
        alarm("checkout-unhealthy-targets", "UnHealthyHostCount", "ALARM", GROUP),
        alarm("search-5xx", "HTTPCode_ELB_5XX_Count", "OK", other),
        alarm("search-unhealthy-targets", "UnHealthyHostCount", "OK", other),
        alarm("shop-requests-drop", "RequestCount", "OK", None),
    ]
    return json.dumps({"CompositeAlarms": [], "MetricAlarms": listed}).encode()


def query_answer(operation: str, inner: str) -> bytes:
    """Return an answer of the query protocol."""
    namespace = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
    return (
        f'<{operation}Response xmlns="{namespace}"><{operation}Result>{inner}</{operation}Result>'
        "<ResponseMetadata><RequestId>6d6c0b8e-0000-4000-8000-000000000001</RequestId>"
        f"</ResponseMetadata></{operation}Response>"
    ).encode()


def groups() -> bytes:
    """Return the answer to DescribeTargetGroups."""
    members = "".join(
        f"<member><TargetGroupArn>arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:{arn}"
        f"</TargetGroupArn><TargetGroupName>{name}</TargetGroupName><Protocol>HTTP</Protocol>"
        f"<Port>8080</Port><HealthCheckProtocol>HTTP</HealthCheckProtocol>"
        "<HealthCheckPath>/health</HealthCheckPath></member>"
        for name, arn in (("search", "targetgroup/search/0f3ad1f1c2b7e8aa"), ("checkout", GROUP))
    )
    return query_answer("DescribeTargetGroups", f"<TargetGroups>{members}</TargetGroups>")


def health() -> bytes:
    """Return the answer to DescribeTargetHealth: none of three targets answers."""
    members = "".join(
        f"<member><Target><Id>{target}</Id><Port>8080</Port></Target><HealthCheckPort>8080"
        "</HealthCheckPort><TargetHealth><State>unhealthy</State><Reason>Target.Timeout</Reason>"
        "<Description>Request timed out</Description></TargetHealth></member>"
        for target in ("i-0a1b2c3d4e5f60718", "i-0b2c3d4e5f6071829", "i-0c3d4e5f607182930")
    )
    inner = f"<TargetHealthDescriptions>{members}</TargetHealthDescriptions>"
    return query_answer("DescribeTargetHealth", inner)


def calls() -> list[tuple[AwsCalled, bytes]]:
    """Return every call that the seed can answer, with the answer's body."""
    json_type, xml_type = "application/x-amz-json-1.0", "text/xml"
    elb = "elasticloadbalancing"
    listed: list[tuple[str, str, dict[str, Any], bytes, str]] = [
        ("cloudwatch", "DescribeAlarms", {"AlarmTypes": ["MetricAlarm"]}, alarms(), json_type),
        ("elbv2", "DescribeTargetGroups", {}, groups(), xml_type),
        ("elbv2", "DescribeTargetHealth", {"TargetGroupArn": GROUP_ARN}, health(), xml_type),
    ]
    return [
        (
            AwsCalled(
                run="X1",
                number=number,
                service=service,
                operation=operation,
                region=REGION,
                parameters=parameters,
                verdict="allowed",
                reason="invented",
                action=f"{elb if service == 'elbv2' else service}:{operation}",
                tier=1,
                status=200,
                request_id=f"6d6c0b8e-0000-4000-8000-00000000000{number}",
                ms=40,
                response=sha256(body),
                headers={"content-type": content_type},
            ),
            body,
        )
        for number, (service, operation, parameters, body, content_type) in enumerate(listed, 1)
    ]


def make_seed(path: Path) -> None:
    """Write the file that the real session gets its AWS answers from."""
    role = f"arn:aws:sts::{ACCOUNT}:assumed-role/on-call-read-only/recorded"
    started = SessionStarted(
        session="seed",
        question=QUESTION,
        goal="ask",
        mode="guided",
        source="invented",
        regions=(),
        ceiling=HUMAN_CEILING,
        limits=Limits(),
        most_steps=1,
        most_ms=1,
        runtime=Sha("0" * 64),
        identity="nobody",
        version="0",
    )
    caller = CallerIdentified("aws", ACCOUNT, "shop-prod", role, (REGION,))
    journal = Journal.create(path, "seed")
    append(journal, started, caller)
    for event, body in calls():
        journal.keep(body)
        append(journal, event)
    journal.close()


def append(journal: Journal, *events: Event) -> None:
    """Append events at the recording's own time."""
    journal.append([(STARTED_AT, event.kind, write(event)) for event in events])


def record(question: str, source: str, shipped: Path, data: Path) -> int:
    """Have the program answer a question in automated mode, and ship the session; its exit code."""
    command = [sys.executable, "-m", "tui", "ask", question, "--aws", source]
    command += ["--mode", "automated", "--ui", "plain"]
    environment = {**os.environ, "COUNTERSIGN_DATA": str(data)}
    done = subprocess.run(command, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        return done.returncode
    made = max((data / "sessions").glob("*.db"), key=lambda path: path.stat().st_mtime_ns)
    shipped.unlink(missing_ok=True)
    shutil.copyfile(made, shipped)
    shipped.with_name(shipped.name + ".sha256").write_text(
        f"{sha256(shipped.read_bytes())}  {shipped.name}\n", encoding="utf-8"
    )
    print(f"made {shipped.relative_to(ROOT)}")
    return 0


def main(names: list[str]) -> int:
    """Make shipped sessions anew, all or those that are named."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        seed, data = folder / "seed.db", folder / "data"
        make_seed(seed)
        world = read_world(find_world(WORLD))
        sessions = {
            SHIPPED: (QUESTION, f"recorded:{seed}"),
            SHIPPED.with_name(f"{WORLD}.db"): (world.question, f"simulated:{WORLD}"),
        }
        wanted = [path for path in sessions if path.stem in (names or [path.stem])]
        return max(record(*sessions[path], path, data) for path in wanted)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
