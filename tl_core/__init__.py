"""Transfer learning without a page: data, models, training, metrics, runs.

Importing this package is cheap: nothing heavy (torch, timm, OpenCV) is loaded
until a module that needs it is imported by name.
"""

import os

__version__ = "0.1.0"

# OpenMP reads this once, when torch is loaded. By default its threads spin while they wait for each
# other; with anything else busy on the machine a training step then took 6 times as long (2 cores).
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
