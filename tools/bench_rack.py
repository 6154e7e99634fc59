"""Time the physical half: all rules on one rack, and a rack and its row in every format.

    python tools/bench_rack.py

Prints times and asserts nothing.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from rackwright import catalog as catalogs
from rackwright.design.bom import bill_of
from rackwright.design.built import built_design
from rackwright.design.candidates import enumerate_candidates
from rackwright.design.cooling import Site
from rackwright.design.physical import as_built
from rackwright.design.rules import RULES
from rackwright.formats.exports import EXPORTS, Subject
from rackwright.load import load_study

STUDY = Path("examples/houston/study.toml")
RACK = "nvidia-gb300-nvl72"


def main() -> None:
    """Print the times."""
    components = catalogs.load()
    study = load_study(STUDY).study
    chosen = next(c for c in enumerate_candidates(study, components).all if c.rack.key == RACK)
    began = time.perf_counter()
    built = built_design(study, components, chosen.hardware.key)
    print(f"a {RACK} as built, rules included: {1e3 * (time.perf_counter() - began):.0f} ms")
    repeats = 20
    site = Site(supply_c=study.data_centers[0].coolant_supply_c)
    began = time.perf_counter()
    for _ in range(repeats):
        as_built(chosen.rack, components, site, study.redundancy)
    spent = 1e3 * (time.perf_counter() - began) / repeats
    print(f"again: {spent:.1f} ms for elevation, feed, loop on five units and {len(RULES)} rules")
    subject = Subject(rack=built, bill=bill_of(chosen, components))
    forms = {name: form for name, form in EXPORTS.items() if form.needs == "rack"}
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        for name, form in forms.items():
            form.write(subject, Path(folder) / f"{name}{form.ending}")
        spent = time.perf_counter() - began
    print(f"rack and row in {len(forms)} formats ({', '.join(forms)}): {spent:.1f} s")


if __name__ == "__main__":
    main()
