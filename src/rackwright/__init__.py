"""Rackwright: co-design of AI data-center hardware, from a study to a decision."""
