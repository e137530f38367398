"""Measure the tests: change the code in one place, and see whether a test fails.

    python -m tests.mutation cover                          # once: which test executes which line, and how long it takes
    python -m tests.mutation run --sample 300 --seed 1      # a random sample of all mutants, and its survivors
    python -m tests.mutation show PATH NUMBER               # one mutant, as a difference

`run` gives each mutant the tests that execute the changed line: first the quickest of the nearest test files, then all the
others, until one fails or the time for a mutant is over. A mutant that no test executes survives.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from queue import SimpleQueue

from tests.mutation.mutants import Mutant, mutants_of, mutated

_ROOT = Path(__file__).resolve().parents[2]
_SOURCE = _ROOT / "src" / "aiocos"
_PACKAGES = ("net", "auth", "transfer", "groups", "wire")
# Tests that are tried first, and the seconds that all of them may take.
_FIRST = 40
_FIRST_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one mutant."""

    mutant: Mutant
    killed_by: str | None
    """The first test that failed, or `timeout`; None for a survivor."""
    tests: int
    """The number of tests that execute the changed line."""
    seconds: float


class Coverage:
    """The tests that execute each line, with their durations."""

    def __init__(self, directory: Path) -> None:
        from coverage import CoverageData

        self._data = CoverageData(str(directory / "coverage"))
        self._data.read()
        self.seconds: dict[str, float] = json.loads((directory / "outcomes.json").read_text())["seconds"]
        # The data may be of another checkout of the same source.
        self._files = {file.rpartition("/src/aiocos/")[2]: file for file in self._data.measured_files()}
        self._lines: dict[str, dict[int, list[str]]] = {}

    def of(self, path: str, lines: Iterable[int]) -> set[str]:
        """Return the tests that execute one of some lines of a module; for lines of its import, all tests of the module."""
        if path not in self._lines:
            self._lines[path] = self._data.contexts_by_lineno(self._files.get(path, ""))
        contexts = {context for line in lines for context in self._lines[path].get(line, [])}
        if contexts == {""}:
            contexts = {context for some in self._lines[path].values() for context in some}
        return {test for context in contexts if (test := context.split("|")[0]) in self.seconds}


