"""One file a public yield data set: what its files look like, and how its columns become the canonical ones."""
