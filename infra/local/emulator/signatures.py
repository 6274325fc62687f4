"""AWS Signature Version 4, and Version 2 for presigned addresses of S3, as AWS checks them.

The canonical forms are botocore's own code; what a request claims (its key, its time) is taken apart by ministack's.
Sources:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, TypeAlias
from urllib.parse import SplitResult, parse_qs, parse_qsl

from botocore.auth import UNSIGNED_PAYLOAD, HmacV1QueryAuth, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest, HTTPHeaders
from botocore.credentials import Credentials
from ministack.core.sigv4 import (
    SIGNATURE_MISMATCH,
    HeaderSignature,
    parse_header_signature,
    parse_query_signature,
    request_time_failure,
)

CredentialsOf: TypeAlias = Callable[[str, str], Credentials]
"""The credentials of an access key id and its session token; raises SignatureError if they were never issued."""

_ALGORITHM: Final = "AWS4-HMAC-SHA256"
_STREAMED: Final = "STREAMING-"
_LONGEST_LIFE: Final = timedelta(days=7)
_CLOCK_SKEW: Final = timedelta(minutes=15)


class SignatureError(Exception):
    """A request is not signed as it must be; `code` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class SignedRequest:
    """A request as it was sent.

    Attributes:
        method: In capital letters.
        path: With its escapes, without the query.
        query_string: Without the question mark.
        headers: Name and value of each line.
        body: Before anything is decoded.
    """

    method: str
    path: str
    query_string: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @cached_property
    def query(self) -> dict[str, list[str]]:
        """The values of each parameter."""
        return parse_qs(self.query_string, keep_blank_values=True)

    @cached_property
    def fields(self) -> dict[str, str]:
        """The headers by their names in small letters; values of several lines are joined by commas."""
        joined: dict[str, str] = {}
        for name, value in self.headers:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        return joined


def verify(request: SignedRequest, credentials_of: CredentialsOf, now: datetime | None = None) -> str:
    """Returns the access key id that signed the request.

    Raises:
        SignatureError: It is unsigned, signed twice, by an unknown key, at another time, wrongly, or its body is not
            the one that was signed.
    """
    now = now or datetime.now(UTC)
    query_signed = [name for name in request.query if name.lower() in {"x-amz-credential", "awsaccesskeyid"}]
    if "authorization" in request.fields:
        if query_signed:
            raise SignatureError("AccessDenied", "Only one way of signing is allowed: the header, or the query.")
        return _verify_header(request, credentials_of, now)
    match query_signed:
        case ["X-Amz-Credential"]:
            return _verify_query(request, credentials_of, now)
        case ["AWSAccessKeyId"]:
            return _verify_version_2(request, credentials_of, now)
    raise SignatureError("MissingAuthenticationToken", "Request is missing Authentication Token")


def _verify_header(request: SignedRequest, credentials_of: CredentialsOf, now: datetime) -> str:
    if not request.fields["authorization"].startswith(f"{_ALGORITHM} "):
        raise SignatureError("UnsupportedSignature", f"The local cloud takes signatures of {_ALGORITHM} alone.")
    signature = _parsed(parse_header_signature(request.fields))
    _moment(signature)
    if late := request_time_failure(signature, now=now):
        raise SignatureError(*late)
    credentials = credentials_of(signature.access_key_id, request.fields.get("x-amz-security-token", ""))
    body_hash = sha256(request.body).hexdigest()
    claimed = request.fields.get("x-amz-content-sha256", body_hash)
    _require_signature(request, signature, credentials, claimed)
    # S3 alone takes bodies that the signature does not cover; whoever sent them it proves all the same.
    if signature.service == "s3" and (claimed == UNSIGNED_PAYLOAD or claimed.startswith(_STREAMED)):
        return str(signature.access_key_id)
    if claimed != body_hash:
        raise SignatureError(
            "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed."
        )
    return str(signature.access_key_id)


