"""Imports each module of some projects first, and tells the error and the frames of its traceback.

Reads a list of jobs from stdin: folder, modules. Writes, for each job, an object by module: null if it imports, else error and
frames (file, line, function), those of the import system left out.
"""

import importlib
import json
import os
import re
import sys
import traceback

sys.dont_write_bytecode = True


def told(error, folder):
    frames = []
    for frame in traceback.extract_tb(error.__traceback__):
        path = os.path.realpath(frame.filename)
        if path.startswith(folder + os.sep):
            frames.append([os.path.relpath(path, folder).replace(os.sep, "/"), frame.lineno, frame.name])
    # What is raised from a failure says in other words what it is; it happened further down.
    if error.__cause__ is not None:
        cause = told(error.__cause__, folder)
        return {"error": cause["error"], "frames": frames[:-1] + cause["frames"]}
    # From 3.13 on the text holds the path of the module's file.
    text = re.sub(r" from '[^']*[/\\\\][^']*'", "", str(error))
    return {"error": "%s: %s" % (type(error).__name__, text), "frames": frames}


def import_first(name, folder):
    known = set(sys.modules)
    importlib.invalidate_caches()
    sys.path.insert(0, folder)
    try:
        importlib.import_module(name)
        return None
    except BaseException as error:
        return told(error, folder)
    finally:
        sys.path.remove(folder)
        for module in set(sys.modules) - known:
            path = getattr(sys.modules[module], "__file__", None)
            if path is None or os.path.realpath(path).startswith(folder + os.sep):
                del sys.modules[module]


def run(job):
    folder = os.path.realpath(job["folder"])
    return {name: import_first(name, folder) for name in job["modules"]}


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
