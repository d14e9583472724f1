"""Times cyclefix beside ruff and grimp on packages from PyPI, and on synthetic monorepos of growing size.

    python proof/speed.py --cyclefix target/release/cyclefix [PACKAGE==VERSION ...]
    python proof/speed.py --cyclefix target/release/cyclefix --generator target/release/examples/monorepo --sizes 1000 10000

The packages are fetched with pip, without their dependencies, into a folder that is kept (`--folder`); ruff and grimp go into
a virtual environment beside them. All commands of a package run in turn, again and again, so that a busy machine slows all of
them; what is compared are the medians. Prints a line a command: the median, what it is times cyclefix's check, and its peak
memory. Exits with 1 if a check takes more than a third of ruff's or grimp's time, or more than twice that of reading.

With --sizes, time and memory a file of monorepos of so many files are printed; more than 20 % above those of the first is too
much.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
import venv

CORPUS = ["homeassistant==2024.3.3", "networkx==3.6.1", "pandas==3.1.1", "transformers==5.23.0", "salt==3008.5"]

GRIMP = "import sys, grimp\nsys.path.insert(0, '.')\ngrimp.build_graph(sys.argv[1], cache_dir=None)\n"


def measured(command, folder):
    """Seconds and peak memory in MB of one run."""
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, _, usage = os.wait4(process.pid, 0)
    process.returncode = 0
    return time.perf_counter() - start, usage.ru_maxrss / 1024


def medians(commands, folder, runs):
    """By name of a command: median seconds, and the highest peak memory."""
    found = {name: [] for name in commands}
    for _ in range(runs + 1):
        for name, command in commands.items():
            found[name].append(measured(command, folder))
    # The first run warms the page cache.
    return {
        name: (statistics.median(s for s, _ in all_[1:]), max(mb for _, mb in all_[1:])) for name, all_ in found.items()
    }


def tools(folder):
    """The Python of an environment with ruff and grimp."""
    env = folder / "tools"
    python = env / "bin" / "python"
    if not python.exists():
        venv.create(env, with_pip=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "ruff", "grimp"], check=True)
    return python


def fetched(package, folder, python):
    """The folder that a package was installed to, and the name of its top package."""
    name = package.split("==")[0]
    target = folder / package.replace("==", "-")
    if not target.exists():
        command = [python, "-m", "pip", "install", "--quiet", "--no-deps", "--ignore-requires-python"]
        subprocess.run([*command, "--target", target, package], check=True)
    return target, name


def compare(package, args, python):
    """Prints the times of one package; says whether cyclefix is within its bars."""
    folder, name = fetched(package, args.folder, python)
    cyclefix = str(args.cyclefix.resolve())
    commands = {
        "cyclefix --check": [cyclefix, "--check", "--no-progress", name],
        "cyclefix --dry-run": [cyclefix, "--dry-run", "--no-progress", name],
        "ruff analyze graph": [str(python.parent / "ruff"), "analyze", "graph", "--no-cache", name],
        "grimp, uncached": [str(python), "-c", GRIMP, name],
        "cat": ["sh", "-c", "find " + name + " -name '*.py' -print0 | xargs -0 cat"],
    }
    found = medians(commands, folder, args.runs)
    check = found["cyclefix --check"][0]
    print(f"{package}: {sum(1 for _ in (folder / name).rglob('*.py'))} files")
    for command, (seconds, memory) in found.items():
        print(f"  {command:20} {seconds:8.3f} s {check / seconds:8.2f} {memory:8.0f} MB")
    bars = {"ruff analyze graph": 1 / 3, "grimp, uncached": 1 / 3, "cat": 2}
    return all(check <= bar * found[command][0] for command, bar in bars.items())


def flat(args):
    """Prints the cost of a file in monorepos of growing size; says whether it stays the same."""
    costs = []
    for size in args.sizes:
        with tempfile.TemporaryDirectory() as folder:
            generator = str(args.generator.resolve())
            subprocess.run([generator, folder, str(size), str(args.imports), str(args.cycles)], check=True)
            command = {"check": [str(args.cyclefix.resolve()), "--check", "--no-progress", "."]}
            seconds, memory = medians(command, folder, args.runs)["check"]
        costs.append((seconds / size, memory / size))
        print(f"{size:8} files {seconds:8.3f} s {1e6 * seconds / size:8.1f} µs a file {1024 * memory / size:8.2f} KB a file")
    return all(cost[0] <= 1.2 * costs[0][0] and cost[1] <= 1.2 * costs[0][1] for cost in costs)


def main():
    """Runs what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="*", default=CORPUS)
    parser.add_argument("--cyclefix", type=pathlib.Path, default=pathlib.Path("target/release/cyclefix"))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("target/speed"))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--generator", type=pathlib.Path, default=pathlib.Path("target/release/examples/monorepo"))
    parser.add_argument("--sizes", type=int, nargs="*", default=[])
    parser.add_argument("--imports", type=int, default=8)
    parser.add_argument("--cycles", type=int, default=0)
    args = parser.parse_args()
    if args.sizes:
        sys.exit(0 if flat(args) else 1)
    args.folder = args.folder.resolve()
    args.folder.mkdir(parents=True, exist_ok=True)
    python = tools(args.folder)
    within = [compare(package, args, python) for package in args.packages]
    sys.exit(0 if all(within) else 1)


if __name__ == "__main__":
    main()
