"""Options that give the server's address to tools using Rust's object_store; keys are environment variable names."""

from workload import ACCESS_KEY_ID, BUCKET, ENDPOINT, HTTPS, PATH_STYLE, REGION, SECRET_ACCESS_KEY


def storage_options() -> dict[str, str]:
    scheme, _, host = ENDPOINT.partition("://")
    options = {
        "aws_access_key_id": ACCESS_KEY_ID,
        "aws_secret_access_key": SECRET_ACCESS_KEY,
        "aws_region": REGION,
        # With virtual hosting object_store wants the bucket in the endpoint.
        "aws_endpoint": ENDPOINT if PATH_STYLE else f"{scheme}://{BUCKET}.{host}",
    }
    if not PATH_STYLE:
        options["aws_virtual_hosted_style_request"] = "true"
    if not HTTPS:
        options["allow_http"] = "true"
    return options
