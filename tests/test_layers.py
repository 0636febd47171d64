"""Who may know whom: the layers of the C++ core and of the package, read from their sources."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = [ROOT / "cpp/include", ROOT / "cpp/src"]
BINDINGS = ROOT / "cpp/bindings"
PACKAGE = ROOT / "python/anygram"

# base <- storage <- suffix <- shard <- scan <- query <- index <- bindings: what each may include besides itself.
BELOW: dict[str, set[str]] = {
    "base": set(),
    "storage": {"base"},
    "suffix": {"base", "storage"},
    "shard": {"base", "storage", "suffix"},
    "scan": {"base", "storage", "suffix", "shard"},
    "query": {"base", "storage", "suffix", "shard", "scan"},
    "index": {"base", "storage", "suffix", "shard", "scan", "query"},
}

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
PYTHON_HEADERS = re.compile(r"^(Python\.h|pybind11/|numpy/|nanobind/)")
PRINTING_HEADERS = {"iostream", "print", "syncstream"}
# Comments and literals are taken out first; snprintf and at_exit are other words.
NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.DOTALL)
PRINTING = re.compile(
    r"\b(?:std::(?:cout|cerr|clog|print|println)\b|(?:v?f?printf|puts|fputs|putchar|perror)\s*\("
    r"|(?:exit|_exit|_Exit|quick_exit|abort|terminate)\s*\()"
)

CALLERS_OF_CORE = {
    "build.py",
    "convert.py",
    "foreign_files.py",
    "gram_finder.py",
    "index.py",
    "infini_gram_index.py",
    "kept_counts.py",
    "opening.py",
    "text_scans.py",
    "tokengrams_index.py",
    "verify.py",
}


def cpp_files(*folders: Path) -> list[Path]:
    return sorted(path for folder in folders for path in folder.rglob("*") if path.suffix in {".hpp", ".cpp"})


def python_files() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def layer(path: Path) -> str:
    """cpp/src/suffix/sort.cpp -> suffix; cpp/include/anygram/index.hpp -> index."""
    parts = path.relative_to(ROOT / "cpp").parts
    inside = parts[2:] if parts[:2] == ("include", "anygram") else parts[1:]
    return Path(inside[0]).stem


def includes(path: Path) -> Iterator[tuple[str, Path | None]]:
    """Each included name, and the file it is if it is one of ours."""
    for angled, quoted in INCLUDE.findall(path.read_text(encoding="utf-8")):
        if quoted and (path.parent / quoted).exists():
            yield quoted, (path.parent / quoted).resolve()
        elif (angled or quoted).startswith("anygram/"):
            yield angled or quoted, ROOT / "cpp/include" / (angled or quoted)
        else:
            yield angled or quoted, None


@pytest.mark.parametrize("path", cpp_files(*CORE), ids=name)
def test_the_core_includes_downwards_only(path: Path) -> None:
    own = layer(path)
    assert own in BELOW, f"{name(path)} is in no known layer"
    for included, file in includes(path):
        if file is not None:
            assert layer(file) in BELOW[own] | {own}, f"{name(path)} includes {included}"


@pytest.mark.parametrize("path", cpp_files(*CORE), ids=name)
def test_the_core_does_not_know_who_calls_it(path: Path) -> None:
    for included, _ in includes(path):
        assert not PYTHON_HEADERS.match(included), f"{name(path)} includes {included}"
        assert included not in PRINTING_HEADERS, f"{name(path)} includes {included}"
    found = PRINTING.search(NOISE.sub(" ", path.read_text(encoding="utf-8")))
    assert not found, f"{name(path)} says {found[0]}"


def test_the_layers_of_the_package() -> None:
    pytest.importorskip("importlinter")
    program = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(node: ast.AST) -> Iterator[str]:
    """The full names that a module imports when it runs, anywhere in it."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        yield from (f"{node.module}.{alias.name}" for alias in node.names)
    elif not is_for_types_only(node):
        for child in ast.iter_child_nodes(node):
            yield from imported(child)


@pytest.mark.parametrize("path", python_files(), ids=name)
def test_only_the_index_and_its_builder_call_the_compiled_module(path: Path) -> None:
    if path.parent == PACKAGE and path.name in CALLERS_OF_CORE:
        return
    for module in imported(ast.parse(path.read_text(encoding="utf-8"))):
        assert not (module + ".").startswith("anygram._core."), f"{name(path)} imports {module}"


def test_importing_anygram_loads_numpy_alone() -> None:
    """Everything else that is not in the standard library waits until it is asked for."""
    program = "import numpy, sys; before = set(sys.modules); import anygram; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True)
    packages = {module.partition(".")[0] for module in done.stdout.split()}
    assert packages - set(sys.stdlib_module_names) <= {"anygram", "numpy"}
