"""Imports each module of some projects first, each in a process of its own, and runs their checks.

Reads a list of jobs from stdin: folder, path (what goes on sys.path), modules, check (a script or null). Writes, for each
job: files that do not compile, the error of each module (null if it imports), and what the check printed.
"""

import json
import os
import sys

# What cases import from the standard library is loaded once, before the processes part.
import abc, collections, contextlib, dataclasses, enum, functools, importlib, io, re, runpy, tokenize, typing  # noqa
import unittest.mock  # noqa

sys.dont_write_bytecode = True


def apart(job, body):
    """What `body` returns, in a child process that stands in the job's folder."""
    sys.stdout.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nowhere, stream)
        try:
            os.chdir(job["folder"])
            sys.path[:0] = job["path"]
            result = body()
        except BaseException as error:
            result = "%s: %s" % (type(error).__name__, error)
        os.write(writer, json.dumps(result).encode()[:60000])
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    os.waitpid(child, 0)
    return json.loads(told) if told else "died"


def import_first(name):
    importlib.import_module(name)


def run_check(path):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        try:
            runpy.run_path(path, run_name="check")
        except BaseException as error:
            return {"raised": "%s: %s" % (type(error).__name__, error)}
    return out.getvalue()


def broken(job):
    out = []
    for path in job["files"]:
        try:
            with open(os.path.join(job["folder"], path), "rb") as stream:
                compile(stream.read(), path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            out.append("%s: %s" % (path, error))
    return out


def run(job):
    return {
        "broken": broken(job),
        "errors": {name: apart(job, lambda: import_first(name)) for name in job["modules"]},
        "check": apart(job, lambda: run_check(job["check"])) if job["check"] else None,
    }


print(json.dumps([run(job) for job in json.load(sys.stdin)]))
