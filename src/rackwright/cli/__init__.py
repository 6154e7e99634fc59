"""The command line: read input, call one function, show the record that comes back.

Files in reading order:
    app.py       the verbs; a verb is a file of its name here, imported only when it is called
    errors.py    mistakes as lines on stderr, and the exit codes
    output.py    answers as text or as one JSON document; the command that comes next
    progress.py  what goes on, for anything over a second
    given.py     the study of a verb with its catalog and models
    tables.py    numbers and tables for a terminal
    init.py, check.py, run.py, ...  one verb each
"""

from rackwright.cli.app import command, main

__all__ = ["command", "main"]
