# Origin: ours.
"""Set a service back to the revision before, and wait until it is stable."""

import boto3

ecs = boto3.client("ecs", region_name="eu-west-1")
updated = ecs.update_service(
    cluster="shop", service="checkout", taskDefinition="checkout:6", forceNewDeployment=True
)
print(updated["service"]["deployments"][0]["rolloutState"])
ecs.get_waiter("services_stable").wait(cluster="shop", services=["checkout"])
