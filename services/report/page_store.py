"""Stores the pages, each with the receipts that it was made from, and whether its link was sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from botocore.config import Config

from analytics.report import single_file
from shared.lake import PLAYLISTS

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SIGNING: Final = Config(signature_version="s3v4", s3={"addressing_style": "virtual"}, retries={"mode": "standard"})
"""For a client whose links contain the bucket's region: others are redirected in a bucket's first hours, or refused.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html
"""

_FINGERPRINT: Final = "receipts"


def folder_of(monday: date) -> str:
    """Returns the prefix of all that is stored of the report of a week."""
    return f"{PLAYLISTS.prefix('reports')}week={monday}/"


@dataclass(frozen=True, slots=True)
class PageStore:
    """The stored page of a week.

    Attributes:
        s3: A client with `SIGNING`.
        bucket: The lake.
        monday: The first day of the week.
        service_version: Written to the metadata of each object.
    """

    s3: "S3Client"
    bucket: str
    monday: date
    service_version: str

    @property
    def page(self) -> str:
        """The key of the first page, which is written last."""
        return f"{self._folder}index.html"

    @property
    def note(self) -> str:
        """The key of the note that the page's link was sent."""
        return f"{self._folder}link-sent"

    def fingerprints(self) -> dict[str, str | None]:
        """Returns the fingerprints of page and note by key; a missing object is left out."""
        # Without the right to list the bucket, S3 answers 403 for a key that does not exist.
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Prefix=self._folder).get("Contents", ())
        keys = {each["Key"] for each in listed} & {self.page, self.note}
        heads = {key: self.s3.head_object(Bucket=self.bucket, Key=key) for key in keys}
        return {key: head["Metadata"].get(_FINGERPRINT) for key, head in heads.items()}

    def put_pages(self, pages: Mapping[str, str], fingerprint: str) -> None:
        """Writes the pages by name, in their order: the first page, which leads to the others, must be the last."""
        for name, html in pages.items():
            self._put(f"{self._folder}{name}", html, "text/html; charset=utf-8", fingerprint)

    def put_note(self, fingerprint: str) -> None:
        """Writes the note that the page's link was sent."""
        self._put(self.note, "The link to this page was sent.\n", "text/plain; charset=utf-8", fingerprint)

    def address(self, hours: int) -> str:
        """Returns a link to the file with all pages, valid for some hours, but no longer than current credentials."""
        key = f"{self._folder}{single_file(self.monday)}"
        return self.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=hours * 3600
        )

    @property
    def _folder(self) -> str:
        return folder_of(self.monday)

    def _put(self, key: str, text: str, content_type: str, fingerprint: str) -> None:
        self.s3.put_object(
            Bucket=self.bucket,
            Key=key,
            Body=text.encode(),
            ContentType=content_type,
            Metadata={_FINGERPRINT: fingerprint, "service-version": self.service_version},
        )
