"""Actions that are dangerous for what can be done with them, by class.

Which combinations let a script become somebody else, which actions open a resource to others, which
hand out credentials, which carry content away. After the lists of cloudsplaining (Salesforce,
BSD-3-Clause) and of "AWS IAM Privilege Escalation Methods" (Rhino Security Labs), written anew and
checked against AWS's Service Authorization Reference. Classes tell more than a tier: the tier of an
action says how bad it is alone, a class says what it is bad for.
"""

from __future__ import annotations

from collections.abc import Mapping

PASS_ROLE = "iam:PassRole"  # noqa: S105 - an action

ESCALATIONS: tuple[tuple[tuple[str, ...], str], ...] = tuple(
    (tuple(actions.split()), told)
    for actions, told in (
        (f"{PASS_ROLE} ec2:RunInstances", "starts an instance that acts as any role"),
        (f"{PASS_ROLE} lambda:CreateFunction", "makes a function that acts as any role"),
        (f"{PASS_ROLE} lambda:UpdateFunctionConfiguration", "gives a function another role"),
        (f"{PASS_ROLE} ecs:RegisterTaskDefinition", "starts a task that acts as any role"),
        (f"{PASS_ROLE} ecs:RunTask", "starts a task that acts as any role"),
        (f"{PASS_ROLE} cloudformation:CreateStack", "makes a stack that acts as any role"),
        (f"{PASS_ROLE} cloudformation:UpdateStack", "lets a stack act as any role"),
        (f"{PASS_ROLE} cloudformation:CreateChangeSet", "lets a stack act as any role"),
        (f"{PASS_ROLE} glue:CreateDevEndpoint", "makes an endpoint that acts as any role"),
        (f"{PASS_ROLE} glue:CreateJob", "makes a job that acts as any role"),
        (f"{PASS_ROLE} glue:UpdateJob", "gives a job another role"),
        (f"{PASS_ROLE} datapipeline:CreatePipeline", "makes a pipeline that acts as any role"),
        (f"{PASS_ROLE} codebuild:CreateProject", "makes a build that acts as any role"),
        (f"{PASS_ROLE} codebuild:UpdateProject", "gives a build another role"),
        (f"{PASS_ROLE} sagemaker:CreateNotebookInstance", "makes a notebook that acts as any role"),
        (f"{PASS_ROLE} sagemaker:CreateTrainingJob", "makes a job that acts as any role"),
        (f"{PASS_ROLE} sagemaker:CreateProcessingJob", "makes a job that acts as any role"),
        (f"{PASS_ROLE} states:CreateStateMachine", "makes a state machine that acts as any role"),
        (f"{PASS_ROLE} states:UpdateStateMachine", "gives a state machine another role"),
        (f"{PASS_ROLE} scheduler:CreateSchedule", "makes a schedule that acts as any role"),
        (f"{PASS_ROLE} ssm:StartAutomationExecution", "runs a document that acts as any role"),
        (f"{PASS_ROLE} apprunner:CreateService", "makes a service that acts as any role"),
        ("lambda:UpdateFunctionCode", "runs other code with the function's role"),
        ("ssm:SendCommand", "runs commands with the instance's role"),
        ("ssm:StartSession", "opens a shell with the instance's role"),
        ("ec2-instance-connect:SendSSHPublicKey", "signs in to an instance"),
        ("ec2:ModifyInstanceAttribute", "changes what an instance runs when it starts"),
        ("ecs:ExecuteCommand", "runs commands with the task's role"),
        ("glue:UpdateDevEndpoint", "signs in to an endpoint with its role"),
        ("sagemaker:CreatePresignedNotebookInstanceUrl", "signs in to a notebook with its role"),
        ("codebuild:StartBuildBatch", "runs other commands with the build's role"),
        ("codebuild:StartBuild", "runs other commands with the build's role"),
        ("cloudformation:SetStackPolicy", "lets a stack change what it must not"),
        ("iam:CreatePolicyVersion", "rewrites a policy"),
        ("iam:SetDefaultPolicyVersion", "takes up another version of a policy"),
        ("iam:AttachUserPolicy", "gives a user any policy"),
        ("iam:AttachGroupPolicy", "gives a group any policy"),
        ("iam:AttachRolePolicy", "gives a role any policy"),
        ("iam:PutUserPolicy", "gives a user any right"),
        ("iam:PutGroupPolicy", "gives a group any right"),
        ("iam:PutRolePolicy", "gives a role any right"),
        ("iam:AddUserToGroup", "puts a user into any group"),
        ("iam:UpdateAssumeRolePolicy", "lets anybody act as a role"),
        ("iam:CreateAccessKey", "makes keys of any user"),
        ("iam:CreateLoginProfile", "sets the password of any user"),
        ("iam:UpdateLoginProfile", "sets the password of any user"),
        ("iam:AddRoleToInstanceProfile", "gives instances another role"),
        ("iam:DeleteRolePermissionsBoundary", "takes the limit from a role"),
        ("iam:PutRolePermissionsBoundary", "moves the limit of a role"),
    )
)
"""Actions that together let a script get rights it was not given, each with what they do."""

