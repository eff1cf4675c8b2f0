"""Plots, who farms them, and which seasons of them are pledged for a loan.

The shape stands as WKB in both databases; PostgreSQL derives a PostGIS geometry and its index from it. The box columns
are the index of SQLite, and the first sieve everywhere.
"""

from __future__ import annotations

from sqlalchemy import CheckConstraint, Column, Date, Double, Index, LargeBinary, PrimaryKeyConstraint, Table, Text

from agrocredit.store.sql.columns import Instant, belongs_to, metadata, one_of, row_id, tenant_id

plots = Table(
    "plots",
    metadata,
    tenant_id(),
    row_id(),
    Column("farmer_id", Text),  # who drew it; who farms it is a holding
    Column("wkb", LargeBinary, nullable=False),  # longitude and latitude, EPSG:4326
    Column("geometry_sha256", Text, nullable=False),
    Column("west", Double, nullable=False),
    Column("south", Double, nullable=False),
    Column("east", Double, nullable=False),
    Column("north", Double, nullable=False),
    Column("area_m2", Double, nullable=False),
    Column("perimeter_m", Double, nullable=False),
    Column("declared_area_m2", Double),
    Column("crop", Text),
    Column("season", Text),
    Column("region_id", Text),
    Column("determination", Text, nullable=False, server_default="drawn"),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("farmers", "farmer_id"),
    one_of("determination", ("drawn", "walked", "imported")),
    CheckConstraint("west <= east AND south <= north", name="box_ordered"),
    CheckConstraint("area_m2 > 0", name="area_positive"),
    Index("ix_plots_box", "west", "south"),
    Index("ix_plots_region", "tenant_id", "region_id"),
    Index("ix_plots_farmer", "tenant_id", "farmer_id"),
)

holdings = Table(
    "holdings",
    metadata,
    tenant_id(),
    Column("farmer_id", Text, nullable=False),
    Column("plot_id", Text, nullable=False),
    Column("season", Text, nullable=False),
    Column("tenure_share", Double, nullable=False),
    Column("grade", Text, nullable=False, server_default="C"),
    Column("documented_area_m2", Double),
    PrimaryKeyConstraint("tenant_id", "farmer_id", "plot_id", "season"),
    belongs_to("farmers", "farmer_id"),
    belongs_to("plots", "plot_id"),
    CheckConstraint("tenure_share > 0 AND tenure_share <= 1", name="share_of_one"),
    one_of("grade", "ABC"),
)

pledges = Table(
    "pledges",
    metadata,
    tenant_id(),
    row_id(),
    Column("plot_id", Text, nullable=False),
    Column("farmer_id", Text, nullable=False),
    Column("season", Text, nullable=False),
    Column("valid_from_on", Date, nullable=False),
    Column("valid_until_on", Date, nullable=False),  # first day it no longer holds
    Column("share", Double, nullable=False),
    Column("released_at", Instant),
    PrimaryKeyConstraint("tenant_id", "id"),
    belongs_to("plots", "plot_id"),
    belongs_to("farmers", "farmer_id"),
    CheckConstraint("valid_until_on > valid_from_on", name="period_ordered"),
    CheckConstraint("share > 0 AND share <= 1", name="share_of_one"),
    Index("ix_pledges_plot", "tenant_id", "plot_id"),
)
