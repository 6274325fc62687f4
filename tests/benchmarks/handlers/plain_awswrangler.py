"""A handler as public Spotify pipelines have it: awswrangler and json_normalize, no validation, logs or traces."""

import json
import os
from typing import Any

import awswrangler as wr
import boto3

from tests.benchmarks.contenders.wrangler import songs_of

s3 = boto3.client("s3")


def lambda_handler(event: dict[str, Any], context: object) -> None:
    """Write the songs of each raw object that the event announces."""
    for record in event["Records"]:
        for announced in json.loads(record["body"])["Records"]:
            key = announced["s3"]["object"]["key"]
            body = s3.get_object(Bucket=os.environ["S3_BUCKET"], Key=key)["Body"].read()
            _, _, day, playlist, _ = key.split("/")
            path = f"s3://{os.environ['S3_BUCKET']}/processed/spotify/songs/{day}/{playlist}.parquet"
            wr.s3.to_parquet(songs_of(json.loads(body)[0], day, playlist), path=path, index=False)
