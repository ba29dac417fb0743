"""The shape of the code: who may import whom, what is public, and what stays light."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts import structure
from tl_core.base import messages

ROOT = Path(__file__).resolve().parents[2]
SCREEN_LIBRARIES = {"streamlit", "plotly", "altair"}
HEAVY = {"torch", "torchvision", "timm", "albumentations", "sklearn", "matplotlib"}


def imports_at_start(path: Path) -> Iterator[str]:
    """What is loaded when the module is: not inside functions, not for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return structure.imported_names(path, at_start(tree.body))


def at_start(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported: not inside functions, not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        for block in ("body", "orelse", "finalbody"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield from at_start(getattr(node, block, []))


def test_core_knows_no_screen():
    forbidden = SCREEN_LIBRARIES | {"tl_ui", "pages", "streamlit_app", "tests", "benchmarks"}
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in structure.files_of("tl_core")
        for name in structure.imports_of(path)
        if name.split(".")[0] in forbidden
    ]
    assert offences == []


def test_shared_page_code_imports_no_page():
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in structure.files_of("tl_ui")
        for name in structure.imports_of(path)
        if name.split(".")[0] in {"pages", "streamlit_app", "tests", "benchmarks"}
    ]
    assert offences == []


def test_pages_import_no_other_page():
    pages = [*structure.files_of("pages"), ROOT / "streamlit_app.py"]
    offences = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in pages
        if path.exists()
        for name in structure.imports_of(path)
        if name.split(".")[0] in {"pages", "streamlit_app", "tests"}
    ]
    assert offences == []


@pytest.mark.parametrize("package", structure.ORDER)
def test_every_import_points_downwards(package):
    assert structure.wrong_ways(package) == []


@pytest.mark.parametrize("package", structure.ORDER)
def test_no_modules_import_each_other_by_whatever_way(package):
    assert structure.circles(structure.graph(package)) == []


