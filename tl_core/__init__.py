"""Transfer learning without a page: data, models, training, metrics, runs.

Importing this package is cheap: nothing heavy (torch, timm, OpenCV) is loaded
until a module that needs it is imported by name.
"""

import os

__version__ = "0.1.0"

# GNU's OpenMP reads this once, when torch is loaded: how long a thread spins before it sleeps while it
# waits for the others. With its default, anything else busy on a machine of two cores made a training
# step 5 times slower than with this; on a quiet machine the two take the same time.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

# Else albumentations asks the network for its newest version whenever it is imported.
os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")
