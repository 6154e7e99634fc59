"""Published reference designs: from what goes in to the counts that must come out.

A design of the format gives inputs (`given`) and prints counts (`expect*`). Each printed count is
computed anew from the inputs, the catalog and the fabric counts of `kernels.fabric`; it is never
read from the design itself.

Reading order: `names.py` (what the key of a count asks for), `facts.py` (inputs, what holds how
many of what), `quantities.py` and its neighbours `nets.py` (networks as counts),
`fabrics.py`, `topologies.py`, `machines.py` (how each count comes about), and
`validate/fabric.py`, which compares.
"""
