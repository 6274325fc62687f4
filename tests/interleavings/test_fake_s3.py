"""The fake S3 answers as moto does, call for call."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.integration.cloud import BUCKET, SESSION
from tests.interleavings.fake_s3 import FakeS3, StoredObject

pytestmark = pytest.mark.slow

KEYS = ("raw", "processed")
BODIES = (b"one", b"two")
ETAGS = [StoredObject(body).etag for body in BODIES]

calls = st.one_of(
    st.tuples(st.sampled_from(["get_object", "head_object"]), st.fixed_dictionaries({"Key": st.sampled_from(KEYS)})),
    st.tuples(
        st.just("delete_object"),
        st.fixed_dictionaries({"Key": st.sampled_from(KEYS)}, optional={"IfMatch": st.sampled_from(ETAGS)}),
    ),
    st.tuples(
        st.just("put_object"),
        st.builds(
            lambda told, condition: told | condition,
            st.fixed_dictionaries(
                {
                    "Key": st.sampled_from(KEYS),
                    "Body": st.sampled_from(BODIES),
                    "Metadata": st.sampled_from([{}, {"raw-version": "1"}, {"raw-version": "2", "run-id": ""}]),
                }
            ),
            st.sampled_from([{}, {"IfNoneMatch": "*"}, *({"IfMatch": etag} for etag in ETAGS)]),
        ),
    ),
)


class Observer:
    """Tells answers in what the lake looks at, and versions by the order in which they were met."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._versions: dict[str, int] = {}

    def answers(self, method: str, told: dict[str, Any]) -> Any:
        try:
            got = getattr(self._client, method)(Bucket=BUCKET, **told)
        except ClientError as fault:
            return fault.response["Error"]["Code"]
        if method in {"put_object", "delete_object"}:
            return got.get("ETag")
        version = self._versions.setdefault(got["VersionId"], len(self._versions))
        body = got["Body"].read() if "Body" in got else None
        return got["ETag"], got["Metadata"], got["ContentLength"], version, body


@pytest.fixture
def moto() -> Iterator[Any]:
    with mock_aws():
        s3 = SESSION.client("s3")
        s3.create_bucket(Bucket=BUCKET)
        s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield s3


@given(history=st.lists(calls, min_size=5, max_size=40))
@settings(max_examples=60, suppress_health_check=list(HealthCheck))
def test_the_fake_answers_as_moto_does(moto: Any, history: list[tuple[str, dict[str, Any]]]) -> None:
    # given an empty bucket of either
    for key in KEYS:
        moto.delete_object(Bucket=BUCKET, Key=key)
    fake, real = Observer(FakeS3()), Observer(moto)

    # when the same calls are made, then the answers are the same
    for method, told in history:
        assert fake.answers(method, told) == real.answers(method, told), (method, told)
