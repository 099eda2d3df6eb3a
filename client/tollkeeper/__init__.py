"""The contract and the light client of Tollkeeper."""

__version__ = "0.1.0"
