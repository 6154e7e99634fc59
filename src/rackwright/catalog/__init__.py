"""Sourced components as data: one TOML file each; the folder is the list.

In: a component's kind and its name or alias. Out: its record from `records.component`.

Reading order: `load.py` (find and check files), `read_config.py` (a published model's
configuration file to a `ModelShape`), then the folders: one per kind.
"""

from rackwright.catalog.kinds import KINDS
from rackwright.catalog.load import Catalog, load
from rackwright.catalog.read_config import read_model_config

__all__ = ["KINDS", "Catalog", "load", "read_model_config"]
