"""From a method and a path to the declared route, in one pass over the segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agrocredit.service.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from agrocredit.service.route_table import Route

_NAMED = "{}"
_METHODS = "/"  # no segment holds this sign, so no caller can ask for it


class RouteIndex:
    """The table as a tree of segments; a literal segment goes before a named one.

    Parameters
    ----------
    routes : iterable of Route
        Each method and path once.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root: dict[str, Any] = {}
        for route in routes:
            node = self._root
            for segment in route.path.split("/")[1:]:
                node = node.setdefault(_NAMED if segment.startswith("{") else segment, {})
            node.setdefault(_METHODS, {})[route.method] = route

    def find(self, method: str, path: str) -> Route:
        """Return the route of a request.

        Parameters
        ----------
        method : str
            Upper case.
        path : str
            Decoded path.

        Raises
        ------
        Problem
            ``not_found`` or ``method_not_allowed``.
        """
        node: dict[str, Any] | None = self._root
        for segment in path.split("/")[1:]:
            if node is None:
                break
            node = node.get(segment) or (node.get(_NAMED) if segment else None)
        methods = node.get(_METHODS) if node else None
        if not methods:
            raise Problem("not_found", "nothing is here under this path")
        if method not in methods:
            allowed = ", ".join(sorted(methods))
            raise Problem(
                "method_not_allowed", f"method {method[:16]!r}, expected {allowed}", headers={"Allow": allowed}
            )
        route: Route = methods[method]
        return route
