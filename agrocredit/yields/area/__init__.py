"""Yields of areas: counties, districts, cells of a grid, one row a unit and harvest year.

Where `agrocredit.yields` reads one plot's curves, this reads what a whole area's season was like: sums and means of
weather and indices by month, as differences from the area's own normals, beside what its earlier harvests let one
expect. Method and figures: ``docs/method/yield.md``.
"""
