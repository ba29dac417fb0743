"""The report: complete in itself, with the run's own numbers, in both languages."""

from __future__ import annotations

import base64
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
