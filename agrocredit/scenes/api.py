"""Searching a STAC API with pystac-client, every request going through our own checked https."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

from agrocredit.domain.errors import InputUnusableError, RefusedError
from agrocredit.scenes.walk import Found

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from agrocredit.scenes.hrefs import Access

ITEMS_MAX = 200_000


def search(
    url: str,
    *,
    collection: str,
    start: date,
    end: date,
    bounds_deg: tuple[float, float, float, float] | None,
    access: Access,
    items_max: int = ITEMS_MAX,
) -> Found:
    """Return the items an API has of a collection between two dates, in its order.

    Parameters
    ----------
    url : str
        Landing page of the API.
    collection : str
        Collection id.
    start, end : date
        Half-open; the API is asked for whole days up to `end`, the caller keeps what it wants.
    bounds_deg : tuple, optional
        West, south, east, north.
    access : Access
        Where its links may lead.
    items_max : int
        No more are taken.

    Raises
    ------
    InputUnusableError
        ``source_missing`` where the API cannot be asked, ``catalog_not_stac`` where it is none, ``catalog_too_large``.
    RefusedError
        ``href_not_allowed`` where a link of it may not be asked.
    """
    from pystac_client import Client
    from pystac_client.exceptions import APIError

    try:
        client = Client.open(url, stac_io=_checked_io(access))
        found = client.search(
            collections=[collection], datetime=f"{start}/{end}", bbox=bounds_deg, max_items=items_max + 1
        )
        items = list(found.items_as_dicts())
    except RefusedError as error:
        if error.code == "href_not_allowed":
            raise
        raise InputUnusableError("source_missing", error.detail) from error
    except (APIError, NotImplementedError, ValueError, KeyError, TypeError) as error:
        why = " ".join(str(error).split())[:160]
        raise InputUnusableError("catalog_not_stac", f"{url} cannot be searched as a STAC API: {why}") from error
    except Exception as error:  # pystac's own family: STACError, STACTypeError
        if type(error).__module__.partition(".")[0] not in {"pystac", "pystac_client"}:
            raise
        raise InputUnusableError("catalog_not_stac", f"{url} is not a STAC API: {error}") from error
    if len(items) > items_max:
        raise InputUnusableError("catalog_too_large", f"{url} has more than {items_max} items of {collection}")
    return Found([(item, _self_href(item) or url) for item in items])


def _self_href(item: Mapping[str, Any]) -> str | None:
    links = [link for link in item.get("links", []) if isinstance(link, dict) and link.get("rel") == "self"]
    href = links[0].get("href") if links else None
    return href if isinstance(href, str) and urlsplit(href).scheme in {"https", "http"} else None


def _checked_io(access: Access) -> Any:  # noqa: ANN401 - a class of a library that is imported only here
    from pystac_client.stac_api_io import StacApiIO

    class CheckedIO(StacApiIO):  # type: ignore[misc,unused-ignore]
        """Sends pystac-client's requests through `HttpsFetcher`."""

        def request(
            self,
            href: str,
            method: str | None = None,
            headers: dict[str, str] | None = None,
            parameters: dict[str, Any] | None = None,
        ) -> str:
            """Return the text a request answers with."""
            return _request(href, method or "GET", headers, parameters, access)

    return CheckedIO()


def _request(
    href: str, method: str, headers: Mapping[str, str] | None, parameters: Mapping[str, Any] | None, access: Access
) -> str:
    from agrocredit.scenes.https import HttpsFetcher  # httpx is slow to import, and most runs ask no API

    body = None
    if method.upper() == "POST":
        body = json.dumps(parameters or {}).encode()
        headers = {**(headers or {}), "content-type": "application/json"}
    elif parameters:
        href += ("&" if urlsplit(href).query else "?") + urlencode(parameters)
    target = io.BytesIO()
    HttpsFetcher(access=access).send(href, target, method=method.upper(), headers=headers, body=body)
    return target.getvalue().decode("utf-8")
