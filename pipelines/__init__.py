"""The flows: each takes values from one room to the next, on Dask where there is much to do."""
