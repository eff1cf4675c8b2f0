"""agrocredit: from satellite scenes to a loan limit that can be defended."""

__version__ = "0.1.0"
