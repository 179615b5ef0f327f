# Origin: ours.
"""Instances with their volumes, by resources."""

import boto3

ec2 = boto3.resource("ec2", region_name="eu-west-1")
running = ec2.instances.filter(Filters=[{"Name": "tag:team", "Values": ["shop"]}])
for instance in running:
    print(instance.id, instance.instance_type, instance.state["Name"], instance.launch_time)
    for volume in instance.volumes.all():
        print("  ", volume.id, volume.size, volume.state, volume.encrypted)
        for attachment in volume.attachments:
            print("    ", attachment["Device"], attachment["State"])
image = ec2.Image("ami-0123456789abcdef0")
print(image.name, image.creation_date, image.state)
