"""The shape of the code: who may import whom, what is public, and what stays light."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("tl_core", "tl_ui", "pages", "benchmarks", "tests", "streamlit_app")

# Layers of tl_core, lowest first; a module may import its own layer and those below, never above.
# Whatever is not named here is a part (data, model, weights, metrics ...).
RECORDS = {"", "config", "events", "errors", "messages", "names", "paths"}
FLOWS = {"trainer", "crossval", "outcome", "workflow", "predict", "stages", "embeddings", "jobs", "doctor"}
FLOWS |= {"run_report"}
COMMANDS = {"cli", "__main__"}

SCREEN_LIBRARIES = {"streamlit", "plotly", "altair"}
HEAVY = {"torch", "torchvision", "timm", "albumentations", "sklearn", "matplotlib"}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_of(package: str) -> list[Path]:
    return sorted(p for p in (ROOT / package).rglob("*.py") if "__pycache__" not in p.parts)


def imports_of(path: Path, is_at_start_only: bool = False) -> Iterator[str]:
    """Dotted names that a file imports; for `from a import b` both `a` and `a.b`, since b may be a module.
    Imports for type checkers alone count for direction, but not as work done at the start."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = at_start(tree.body) if is_at_start_only else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_name(path).split(".")
                is_package = path.name == "__init__.py"
                package = package[: len(package) - node.level + (1 if is_package else 0)]
                base = ".".join([*package, base] if base else package)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def at_start(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not inside functions, not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from at_start(getattr(node, block, []))


def layer_of(module: str) -> int:
    name = [*module.split("."), ""][1]
    return 0 if name in RECORDS else 2 if name in FLOWS else 3 if name in COMMANDS else 1


def existing_module(name: str) -> str | None:
    """The module of tl_core that `name` is or lies in (`tl_core.errors.TlError` -> `tl_core.errors`)."""
    while name.startswith("tl_core"):
        path = ROOT.joinpath(*name.split("."))
        if path.with_suffix(".py").exists() or (path / "__init__.py").exists():
            return name
        name = name.rpartition(".")[0]
    return None


def test_core_knows_no_screen():
    forbidden = SCREEN_LIBRARIES | {"tl_ui", "pages", "streamlit_app", "tests", "benchmarks"}
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of("tl_core")
        for name in imports_of(path)
        if name.split(".")[0] in forbidden
    ]
    assert offences == []


def test_shared_page_code_imports_no_page():
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files_of("tl_ui")
        for name in imports_of(path)
        if name.split(".")[0] in {"pages", "streamlit_app", "tests", "benchmarks"}
    ]
    assert offences == []


def test_pages_import_no_other_page():
    pages = [*files_of("pages"), ROOT / "streamlit_app.py"]
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in pages
        if path.exists()
        for name in imports_of(path)
        if name.split(".")[0] in {"pages", "streamlit_app", "tests"}
    ]
    assert offences == []


def test_core_layers_point_downwards():
    offences = []
    for path in files_of("tl_core"):
        here = module_name(path)
        for name in imports_of(path):
            target = existing_module(name)
            if target and layer_of(target) > layer_of(here):
                offences.append(f"{here} imports {target}, which lies above it")
    assert offences == []


def test_core_has_no_import_circle():
    graph = {
        module_name(path): {
            target
            for name in imports_of(path, is_at_start_only=True)
            # a package's __init__ runs before its modules anyway: naming the package is no circle
            if (target := existing_module(name)) and not module_name(path).startswith(f"{target}.")
        }
        - {module_name(path)}
        for path in files_of("tl_core")
    }
    finished: set[str] = set()

    def walk(module: str, trail: list[str]) -> None:
        assert module not in trail, "circle: " + " -> ".join([*trail[trail.index(module) :], module])
        if module not in finished:
            for target in sorted(graph.get(module, ())):
                walk(target, [*trail, module])
            finished.add(module)

    for module in sorted(graph):
        walk(module, [])


