"""OpenSM on a simulated InfiniBand network: an independent opinion on what is a fat tree."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

PROGRAMS = ("ibsim", "ibsim-run", "opensm")

needs_opensm = pytest.mark.skipif(
    any(shutil.which(name) is None and not Path(f"/usr/sbin/{name}").exists() for name in PROGRAMS),
    reason=f"needs {', '.join(PROGRAMS)} (Debian: opensm ibsim-utils infiniband-diags)",
)


def is_fat_tree(topology: str, folder: Path) -> bool:
    """Return whether OpenSM's fat-tree routing takes a topology as a fat tree.

    The simulator listens on a local socket of its own name and is ended before the answer.
    """
    file, log = folder / "fabric.topo", folder / "opensm.log"
    file.write_text(topology)
    log.unlink(missing_ok=True)
    path = os.environ["PATH"] + os.pathsep + "/usr/sbin"
    environment = {**os.environ, "IBSIM_SOCKNAME": f"rackwright-{os.getpid()}", "PATH": path}
    with (folder / "ibsim.log").open("w") as output:
        simulator = subprocess.Popen(
            ["ibsim", "-s", "-n", "-N", "20000", "-S", "2000", "-P", "200000", str(file)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        for _ in range(50):
            if "Network" in (folder / "ibsim.log").read_text() or simulator.poll() is not None:
                break
            time.sleep(0.1)
        time.sleep(0.5)
        subprocess.run(
            ["ibsim-run", "opensm", "-R", "ftree", "-o", "-f", str(log), "-D", "0x83"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=120,
            check=False,
        )
    finally:
        simulator.terminate()
        simulator.wait(timeout=10)
    said = log.read_text(errors="replace") if log.exists() else ""
    if "ftree tables configured on all switches" in said:
        return True
    if "Fabric topology is not a fat-tree" in said or "minhop tables configured" in said:
        return False
    raise AssertionError(f"OpenSM did not route at all: {said[-400:]}")
