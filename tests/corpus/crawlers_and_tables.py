# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/glue/glue_wrapper.py (Apache-2.0);
# what it does, written anew.
"""Why the nightly job failed: its runs, and the crawler in front of it."""

import boto3

glue = boto3.client("glue")
crawler = glue.get_crawler(Name="orders")["Crawler"]
print(crawler["State"], crawler.get("LastCrawl", {}).get("ErrorMessage"))
runs = [
    run
    for page in glue.get_paginator("get_job_runs").paginate(JobName="nightly")
    for run in page["JobRuns"]
]
for run in [each for each in runs if each["JobRunState"] in ("FAILED", "TIMEOUT")]:
    print(run["Id"], run["StartedOn"], run.get("ErrorMessage", ""))
for page in glue.get_paginator("get_tables").paginate(DatabaseName="orders"):
    for table in page["TableList"]:
        print(table["Name"], len(table["StorageDescriptor"]["Columns"]))
