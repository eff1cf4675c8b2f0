"""S3 through obstore: endpoint, region and credentials from the environment, as every S3 tool takes them.

Credentials are used only for buckets the user named (``s3://bucket`` as source or allowed root). A bucket that only a
catalogue names is read without signature, so a stranger's catalogue cannot spend the lender's rights.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from agrocredit.domain.errors import RefusedError
from agrocredit.scenes.fetch import FetchLimits

if TYPE_CHECKING:
    from agrocredit.scenes.hrefs import Location

_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStoreFetcher:
    """Fetches one object."""

    limits: FetchLimits = field(default_factory=FetchLimits)

    def fetch(self, location: Location, target: BinaryIO) -> None:
        """Write all bytes of ``s3://bucket/key``.

        Raises
        ------
        RefusedError
            ``asset_unreadable`` where the object is absent, forbidden, too large or cut short.
        """
        parts = urlsplit(location.href)
        bucket, key = parts.netloc, location.href.split("/", 3)[3] if location.href.count("/") > 2 else ""
        if not key:
            raise RefusedError("asset_unreadable", f"{location.href} names no object")
        try:
            answer = obstore.get(self._store(bucket, named=location.named), key)
            size = answer.meta["size"]
            if size > self.limits.size_bytes_max:
                raise RefusedError("asset_unreadable", f"{location.href} has {size} bytes, more than we take")
            taken = sum(target.write(chunk) for chunk in answer.stream())
        except (BaseError, OSError) as error:
            why = str(error).partition("\n")[0]
            raise RefusedError("asset_unreadable", f"{location.href} could not be fetched: {why}") from error
        if taken != size:
            raise RefusedError("asset_unreadable", f"{location.href} ended after {taken} of {size} bytes")

    def _store(self, bucket: str, *, named: bool) -> S3Store:
        signed = named and any(os.environ.get(name) for name in _CREDENTIALS)
        endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
        region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or "us-east-1"
        return S3Store(
            bucket,
            region=region,
            endpoint=endpoint or f"https://s3.{region}.amazonaws.com",
            skip_signature=not signed,
            virtual_hosted_style_request=False,
            client_options={
                "connect_timeout": timedelta(seconds=self.limits.connect_timeout_s),
                "read_timeout": timedelta(seconds=self.limits.read_timeout_s),
                "timeout": timedelta(seconds=self.limits.deadline_s),
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
            },
            retry_config={
                "max_retries": self.limits.attempts_max - 1,
                "retry_timeout": timedelta(seconds=self.limits.deadline_s),
            },
        )
