"""Sourced components as data: one TOML file each; the folder is the list.

In: a component's kind and its name or alias. Out: its record from `records`.

Reading order: `kinds.py` (what there is), `load.py` (find by name), `toml_file.py`,
`component_file.py` and `plausible.py` (a file to a record, or why not); `fields.py`, `find.py`,
`diff.py` (look for and compare); `read_config.py` with its `config_*.py` (a published model's
configuration file to a `ModelShape`, as `architectures/` says), `published_counts.py`; then the
folders: one per kind.
"""

from rackwright.catalog.kinds import KINDS
from rackwright.catalog.load import Catalog, load
from rackwright.catalog.read_config import read_model_config

__all__ = ["KINDS", "Catalog", "load", "read_model_config"]