def test_a_circle_and_a_wrong_way_would_be_found(tmp_path: Path):
    """Also where only the type checker, or a function, imports."""
    for name, lines in {
        "tl_core/base/low.py": "def f():\n    from tl_core.models import high",
        "tl_core/models/high.py": "if TYPE_CHECKING:\n    from tl_core.base.low import f",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(lines)
    assert structure.circles(structure.graph("tl_core", tmp_path)) == [
        ["tl_core.base.low", "tl_core.models.high"]
    ]
    assert structure.wrong_ways("tl_core", tmp_path) == [
        "tl_core.base.low imports tl_core.models.high, which does not lie below it"
    ]


def test_where_to_add_names_files_that_are_there():
    """The table of CONTRIBUTING, row by row; `<name>` stands for any."""
    table = (
        (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Where to add")[1].split("\n## ")[0]
    )
    rows = [line for line in table.splitlines() if line.startswith("|")][2:]
    assert len(rows) > 15
    for row in rows:
        named = [word for word in re.findall(r"`([^`\s]+)`", row) if "/" in word or word.endswith(".txt")]
        gone = [word for word in named if not any(ROOT.glob(re.sub("<[^>]+>", "*", word).rstrip("/")))]
        assert named and gone == [], row


def test_a_language_is_its_files_only():
    """Added by files alone: no code names one, but for the one that stands in where a language is missing."""
    naming = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for package in ("tl_core", "tl_ui", "pages")
        for path in structure.files_of(package)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and node.value in messages.LANGUAGES
    ]
    assert len(naming) == 1 and naming[0].startswith("tl_core/base/messages/__init__.py"), naming
    for folder in ("tl_ui/locales", "tl_ui/lesson/quiz/questions"):
        assert {path.stem for path in (ROOT / folder).iterdir()} == set(messages.LANGUAGES), folder


MOST_ENTRIES = 10
"""On one floor, except where pictures are drawn and at a package's own door, whose floor ORDER names."""
DOORS = {"tl_core/data": ("decisions", "decode")}
"""Not counted: old names that other programs call; what is behind them has its home elsewhere."""


def test_no_floor_is_crowded():
    crowded = {
        folder: count
        for package in structure.ORDER
        for folder, count in structure.floors(package).items()
        if folder != package and not folder.startswith("tl_core/synthetic")
        if count - len(DOORS.get(folder, ())) > MOST_ENTRIES
    }
    assert crowded == {}


def test_an_old_name_leads_to_what_has_moved():
    for folder, names in DOORS.items():
        for name in names:
            door = importlib.import_module(f"{folder.replace('/', '.')}.{name}")
            assert all(getattr(door, one).__module__ != door.__name__ for one in door.__all__)


def test_every_module_of_the_core_states_its_purpose():
    silent = [
        str(path.relative_to(ROOT))
        for path in structure.files_of("tl_core") + structure.files_of("tl_ui")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    ]
    assert silent == []


SHAPE = re.compile(r"(?:any|same) shape|\((?:[A-Z]|[hnw]|px|…|channels|\d+)(?:,[^()]*)?\)")


def test_who_takes_an_array_says_its_shape():
    """But what draws takes arrays of any one shape."""
    silent = [
        f"{where} {node.name}"
        for where, node in public_functions()
        if "/synthetic/" not in where and takes_an_array(node)
        if not SHAPE.search(ast.get_docstring(node) or "")
    ]
    assert silent == []


def test_who_raises_says_what():
    """But what only a family fills in, and what catches its own."""
    silent = [
        f"{where} {node.name}: {', '.join(sorted(raised))}"
        for where, node in public_functions()
        if (raised := raised_in(node) - {"NotImplementedError"}) and not is_raised_to_be_caught(node)
        if "raise" not in (ast.get_docstring(node) or "").lower()
    ]
    assert silent == []


def public_functions() -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """(file:line, function) of every public function and method of a public class, of both packages."""
    for path in structure.files_of("tl_core") + structure.files_of("tl_ui"):
        bodies = [ast.parse(path.read_text(encoding="utf-8")).body]
        for node in (one for body in bodies for one in body):
            is_public = not getattr(node, "name", "_").startswith("_")
            if isinstance(node, ast.ClassDef) and is_public:
                bodies.append(node.body)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_public:
                yield f"{path.relative_to(ROOT).as_posix()}:{node.lineno}", node


def raised_in(function: ast.AST) -> set[str]:
    """Names of what it raises itself, functions inside it left out."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Raise) and node.exc is not None:
            name = ast.unparse(node.exc.func if isinstance(node.exc, ast.Call) else node.exc)
            found |= {name} if name[:1].isupper() else set()
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            found |= raised_in(node)
    return found


def is_raised_to_be_caught(function: ast.AST) -> bool:
    """Whether it catches everything itself."""
    tries = [node for node in ast.walk(function) if isinstance(node, ast.Try)]
    caught = {ast.unparse(one.type) for node in tries for one in node.handlers if one.type}
    return "Exception" in caught


def takes_an_array(function: ast.FunctionDef) -> bool:
    kinds = [ast.unparse(arg.annotation) for arg in function.args.args if arg.annotation]
    return any({"np.ndarray", "torch.Tensor", "Tensor"} & set(kind.split(" | ")) for kind in kinds)


def names_in_the_documents() -> set[str]:
    """What README and docs tell a program to import from the package or its doors."""
    named: set[str] = set()
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]:
        for block in re.findall(r"```python\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL):
            for node in ast.walk(ast.parse(block)):
                if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tl_core":
                    named |= {alias.name for alias in node.names}
    return named


def test_what_the_package_offers_is_what_the_documents_name():
    import tl_core

    assert set(tl_core.__all__) == names_in_the_documents()
    assert [name for name in tl_core.__all__ if not hasattr(tl_core, name)] == []


def test_the_old_door_leads_to_the_same_things():
    import tl_core
    from tl_core import predict

    assert [name for name in predict.__all__ if getattr(predict, name) is not getattr(tl_core, name)] == []


def test_a_name_that_is_not_offered_is_an_attribute_error():
    import tl_core

    with pytest.raises(AttributeError, match="no_such_name"):
        tl_core.no_such_name  # noqa: B018


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
        "tl_core.runs.run_folder",
        "tl_core.data.folders",
        "tl_core.synthetic.formula",
        "tl_core.jobs.local",
        "tl_core.jobs.worker",
        "tl_core.cli.doctor",
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
    shared = [
        structure.module_name(path) for path in structure.files_of("tl_ui") if path.name != "__init__.py"
    ]
    imports = "\n".join(f"import {module}" for module in shared)
    assert shared, "tl_ui is empty"
    assert not heavy_modules_after(imports) & {"torch", "torchvision", "timm", "albumentations"}


def test_pages_import_no_torch_at_their_start():
    offences = [
        f"{path.name} imports {name}"
        for path in [*structure.files_of("pages"), ROOT / "streamlit_app.py"]
        for name in imports_at_start(path)
        if name.split(".")[0] in {"torch", "torchvision", "timm", "albumentations"}
    ]
    assert offences == []
