"""Holds cyclefix's word on which modules cannot be imported first against CPython.

    python proof/simulation.py --cyclefix target/release/cyclefix PACKAGE=PYTHON ...

For every module of every cycle of each PACKAGE (a folder), PYTHON (an interpreter that has its dependencies) imports it
first in a fresh, isolated process. What cyclefix's report says of it is one of: imports fine, fails, may fail. A failure is the
cycle's if its error says so, or if the module can be imported after another one of its cycle. A module that fails for a
reason of its own, e.g. a dependency that is not installed, is told apart and not counted. Exits with 1 if the goals are
missed: no false "imports fine", false "fails" below 1 %, "may" below 5 %.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import pathlib
import subprocess
import sys
import tempfile

# Modules that another one is imported after, to tell whether its failure is its own.
ORDERS = 6

PROBE = r"""
import importlib, json, os, sys, traceback

def is_module(roots, path):
    stems = [os.path.join(root, *path.split(".")) for root in roots]
    return any(os.path.exists(s + ".py") or os.path.exists(os.path.join(s, "__init__.py")) for s in stems)

def is_circular(error, roots):
    text = str(error)
    if "circular import" in text:
        return True
    if type(error) is AttributeError and text.startswith("module '"):
        # A submodule that nobody has loaded yet.
        module, attribute = text.split("'")[1], text.split("'")[3]
        return is_module(roots, module + "." + attribute)
    if isinstance(error, NameError):
        # A name that `from m import *` did not find yet.
        frames = list(traceback.walk_tb(error.__traceback__))
        space = frames[-1][0].f_globals
        try:
            source = open(space["__file__"], encoding="utf-8", errors="replace").read()
        except (KeyError, OSError):
            return False
        return "import *" in source
    return False

def word(name, first, roots):
    own = next((r for r in roots if is_module([r], name)), roots[0])
    sys.path.insert(0, own)
    sys.path.extend(r for r in roots if r != own)
    try:
        if first:
            importlib.import_module(first)
        importlib.import_module(name)
    except BaseException as error:
        chain, at = [], error
        while at is not None and at not in chain:
            chain.append(at)
            at = at.__cause__ or at.__context__
        circular = [e for e in chain if is_circular(e, roots)]
        shown = circular[-1] if circular else error
        frames = [f for f in traceback.extract_tb(shown.__traceback__) if not f.filename.startswith("<frozen")]
        place = "%s:%s" % (frames[-1].filename, frames[-1].lineno) if frames else ""
        return {"word": "fails" if circular else "unrelated", "error": "%s: %s" % (type(shown).__name__, shown), "at": place}
    return {"word": "fine"}

