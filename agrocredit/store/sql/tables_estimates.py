"""What was seen of plots and what they are expected to bring, as flows published it."""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Double, Index, Integer, PrimaryKeyConstraint, Table, Text

from agrocredit.domain.estimate import QUANTILE_COLUMNS, EstimateStatus
from agrocredit.store.sql.columns import Instant, belongs_to, metadata, one_of, tenant_id

observations = Table(
    "observations",
    metadata,
    tenant_id(),
    Column("plot_id", Text, nullable=False),
    Column("acquired_at", Instant, nullable=False),
    Column("scene_id", Text, nullable=False),
    Column("valid_fraction", Double, nullable=False),
    Column("pixel_count", Double, nullable=False),
    Column("indices", Text, nullable=False),  # JSON: index name -> value or null
    PrimaryKeyConstraint("tenant_id", "plot_id", "acquired_at", "scene_id"),
    belongs_to("plots", "plot_id"),
)

estimates = Table(
    "estimates",
    metadata,
    tenant_id(),
    Column("plot_id", Text, nullable=False),
    Column("crop", Text, nullable=False),
    Column("harvest_year", Integer, nullable=False),
    Column("as_of", Date, nullable=False),
    Column("season", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    *(Column(name, Double) for name in QUANTILE_COLUMNS),
    Column("clear_observations", Integer, nullable=False),
    Column("release", Text, nullable=False),
    Column("evidence_sha256", Text, nullable=False),
    PrimaryKeyConstraint("tenant_id", "plot_id", "crop", "harvest_year", "as_of"),
    belongs_to("plots", "plot_id"),
    one_of("status", EstimateStatus),
    CheckConstraint("(status = 'abstained') = (reason IS NOT NULL)", name="abstained_with_reason"),
    Index("ix_estimates_newest", "tenant_id", "plot_id", "as_of"),
)
