"""Settings of buckets: tags, ownership controls, ACLs; what cannot be honoured is refused."""

from harness import bucket, case, equal, refused, s3


@case
def tags_of_a_bucket():
    name = bucket()
    with refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=name)
    tags = [{"Key": "team", "Value": "süd + nord"}, {"Key": "empty", "Value": ""}]
    put = s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
    equal(put["ResponseMetadata"]["HTTPStatusCode"], 204, "status of the put")
    stored = s3.get_bucket_tagging(Bucket=name)["TagSet"]
    equal(sorted(stored, key=lambda tag: tag["Key"]), sorted(tags, key=lambda tag: tag["Key"]), "tags")
    deleted = s3.delete_bucket_tagging(Bucket=name)
    equal(deleted["ResponseMetadata"]["HTTPStatusCode"], 204, "status of the delete")
    with refused(404, "NoSuchTagSet"):
        s3.get_bucket_tagging(Bucket=name)


@case
def tags_that_break_the_rules():
    name = bucket()
    for tags in (
        [{"Key": "a", "Value": "1"}, {"Key": "a", "Value": "2"}],
        [{"Key": f"t{number}", "Value": "v"} for number in range(51)],
        [{"Key": "k" * 129, "Value": "v"}],
        [{"Key": "k", "Value": "v" * 257}],
    ):
        with refused(400, "InvalidTag", "BadRequest"):
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})


@case
def ownership_controls():
    name = bucket()
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket=name, OwnershipControls=controls)
    equal(s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"], controls, "controls")
    s3.delete_bucket_ownership_controls(Bucket=name)
    with refused(404, "OwnershipControlsNotFoundError"):
        s3.get_bucket_ownership_controls(Bucket=name)


@case
def what_cannot_be_honoured_is_refused():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    for call, arguments in (
        (s3.list_bucket_analytics_configurations, {}),
        (s3.list_bucket_inventory_configurations, {}),
        (s3.list_bucket_metrics_configurations, {}),
        (s3.list_bucket_intelligent_tiering_configurations, {}),
        (s3.get_object_torrent, {"Key": "k"}),
        (s3.restore_object, {"Key": "k", "RestoreRequest": {"Days": 1}}),
    ):
        with refused(501, "NotImplemented"):
            call(Bucket=name, **arguments)


@case
def headers_that_cannot_be_honoured_are_refused():
    name = bucket()
    for options in (
        {"StorageClass": "GLACIER"},
        {"ServerSideEncryption": "aws:kms"},
        {"ObjectLockLegalHoldStatus": "ON"},
    ):
        with refused(501, "NotImplemented"):
            s3.put_object(Bucket=name, Key="k", Body=b"x", **options)
    for options in ({"GrantRead": "id=abc"}, {"ACL": "public-read"}):
        with refused(400, "AccessControlListNotSupported"):
            s3.put_object(Bucket=name, Key="k", Body=b"x", **options)
    s3.put_object(Bucket=name, Key="k", Body=b"x", StorageClass="STANDARD", ACL="private")


@case
def acls_say_that_all_is_the_owners():
    name = bucket()
    s3.put_object(Bucket=name, Key="k", Body=b"x")
    owner = s3.list_buckets()["Owner"]
    grant = {"Grantee": {**owner, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}
    for of, get, put in (
        ({"Bucket": name}, s3.get_bucket_acl, s3.put_bucket_acl),
        ({"Bucket": name, "Key": "k"}, s3.get_object_acl, s3.put_object_acl),
    ):
        shown = get(**of)
        equal((shown["Owner"], shown["Grants"]), (owner, [grant]), "ACL")
        put(**of, ACL="private")
        put(**of, AccessControlPolicy={"Owner": shown["Owner"], "Grants": shown["Grants"]})
        others = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}
        wider = {"Owner": owner, "Grants": [grant, {"Grantee": others, "Permission": "READ"}]}
        for given in ({"ACL": "public-read"}, {"GrantRead": f"id={owner['ID']}"}, {"AccessControlPolicy": wider}):
            with refused(400, "AccessControlListNotSupported"):
                put(**of, **given)
        with refused(400, "MissingSecurityHeader"):
            put(**of)
        equal(get(**of)["Grants"], [grant], "ACL afterwards")
    s3.put_object_acl(Bucket=name, Key="k", ACL="bucket-owner-full-control")
    with refused(404, "NoSuchKey"):
        s3.get_object_acl(Bucket=name, Key="missing")
    with refused(404, "NoSuchKey"):
        s3.put_object_acl(Bucket=name, Key="missing", ACL="private")


@case
def settings_that_there_are_not_yet():
    name = bucket()
    for get, code in (
        (s3.get_bucket_lifecycle_configuration, "NoSuchLifecycleConfiguration"),
        (s3.get_bucket_encryption, "ServerSideEncryptionConfigurationNotFoundError"),
        (s3.get_object_lock_configuration, "ObjectLockConfigurationNotFoundError"),
        (s3.get_bucket_policy, "NoSuchBucketPolicy"),
        (s3.get_bucket_policy_status, "NoSuchBucketPolicy"),
        (s3.get_bucket_website, "NoSuchWebsiteConfiguration"),
        (s3.get_bucket_replication, "ReplicationConfigurationNotFoundError"),
    ):
        with refused(404, code):
            get(Bucket=name)
        with refused(404, "NoSuchBucket"):
            get(Bucket="a-bucket-that-is-not-there")
    for get in (
        s3.get_bucket_logging,
        s3.get_bucket_notification_configuration,
        s3.get_bucket_accelerate_configuration,
    ):
        equal(set(get(Bucket=name)), {"ResponseMetadata"}, get.__name__)
    equal(s3.get_bucket_request_payment(Bucket=name)["Payer"], "BucketOwner", "payer")
    blocked = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    equal((len(blocked), set(blocked.values())), (4, {True}), "public access")
    with refused(501, "NotImplemented"):
        s3.put_bucket_request_payment(Bucket=name, RequestPaymentConfiguration={"Payer": "Requester"})
    with refused(501, "NotImplemented"):
        s3.delete_bucket_policy(Bucket=name)