def _verify_query(request: SignedRequest, credentials_of: CredentialsOf, now: datetime) -> str:
    if request.query.get("X-Amz-Algorithm") != [_ALGORITHM]:
        raise SignatureError("UnsupportedSignature", f"The local cloud takes signatures of {_ALGORITHM} alone.")
    signature = _parsed(parse_query_signature(request.query))
    signed_at = _moment(signature)
    seconds = request.query.get("X-Amz-Expires", [""])[0]
    if not (seconds.isascii() and seconds.isdigit() and int(seconds) <= _LONGEST_LIFE.total_seconds()):
        raise SignatureError("IncompleteSignature", "X-Amz-Expires must be a number of seconds, a week at most.")
    if not signed_at - _CLOCK_SKEW <= now <= signed_at + timedelta(seconds=int(seconds)):
        raise SignatureError("RequestExpired", "Request has expired")
    credentials = credentials_of(signature.access_key_id, request.query.get("X-Amz-Security-Token", [""])[0])
    unsigned = signature.service == "s3"
    _require_signature(
        request, signature, credentials, UNSIGNED_PAYLOAD if unsigned else sha256(request.body).hexdigest()
    )
    return str(signature.access_key_id)


def _verify_version_2(request: SignedRequest, credentials_of: CredentialsOf, now: datetime) -> str:
    """Boto3 signs so where neither its user nor the region asks for Version 4."""
    query = {name: values[0] for name, values in request.query.items()}
    expires = query.get("Expires", "")
    if not (expires.isascii() and expires.isdigit() and now.timestamp() <= int(expires)):
        raise SignatureError("RequestExpired", "Request has expired")
    key = query["AWSAccessKeyId"]
    credentials = credentials_of(key, query.get("x-amz-security-token", ""))
    headers: Any = HTTPHeaders.from_dict(
        {name: value for name, value in request.fields.items() if name.startswith(("x-amz-", "content-"))}
        | {name: value for name, value in query.items() if name.startswith("x-amz-")}
    )
    address = SplitResult("", "", request.path, request.query_string, "")
    expected = _SignerUntil(credentials, expires).get_signature(request.method, address, headers)
    _require_equal(expected, query.get("Signature", ""))
    return key


class _SignerUntil(HmacV1QueryAuth):
    """Signs what ends at the moment that the client signed, and not at one of its own."""

    def __init__(self, credentials: Credentials, expires: str) -> None:
        super().__init__(credentials)
        self._until = expires

    def _get_date(self) -> str:
        return self._until


def _require_signature(
    request: SignedRequest, claimed: HeaderSignature, credentials: Credentials, payload_hash: str
) -> None:
    names = set(claimed.signed_headers.split(";"))
    unsigned = {name for name in request.fields if name == "host" or name.startswith("x-amz-")} - names
    if unsigned:
        raise SignatureError("AccessDenied", f"There were headers present which were not signed: {sorted(unsigned)}.")
    if claimed.date_stamp != claimed.amz_date[:8]:
        raise SignatureError("SignatureDoesNotMatch", "The date of the credential is another than the request's.")
    make: Any = S3SigV4Auth if claimed.service == "s3" else SigV4Auth
    signer = make(credentials, claimed.service, claimed.region)
    headers = HTTPHeaders()
    for name, value in request.headers:
        if name.lower() in names:
            headers.add_header(name.lower(), value)
    parameters: Any = [
        pair for pair in parse_qsl(request.query_string, keep_blank_values=True) if pair[0] != "X-Amz-Signature"
    ]
    canonical = "\n".join(
        (
            request.method,
            signer._normalize_url_path(request.path),  # noqa: SLF001 - what is done to it differs by service
            signer.canonical_query_string(AWSRequest(url="", params=parameters)),
            signer.canonical_headers(headers) + "\n",
            signer.signed_headers(headers),
            payload_hash,
        )
    )
    moment = AWSRequest()
    moment.context["timestamp"] = claimed.amz_date
    _require_equal(signer.signature(signer.string_to_sign(moment, canonical), moment), claimed.signature)


def _require_equal(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode()):
        raise SignatureError("SignatureDoesNotMatch", SIGNATURE_MISMATCH)


def _parsed(found: HeaderSignature | tuple[str, str]) -> HeaderSignature:
    if isinstance(found, tuple):
        raise SignatureError(*found)
    return found


def _moment(signature: HeaderSignature) -> datetime:
    try:
        return datetime.strptime(signature.amz_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise SignatureError("IncompleteSignature", f"Invalid date: '{signature.amz_date}'.") from None