def cover(directory: Path, tests: list[str]) -> None:
    """Run the suite, or some of its tests, once under coverage, and keep which test executed which line."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "coverage").unlink(missing_ok=True)
    (directory / "rc").write_text(f"[run]\ndata_file = {directory / 'coverage'}\nsource = {_SOURCE}\ncore = ctrace\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.plugin", "-p", "no:cacheprovider"]
    command += [f"--cov={_SOURCE}", f"--cov-config={directory / 'rc'}", "--cov-context=test", "--cov-report="]
    command += [*tests, "-o", "filterwarnings=default"]  # the tracer is slow: what is late is no failure here
    done = subprocess.run(command, cwd=_ROOT, env={**os.environ, "AIOCOS_MUTATION_OUTCOMES": str(directory / "outcomes.json")})
    if done.returncode not in (0, 1):
        raise SystemExit(done.returncode)


def sample(packages: Iterable[str], number: int, seed: int) -> list[Mutant]:
    """Return a random sample of the mutants of some packages, or all of them where there are fewer."""
    files = (file for package in packages for file in sorted((_SOURCE / package).rglob("*.py")))
    every = [mutant for file in files for mutant in mutants_of(_SOURCE, str(file.relative_to(_SOURCE)))]
    return sorted(random.Random(seed).sample(every, min(number, len(every))))


def _statement_lines(mutant: Mutant) -> list[int]:
    """Return the lines of the innermost statement of a mutant: coverage counts a statement by its first line."""
    tree = ast.parse((_SOURCE / mutant.path).read_text(encoding="utf-8"))
    around = [
        node for node in ast.walk(tree) if isinstance(node, ast.stmt) and node.lineno <= mutant.line <= (node.end_lineno or 0)
    ]
    innermost = max(around, key=lambda node: node.lineno)
    return sorted({innermost.lineno, mutant.line})


class Worker:
    """A copy of the source in which one mutant at a time is tried."""

    def __init__(self, coverage: Coverage, limit: float) -> None:
        self._coverage = coverage
        self._limit = limit
        self._home = Path(tempfile.mkdtemp(prefix="aiocos-mutation-"))
        shutil.copytree(_SOURCE, self._home / "src" / "aiocos", ignore=shutil.ignore_patterns("__pycache__"))
        subprocess.run([sys.executable, "-m", "compileall", "-q", str(self._home / "src")], check=True)

    def close(self) -> None:
        """Remove the copy."""
        shutil.rmtree(self._home, ignore_errors=True)

    def run(self, mutant: Mutant) -> Outcome:
        """Try one mutant."""
        began = time.monotonic()
        tests = self._ordered(mutant)
        target = self._home / "src" / "aiocos" / mutant.path
        original = target.read_text(encoding="utf-8")
        target.write_text(mutated(_SOURCE, mutant), encoding="utf-8")
        for compiled in (target.parent / "__pycache__").glob(f"{target.stem}.*"):
            compiled.unlink()
        killed_by = None
        try:
            first, seconds = 0, 0.0
            while first < min(len(tests), _FIRST) and seconds < _FIRST_SECONDS:
                seconds += self._coverage.seconds[tests[first]]
                first += 1
            for some in (tests[:first], tests[first:]):
                left = self._limit - (time.monotonic() - began)
                if some and killed_by is None and left > 0:
                    killed_by = self._pytest(mutant, some, left)
        finally:
            target.write_text(original, encoding="utf-8")
        return Outcome(mutant, killed_by, len(tests), round(time.monotonic() - began, 1))

    def _ordered(self, mutant: Mutant) -> list[str]:
        """Return the tests of a mutant, those most likely to fail first."""
        path = Path(mutant.path)
        seconds, seen = self._coverage.seconds, dict[str, int]()

        def rank(test: str) -> tuple[int, int, float]:
            file, _, name = test.partition("::")
            near = 0 if path.stem in Path(file).stem else 1 if f"tests/{path.parts[0]}/" in file else 2
            # The cases of one test are alike: one of each first.
            base = f"{file}::{name.partition('[')[0]}"
            seen[base] = seen.get(base, -1) + 1
            return near, seen[base] // 2, seconds[test]

        return sorted(sorted(self._coverage.of(mutant.path, _statement_lines(mutant)), key=seconds.__getitem__), key=rank)

    def _pytest(self, mutant: Mutant, tests: list[str], seconds: float) -> str | None:
        """Run some tests until one fails; return its name, `timeout`, or `import` where the module cannot be imported."""
        chosen, outcomes = self._home / "tests.txt", self._home / "outcomes.json"
        chosen.write_text("\n".join(tests), encoding="utf-8")
        outcomes.unlink(missing_ok=True)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "tests.mutation.plugin", "-p", "no:cacheprovider"]
        command += ["-n", "0", "--no-cov", "--timeout=60", f"@{chosen}"]
        surroundings = {
            **os.environ,
            "PYTHONPATH": str(self._home / "src"),
            "PYTHONDONTWRITEBYTECODE": "1",
            "AIOCOS_MUTATION_OUTCOMES": str(outcomes),
        }
        process = subprocess.Popen(
            command, cwd=_ROOT, env=surroundings, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        try:
            code = process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            # Tests of an unchanged module need this long too, where there are many: then nothing was found out.
            return "timeout" if seconds > 2 * sum(self._coverage.seconds[test] for test in tests) + 30 else None
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        if code == 0:
            return None
        if outcomes.exists() and (failed := json.loads(outcomes.read_text())["failed"]):
            return failed[0]
        module = f"aiocos.{mutant.path.removesuffix('.py').removesuffix('/__init__').replace('/', '.')}"
        if subprocess.run(
            [sys.executable, "-c", f"import aiocos.ibm_boto3, {module}"], env=surroundings, capture_output=True
        ).returncode:
            return "import"
        raise RuntimeError(f"{mutant}: pytest ended with {code}, which says nothing about the mutant")


def run(directory: Path, mutants: list[Mutant], workers: int, limit: float, out: Path) -> None:
    """Try all mutants, print each survivor as it is found, and write the outcomes."""
    coverage = Coverage(directory)
    free: SimpleQueue[Worker] = SimpleQueue()
    every = [Worker(coverage, limit) for _ in range(workers)]
    for worker in every:
        free.put(worker)

    def one(mutant: Mutant) -> Outcome:
        worker = free.get()
        try:
            return worker.run(mutant)
        finally:
            free.put(worker)

    outcomes: list[Outcome] = []
    try:
        with ThreadPoolExecutor(workers) as pool:
            for outcome in pool.map(one, mutants):
                outcomes.append(outcome)
                if outcome.killed_by is None:
                    m = outcome.mutant
                    text = f"{m.path}:{m.line} #{m.number} {m.change} ({outcome.tests} tests, {outcome.seconds} s)"
                    print(f"[{len(outcomes)}/{len(mutants)}] survived: {text}", flush=True)
                out.write_text(json.dumps([asdict(o) for o in outcomes], indent=1), encoding="utf-8")
    finally:
        for worker in every:
            worker.close()
    killed = sum(outcome.killed_by is not None for outcome in outcomes)
    print(f"{killed} of {len(outcomes)} killed ({killed / max(1, len(outcomes)):.1%})")


def show(mutant: Mutant) -> None:
    """Print one mutant as a difference."""
    original = ast.unparse(ast.parse((_SOURCE / mutant.path).read_text(encoding="utf-8"))).splitlines()
    print("\n".join(difflib.unified_diff(original, mutated(_SOURCE, mutant).splitlines(), lineterm="", n=4)))


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=_ROOT / "build" / "mutation", help="directory of the coverage data")
    commands = parser.add_subparsers(dest="command", required=True)
    covering = commands.add_parser("cover", help="run the suite under coverage")
    covering.add_argument("tests", nargs="*", help="test files or directories instead of all")
    running = commands.add_parser("run", help="try mutants")
    running.add_argument("--sample", type=int, default=300, help="number of mutants")
    running.add_argument("--seed", type=int, default=0, help="of the sample")
    running.add_argument("--packages", nargs="+", default=list(_PACKAGES))
    running.add_argument("--only", nargs="+", help="mutants by name, path#number, instead of a sample")
    running.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    running.add_argument("--limit", type=float, default=180.0, help="seconds for one mutant")
    running.add_argument("--out", type=Path, help="file for the outcomes as JSON")
    showing = commands.add_parser("show", help="print a mutant")
    showing.add_argument("path")
    showing.add_argument("number", type=int)
    given = parser.parse_args()
    if given.command == "cover":
        cover(given.data, given.tests)
    elif given.command == "show":
        show(mutants_of(_SOURCE, given.path)[given.number])
    else:
        chosen = [mutants_of(_SOURCE, name.split("#")[0])[int(name.split("#")[1])] for name in given.only or []]
        mutants = chosen or sample(given.packages, given.sample, given.seed)
        run(given.data, mutants, given.workers, given.limit, given.out or given.data / "outcomes-of-mutants.json")


main()
