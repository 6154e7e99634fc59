"""Rackwright: co-design of AI data-center hardware, from a study to a decision."""

__version__ = "0.1.0"
