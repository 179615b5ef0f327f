# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/lambda/lambda_basics.py (Apache-2.0);
# what it does, written anew.
"""The settings of a function, its versions and what feeds it."""

import boto3


class Functions:
    """The calls about functions."""

    def __init__(self, lambda_client):
        self.lambda_client = lambda_client

    def settings(self, name):
        return self.lambda_client.get_function_configuration(FunctionName=name)

    def versions(self, name):
        pages = self.lambda_client.get_paginator("list_versions_by_function").paginate(
            FunctionName=name
        )
        for page in pages:
            yield from page["Versions"]

    def sources(self, name):
        pages = self.lambda_client.get_paginator("list_event_source_mappings")
        return [
            mapping
            for page in pages.paginate(FunctionName=name)
            for mapping in page["EventSourceMappings"]
        ]


functions = Functions(boto3.client("lambda"))
settings = functions.settings("report")
print(settings["Timeout"], settings["MemorySize"], settings.get("LastUpdateStatus"))
print(settings.get("VpcConfig", {}).get("SubnetIds", []))
for version in functions.versions("report"):
    print(version["Version"], version["LastModified"])
for source in functions.sources("report"):
    print(source["EventSourceArn"], source["State"], source.get("BatchSize"))
