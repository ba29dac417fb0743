"""How the code is laid out: entries per floor, imports between them, and whether any goes up or in a circle.

    python scripts/structure.py            counts for today's tree
    python scripts/structure.py FOLDER     for another checkout, to compare

Every import counts: at a module's start, inside functions and for the type checker alone. What may import
what is said once, in ORDER; `tests/core/test_structure.py` holds the code to it. Standard library only.
"""

from __future__ import annotations

import ast
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

ORDER = {
    "tl_core": (
        ("base",),
        ("synthetic", "classroom", "data", "compute"),
        ("models",),
        ("evaluation",),
        ("training",),
        ("runs",),
        ("jobs", "inference"),
        ("serving", "export"),
        ("cli",),
    ),
    "tl_ui": (("stores",), ("frame",), ("widgets",), ("screens",), ("lesson",)),
}
"""The folders of each package, lowest first: a module imports its own folder and those below. Folders side
by side know nothing of each other. Modules beside the folders (`tl_core.predict`) are doors: nobody inside
goes through them, and they import what they like."""


def module_name(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def files_of(package: str, root: Path = ROOT) -> list[Path]:
    return sorted(p for p in (root / package).rglob("*.py") if "__pycache__" not in p.parts)


def imported_names(path: Path, nodes: Iterator[ast.AST], root: Path = ROOT) -> Iterator[str]:
    """Dotted names that `nodes` import; for `from a import b` both `a.b` and `a`, since b may be a module."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module_name(path, root).split(".")
                is_package = path.name == "__init__.py"
                package = package[: len(package) - node.level + (1 if is_package else 0)]
                base = ".".join([*package, base] if base else package)
            yield from (f"{base}.{alias.name}" for alias in node.names)
            yield base


def imports_of(path: Path, root: Path = ROOT) -> Iterator[str]:
    """Every import of a file, wherever it stands."""
    return imported_names(path, ast.walk(ast.parse(path.read_text(encoding="utf-8"))), root)


def graph(package: str, root: Path = ROOT) -> dict[str, set[str]]:
    """{module: modules of `package` that it imports}. A package's own __init__, which runs before its
    modules anyway, counts only where a name is taken from it that is no module."""
    modules = {module_name(path, root): path for path in files_of(package, root)}
    found: dict[str, set[str]] = {}
    for module, path in modules.items():
        targets = set()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            names = list(imported_names(path, iter([node]), root))
            if isinstance(node, ast.ImportFrom):
                names, base = names[:-1], names[-1]
                names = [name if name in modules else base for name in names]
            targets |= {name for name in names if name in modules}
        found[module] = targets - {module}
    return found


def circles(arrows: dict[str, set[str]]) -> list[list[str]]:
    """Groups of modules that import each other, by whatever way (Tarjan 1972, strongly connected)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        index[module] = low[module] = len(index)
        stack.append(module)
        for target in sorted(arrows.get(module, ())):
            if target not in index:
                visit(target)
                low[module] = min(low[module], low[target])
            elif target in stack:
                low[module] = min(low[module], index[target])
        if low[module] == index[module]:
            at = stack.index(module)
            group, stack[at:] = stack[at:], []
            if len(group) > 1:
                found.append(sorted(group))

    for module in sorted(arrows):
        if module not in index:
            visit(module)
    return found


def floors(package: str, root: Path = ROOT) -> dict[str, int]:
    """{folder: its modules and sub-folders with modules}, __init__ not counted."""
    counts: dict[str, set[str]] = defaultdict(set)
    for path in files_of(package, root):
        inside = path.relative_to(root).parts
        for depth in range(1, len(inside)):
            if inside[depth] != "__init__.py":
                counts["/".join(inside[:depth])].add(inside[depth])
    return {folder: len(entries) for folder, entries in counts.items()}


def wrong_ways(package: str, root: Path = ROOT) -> list[str]:
    """Imports that ORDER does not allow, in words."""
    rank = {name: row for row, names in enumerate(ORDER[package]) for name in names}
    found = []
    for module, targets in graph(package, root).items():
        here = [*module.split("."), ""][1]
        for target in sorted(targets - {package}):
            there = target.split(".")[1]
            if there not in rank:
                found.append(f"{module} imports {target}, which is a door or in no row of ORDER")
            elif here in rank and here != there and rank[there] >= rank[here]:
                found.append(f"{module} imports {target}, which does not lie below it")
    return found


def _print(root: Path) -> None:
    for package in ORDER:
        arrows = graph(package, root)
        lines = sum(len(p.read_text(encoding="utf-8").splitlines()) for p in files_of(package, root))
        num = sum(map(len, arrows.values()))
        crossing = {
            (a.split(".")[1], b.split(".")[1])
            for a, targets in arrows.items()
            for b in targets
            if a.count(".") and b.count(".") and a.split(".")[1] != b.split(".")[1]
        }
        print(f"{package}: {len(arrows)} modules, {lines} lines, {num} imports inside")
        print(f"  {floors(package, root)[package]} entries on the floor, {len(crossing)} arrows between them")
        print(f"  circles: {circles(arrows) or 'none'}")
        for folder, count in sorted(floors(package, root).items(), key=lambda one: -one[1])[:8]:
            print(f"  {count:3} entries in {folder}")


if __name__ == "__main__":
    _print(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT)
