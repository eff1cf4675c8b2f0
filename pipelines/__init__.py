"""The flows: each takes values from one room to the next, on threads or a Dask cluster where there is much to do."""
