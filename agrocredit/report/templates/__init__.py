"""The page's templates, style and script: files only. A package, so that the wheel carries them."""
