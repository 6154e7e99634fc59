"""Records to and from files.

In come files that people write, out go records; or records go out as files and come back.

Files in reading order:
    border.py      a TOML, JSON or JSON-lines file becomes a record, or all its mistakes are told
    places.py      where each value of a file stands, for messages that cite it
    toml_lines.py  the line of every key of a TOML or JSON text
    fields.py      what a record type allows at a key path
    tables.py      lists that live in a CSV or Excel file beside the study
    mistakes.py    pydantic's errors, retold for the person at the keyboard
    atomic.py      a file is there whole or not at all
    stored.py      a record as JSON with its arrays as Parquet, and back
    exports.py     the formats of `rackwright export`: one entry each
    laid.py        a fabric as files want it; cable_schedule.py, ibnetdiscover.py, infragraph.py,
                   netbox_fabric.py, scale_up.py write it
    wiring_folder.py  a planned cluster with its cables and parts, as others publish it
    run_folder.py  a run as a folder, put in place whole or kept aside to be resumed
"""
