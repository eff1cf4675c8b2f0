"""What may be seen on a field that a payment waits for."""

from __future__ import annotations

from enum import StrEnum


class FieldEvent(StrEnum):
    """A step of the season that pictures show."""

    PLOUGHED = "ploughed"
    """The soil is bare and turned."""
    EMERGED = "emerged"
    """The crop covers enough of the soil to be seen."""
