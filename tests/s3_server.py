"""A small S3 server for tests, moto's, in this process on a port of its own; and the settings by which it is found."""

from collections.abc import Iterator
from contextlib import contextmanager

BUCKET = "lab"


@contextmanager
def running() -> Iterator[dict[str, str]]:
    """Yield the environment of whoever uses it, TRANSFER_LAB_RESULTS included."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    settings = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        import boto3

        client = boto3.client(
            "s3",
            endpoint_url=settings["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        )
        client.create_bucket(Bucket=BUCKET)
        yield settings | {"TRANSFER_LAB_RESULTS": f"s3://{BUCKET}/results"}
    finally:
        server.stop()
