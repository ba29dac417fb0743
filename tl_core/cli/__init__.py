"""The command line: what it accepts, what it does, what it prints and how it exits.

| exit | means |
|---|---|
| 0 | done |
| 1 | a fault of the program, with a traceback; a problem that `doctor` found; an export that fell short |
| 2 | a mistake of the person: one line on standard error |
| 130 | interrupted; a run can be resumed |
"""

from tl_core.cli.main import main

__all__ = ["main"]
