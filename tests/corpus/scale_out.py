# Origin: ours.
"""Give a group more room, and wait until the new machine runs."""

import boto3

GROUP = "shop-web"
autoscaling = boto3.client("autoscaling")
ec2 = boto3.client("ec2")
before = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
wanted = before["AutoScalingGroups"][0]["DesiredCapacity"] + 1
autoscaling.set_desired_capacity(
    AutoScalingGroupName=GROUP, DesiredCapacity=wanted, HonorCooldown=False
)
after = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])
identities = [each["InstanceId"] for each in after["AutoScalingGroups"][0]["Instances"]]
ec2.get_waiter("instance_running").wait(
    InstanceIds=identities, WaiterConfig={"Delay": 15, "MaxAttempts": 20}
)
print(identities)