EXPOSURES: Mapping[str, str] = {
    name: told
    for told, names in {
        "opens a bucket or its objects": """s3:PutBucketPolicy s3:PutBucketAcl s3:PutObjectAcl
            s3:DeleteBucketPolicy s3:PutBucketPublicAccessBlock s3:PutAccountPublicAccessBlock
            s3:PutAccessPointPolicy s3:PutBucketWebsite s3:PutReplicationConfiguration""",
        "lets others call a function": "lambda:AddPermission lambda:CreateFunctionUrlConfig",
        "lets others use a layer": "lambda:AddLayerVersionPermission",
        "lets others use a topic or queue": """sns:AddPermission sns:SetTopicAttributes
            sqs:AddPermission sqs:SetQueueAttributes""",
        "lets others use a key": "kms:PutKeyPolicy kms:CreateGrant",
        "lets others read a secret": "secretsmanager:PutResourcePolicy",
        "shares a copy of disks with others": """ec2:ModifySnapshotAttribute
            ec2:ModifyImageAttribute ec2:ModifyFpgaImageAttribute""",
        "shares a copy of a database with others": """rds:ModifyDBSnapshotAttribute
            rds:ModifyDBClusterSnapshotAttribute redshift:AuthorizeSnapshotAccess
            docdb-elastic:CopyClusterSnapshot""",
        "opens the network": """ec2:AuthorizeSecurityGroupIngress
            ec2:ModifySecurityGroupRules ec2:CreateNetworkAclEntry ec2:ReplaceNetworkAclEntry""",
        "shares with other accounts": "ram:CreateResourceShare ram:AssociateResourceShare",
        "lets others use what it holds": """ecr:SetRepositoryPolicy ecr:PutRegistryPolicy
            glacier:SetVaultAccessPolicy glue:PutResourcePolicy dynamodb:PutResourcePolicy
            backup:PutBackupVaultAccessPolicy events:PutPermission logs:PutResourcePolicy
            kinesis:PutResourcePolicy elasticfilesystem:PutFileSystemPolicy
            es:UpdateDomainConfig codeartifact:PutRepositoryPermissionsPolicy""",
    }.items()
    for name in names.split()
}
"""Actions that open something to others, each with what it opens."""

EXFILTRATIONS: Mapping[str, str] = {
    name: told
    for told, names in {
        "any object of any bucket": "s3:GetObject s3:GetObjectVersion",
        "any item of any table": """dynamodb:GetItem dynamodb:BatchGetItem dynamodb:Query
            dynamodb:Scan dynamodb:PartiQLSelect dynamodb:GetRecords
            dynamodb:ExportTableToPointInTime""",
        "any parameter": "ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath",
        "any secret": "secretsmanager:GetSecretValue secretsmanager:BatchGetSecretValue",
        "any message of any queue": "sqs:ReceiveMessage",
        "any record of any stream": "kinesis:GetRecords",
        "the code of any function": "lambda:GetFunction",
        "any image of any repository": "ecr:BatchGetImage ecr:GetDownloadUrlForLayer",
        "any repository": "codecommit:GitPull codecommit:GetFile",
        "the blocks of any disk": "ebs:GetSnapshotBlock",
    }.items()
    for name in names.split()
}
"""Actions that read content, each with what a script could carry away with it on every resource."""

CREDENTIALS: frozenset[str] = frozenset(
    """chime:CreateApiKey cognito-identity:GetCredentialsForIdentity cognito-identity:GetId
    cognito-identity:GetOpenIdToken cognito-identity:GetOpenIdTokenForDeveloperIdentity
    codeartifact:GetAuthorizationToken codepipeline:PollForJobs ec2:GetPasswordData
    ecr-public:GetAuthorizationToken ecr:GetAuthorizationToken gamelift:GetComputeAuthToken
    gamelift:RequestUploadCredentials iam:CreateAccessKey iam:CreateLoginProfile
    iam:CreateServiceSpecificCredential iam:ResetServiceSpecificCredential
    iam:UpdateAccessKey lightsail:DownloadDefaultKeyPair lightsail:GetInstanceAccessDetails
    lightsail:GetRelationalDatabaseMasterUserPassword rds-db:connect
    redshift:GetClusterCredentials redshift:GetClusterCredentialsWithIAM
    redshift-serverless:GetCredentials snowball:GetJobUnlockCode
    storagegateway:DescribeChapCredentials sts:AssumeRole sts:AssumeRoleWithSAML
    sts:AssumeRoleWithWebIdentity sts:AssumeRoot sts:GetFederationToken sts:GetSessionToken
    mediapackage:RotateChannelCredentials mediapackage:RotateIngestEndpointCredentials""".split()  # noqa: SIM905
)
"""Actions that return credentials."""
