"""Every test runs apart from the person's own files: cache, runs and weights go to temporary
folders, no network is asked, and no screen is opened. The browser's fixtures are in `browser.py`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

NO_SERVER = "http://127.0.0.1:9"  # nothing listens there: "unreachable", at once
_folder = tempfile.TemporaryDirectory(prefix="headswap-tests-", ignore_cleanup_errors=True)
SANDBOX = Path(_folder.name)

# Set before anything of ours (or timm, or the hub's client) is imported: some of it reads them only then.
ISOLATION = {
    "HEADSWAP_CACHE": str(SANDBOX / "cache"),
    "HEADSWAP_RUNS": str(SANDBOX / "runs"),
    "HEADSWAP_STATE": str(SANDBOX / "state"),
    "HF_HOME": str(SANDBOX / "hf"),
    "HF_ENDPOINT": NO_SERVER,
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TORCH_HOME": str(SANDBOX / "torch"),
    "NO_ALBUMENTATIONS_UPDATE": "1",
    "MPLBACKEND": "Agg",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
os.environ.update(ISOLATION)
for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "TRANSFORMERS_OFFLINE", "HUGGINGFACE_HUB_CACHE"):
    os.environ.pop(name, None)

pytest_plugins = ["tests.browser"]


def pytest_addoption(parser: pytest.Parser) -> None:
    says = "the number format that the processor counts as fastest in (default: fp32)"
    parser.addoption("--precision", choices=("fp32", "bf16"), default="fp32", help=says)


@pytest.fixture(scope="session", autouse=True)
def probed(request: pytest.FixtureRequest) -> str:
    """The format that runs take by themselves here. The answer of the measurement lies in the cache from
    the beginning: what a processor is fastest in, or was busy with just then, decides no test."""
    from tl_core.compute import cpu_probe

    form = str(request.config.getoption("precision"))
    cpu_probe._remember({"frozen": form, "tail": form, "depthwise": {"fp32": "library", "bf16": "split"}}, {})
    return form


@pytest.fixture(autouse=True)
def own_runs_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A runs folder per test; the cache is shared, so that a practice set is drawn once."""
    folder = tmp_path_factory.mktemp("runs")
    monkeypatch.setenv("HEADSWAP_RUNS", str(folder))
    return folder
