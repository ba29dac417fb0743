"""Transfer learning without a page: data, models, training, metrics, runs.

Importing this package is cheap: nothing heavy (torch, timm, OpenCV) is loaded
until a module that needs it is imported by name.
"""

__version__ = "0.1.0"
