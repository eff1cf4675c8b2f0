"""S3 through obstore: endpoint, region and credentials from the environment, as every S3 tool takes them.

Only buckets that the user named are asked (``s3://bucket`` as source or allowed root), so a stranger's catalogue cannot
spend the lender's rights.
"""

from __future__ import annotations

import os
import re
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

_TOOK = re.compile(r" in [\d.]+\w?s\b")
"""How long a try took: equal runs would not leave equal manifests."""
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
            answer = obstore.get(self._store(bucket), key)
            size = answer.meta["size"]
            if size > self.limits.size_bytes_max:
                raise RefusedError("asset_unreadable", f"{location.href} has {size} bytes, more than we take")
            taken = sum(target.write(chunk) for chunk in answer.stream())
        except (BaseError, OSError) as error:
            why = _TOOK.sub("", str(error).partition("\n")[0])
            raise RefusedError("asset_unreadable", f"{location.href} could not be fetched: {why}") from error
        if taken != size:
            raise RefusedError("asset_unreadable", f"{location.href} ended after {taken} of {size} bytes")

    def _store(self, bucket: str) -> S3Store:
        signed = any(os.environ.get(name) for name in _CREDENTIALS)
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