found = word(sys.argv[1], sys.argv[2], sys.argv[3:])
# Threads and exit hooks of what was imported must not keep the process.
sys.__stdout__.write("\n@@" + json.dumps(found) + "\n")
sys.__stdout__.flush()
os._exit(0)
"""


def ask_python(python, name, roots, cache, limit, first=""):
    command = [python, "-I", "-X", f"pycache_prefix={cache}", "-c", PROBE, name, first, *roots]
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return {"word": "unrelated", "error": f"no answer within {limit} s"}
    lines = [line for line in done.stdout.splitlines() if line.startswith("@@")]
    if not lines:
        return {"word": "unrelated", "error": f"exit {done.returncode}: {done.stderr.strip()[-200:]}"}
    return json.loads(lines[-1][2:])


def ask_cyclefix(binary, package, level):
    command = [binary, str(package), "--level", level, "--format", "json", "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"cyclefix could not read {package}: {done.stderr.strip()}")
    return json.loads(done.stdout)


def ask_in_other_orders(python, answers, cycles, roots, cache, limit):
    """Modules whose failure seems to be their own are imported after others of their cycle that can be imported."""
    for cycle in cycles:
        fine = [module for module in cycle["modules"] if answers[module]["word"] == "fine"]
        for module in cycle["modules"]:
            if answers[module]["word"] != "unrelated":
                continue
            for first in fine[:ORDERS]:
                if ask_python(python, module, roots, cache, limit, first)["word"] == "fine":
                    answers[module]["word"] = "fails"
                    break


def words_of(project):
    """What the report says of each module of a cycle, by name."""
    words = {}
    for cycle in project["cycles"]:
        words.update((module, {"word": "fine"}) for module in cycle["modules"])
        for crash in cycle["crashes"]:
            words[crash["entry"]] = {
                "word": {"fails": "fails", "may": "may"}[crash["certainty"]],
                "error": crash["error"],
                "at": f"{crash['file']}:{crash['line']}",
            }
    return words


def compare(package, python, options, pool):
    """Pairs of what cyclefix and CPython say of each module."""
    out = []
    for project in ask_cyclefix(options.cyclefix, package, options.level)["projects"]:
        # The project's root is given from where the command ran.
        root = pathlib.Path(project["root"]).resolve()
        roots = [str(root / source_root) for source_root in project["source_roots"]]
        words, cycles = words_of(project), project["cycles"]
        known = f"{root} {options.level} {python}"
        if options.answers.get(known, {}).keys() != words.keys():
            cache = tempfile.mkdtemp(prefix="pycache-", dir=options.scratch)
            jobs = {name: pool.submit(ask_python, python, name, roots, cache, options.limit) for name in sorted(words)}
            answers = options.answers[known] = {name: job.result() for name, job in jobs.items()}
            ask_in_other_orders(python, answers, cycles, roots, cache, options.limit)
        out += [(name, words[name], options.answers[known][name]) for name in sorted(words)]
    return out


def share(count, total):
    return f"{100 * count / total:.1f} %" if total else "0 %"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", nargs="+", metavar="PACKAGE=PYTHON")
    parser.add_argument("--cyclefix", required=True, help="the binary")
    parser.add_argument("--level", default="eager", help="which cycles count")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--limit", type=float, default=60, help="seconds that one import may take")
    parser.add_argument("--keep", type=pathlib.Path, help="a file that keeps CPython's answers for the next run")
    parser.add_argument("--verbose", action="store_true", help="also list the modules that may fail")
    options = parser.parse_args()
    options.answers = json.loads(options.keep.read_text()) if options.keep and options.keep.exists() else {}

    total = collections.Counter()
    print(f"{'package':20} {'modules':>8} {'fine':>6} {'fails':>6} {'may':>5} {'unrelated':>10}   false fine, false fails")
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        options.scratch = scratch
        for pair in options.packages:
            package, _, python = pair.partition("=")
            count, notes = collections.Counter(), []
            for name, said, true in compare(pathlib.Path(package), python, options, pool):
                kind = (said["word"], true["word"])
                count[kind] += 1
                if kind in {("fine", "fails"), ("fails", "fine")} or (options.verbose and said["word"] == "may"):
                    notes.append(f"    {name}: cyclefix {said}\n        CPython {true}")
            said = {word: sum(n for (s, t), n in count.items() if s == word and t != "unrelated") for word in ("fine", "fails", "may")}
            unrelated = sum(n for (_, t), n in count.items() if t == "unrelated")
            wrong = f"{count['fine', 'fails']}, {count['fails', 'fine']}"
            name = pathlib.Path(package).name
            print(f"{name:20} {sum(count.values()):8} {said['fine']:6} {said['fails']:6} {said['may']:5} {unrelated:10}   {wrong}")
            print("\n".join(notes), end="\n" if notes else "")
            sys.stdout.flush()
            total += count
            if options.keep:
                options.keep.write_text(json.dumps(options.answers, indent=1))

    counted = sum(n for (_, true), n in total.items() if true != "unrelated")
    print(f"\n{'cyclefix':>10} {'CPython fine':>14} {'CPython fails':>14} {'unrelated':>10}")
    for said in ("fine", "fails", "may"):
        print(f"{said:>10} {total[said, 'fine']:14} {total[said, 'fails']:14} {total[said, 'unrelated']:10}")
    may = total["may", "fine"] + total["may", "fails"]
    print(f"\nfalse \"imports fine\": {total['fine', 'fails']}; false \"fails\": {share(total['fails', 'fine'], counted)}; "
          f"\"may\": {share(may, counted)}; of {counted} modules")
    missed = total["fine", "fails"] > 0 or total["fails", "fine"] >= 0.01 * counted or may >= 0.05 * counted
    sys.exit(1 if counted and missed else 0)


if __name__ == "__main__":
    main()