def test_every_module_of_the_core_states_its_purpose():
    silent = [
        str(path.relative_to(ROOT))
        for path in files_of("tl_core") + files_of("tl_ui")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


# What later work and other programs may import; a name that goes missing breaks someone.
PUBLIC = {
    "tl_core.config": [
        "RunConfig",
        "StageConfig",
        "PRESETS",
        "STAGES",
        "preset",
        "read_toml",
        "default_positive",
    ],
    "tl_core.errors": ["TlError", "DataError", "WeightsError", "TrainingError", "RunError", "DeviceError"],
    "tl_core.events": ["Event", "RunStarted", "StageStarted", "EpochEnd", "NewBest", "LearningRateReduced"]
    + [
        "EarlyStopped",
        "StageEnded",
        "Evaluated",
        "WarningRaised",
        "RunEnded",
        "RunStopped",
        "RunFailed",
        "from_dict",
    ],
    "tl_core.messages": ["say", "catalogue", "LANGUAGES"],
    "tl_core.paths": ["cache_dir", "runs_dir", "datasets_dir", "class_dir"],
    "tl_core.data.decode": ["read_image", "resize_square", "EXTENSIONS"],
    "tl_core.data.folders": ["Picture", "Refused", "Dataset", "scan", "fingerprint"],
    "tl_core.data.archives": ["unpack_zip", "save_upload"],
    "tl_core.data.duplicates": ["near_duplicate_groups"],
    "tl_core.data.splitting": ["Split", "split_dataset", "LeakReport", "leaks"],
    "tl_core.data.augment": ["augmenter", "augment", "training_entries"],
    "tl_core.data.prepare": ["Prepared", "prepare"],
    "tl_core.data.samples": ["SAMPLES", "write_samples", "sample_cache"],
    "tl_core.formula": ["FAMILIES", "FormulaClass", "class_names", "classes", "draw", "draw_batch"],
    "tl_core.model": [
        "TransferModel",
        "EfficientNetClassifier",
        "TorchvisionClassifier",
        "build",
        "original",
    ],
    "tl_core.weights": ["Choice", "choose", "load_state", "class_names", "availability"],
    "tl_core.metrics": ["evaluate"],
    "tl_core.trainer": ["Trainer"],
    "tl_core.workflow": ["create_run", "execute"],
    "tl_core.predict": ["Predictor", "predict_files", "evaluate_folder"],
    "tl_core.decision": ["Decision", "read", "save"],
    "tl_core.stages": ["NAMES", "available", "load"],
    "tl_core.explain": ["gradcam", "enlarge"],
    "tl_core.threshold": ["AtThreshold", "at_threshold", "cheapest"],
    "tl_core.calibration": ["fit_temperature", "with_temperature", "reliability", "calibration_error"],
    "tl_core.runs": ["RunFolder", "create", "open_run", "list_runs", "find"],
    "tl_core.jobs.local": ["launch", "request_stop", "state", "queue_position"],
    "tl_core.jobs.worker": ["main", "foreground"],
    "tl_core.device": ["pick_device", "pick_precision", "free_memory_bytes", "describe"],
    "tl_core.plots": ["write_plots"],
    "tl_core.data.decisions": ["Decision", "FILE", "decided", "in_force", "decide", "undo", "undo_all"],
    "tl_core.data.quality": ["Flag", "flags"],
    "tl_core.label_check": ["pooled_features", "unseen_probabilities", "issues", "flags"],
    "tl_core.compare": ["Paired", "pair", "differing_settings", "mcnemar", "paired_interval"],
    "tl_core.run_report": ["render", "config_toml", "command"],
    "tl_core.cli": ["main"],
}


@pytest.mark.parametrize("module", PUBLIC)
def test_public_names_are_there(module):
    found = importlib.import_module(module)
    missing = [name for name in PUBLIC[module] if not hasattr(found, name)]
    assert missing == []


def test_every_listed_all_name_resolves():
    import tl_core

    for info in pkgutil.walk_packages(tl_core.__path__, "tl_core."):
        if info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        missing = [name for name in getattr(module, "__all__", []) if not hasattr(module, name)]
        assert missing == [], info.name


def heavy_modules_after(code: str) -> set[str]:
    """Which of HEAVY are loaded in a fresh interpreter once `code` has run."""
    probe = f"import sys\n{code}\nprint('LOADED', *sorted(set(sys.modules) & {HEAVY!r}))"
    done = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rsplit("LOADED", 1)[1].split())


@pytest.mark.parametrize(
    "module",
    [
        "tl_core",
        "tl_core.runs",
        "tl_core.data.folders",
        "tl_core.formula",
        "tl_core.jobs.local",
        "tl_core.jobs.worker",
        "tl_core.doctor",
    ],
)
def test_light_module_loads_nothing_heavy(module):
    assert heavy_modules_after(f"import {module}") == set()


def test_help_loads_nothing_heavy():
    code = "import contextlib, io\nfrom tl_core.cli import main\n"
    code += "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
    code += "    main(['--help'])"
    assert heavy_modules_after(code) == set()


def test_web_server_starts_without_torch():
    """Torch in the server's process makes every other person's page slower (seen: twice)."""
    shared = [module_name(path) for path in files_of("tl_ui") if path.name != "__init__.py"]
    imports = "\n".join(f"import {module}" for module in shared)
    assert shared, "tl_ui is empty"
    assert not heavy_modules_after(imports) & {"torch", "torchvision", "timm", "albumentations"}


def test_pages_import_no_torch_at_their_start():
    offences = [
        f"{path.name} imports {name}"
        for path in [*files_of("pages"), ROOT / "streamlit_app.py"]
        for name in imports_of(path, is_at_start_only=True)
        if name.split(".")[0] in {"torch", "torchvision", "timm", "albumentations"}
    ]
    assert offences == []
