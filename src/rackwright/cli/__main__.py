"""`python -m rackwright.cli`: the command without its script."""

from __future__ import annotations

from rackwright.cli.app import command

if __name__ == "__main__":
    command()
