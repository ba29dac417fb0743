"""NumPy archives: how the reading of one fails."""

import zipfile

UNREADABLE = (OSError, ValueError, KeyError, EOFError, IndexError, zipfile.BadZipFile)
"""What `numpy.load` and asking for an array raise on a file that is gone, cut off or something else."""
