# Imports one module in this fresh interpreter and writes down what came of it, one fact a line. Loads nothing that an
# interpreter has not loaded when it is up, so that the module finds what it would find.
import os
import sys


def asked(question, otherwise):
    # What stands for a module may answer with any error.
    try:
        return question()
    except Exception:
        return otherwise


def first(result, before, module, *roots):
    # The module may put something else in their place.
    write, leave = open, os._exit
    sys.argv[:] = ["-c"]
    if sys.path and sys.path[0] == "":
        del sys.path[0]
    sys.path[:0] = roots
    facts = []
    try:
        __import__(module)
        loaded = sys.modules[module]
        facts.append(("file", str(asked(lambda: loaded.__file__, None) or "")))
        exported = asked(lambda: [name for name in loaded.__all__ or () if isinstance(name, str)], [])
        names = {name for name in asked(lambda: dir(loaded), ()) if isinstance(name, str) and not name.startswith("_")}
        if before:
            with write(before, encoding="utf-8") as lines:
                known = [line.rstrip("\n").partition(" ")[::2] for line in lines]
            # What is loaded on demand is there, too.
            names.update(name for word, name in known if word in ("name", "export") and asked(lambda: hasattr(loaded, name), False))
        facts += [("name", name) for name in sorted(names)]
        facts += [("export", name) for name in sorted(exported)]
    except BaseException as error:
        kind = type(error)
        name = kind.__name__ if kind.__module__ == "builtins" else kind.__module__ + "." + kind.__name__
        said = asked(lambda: str(error), "")
        facts = [("error", name + ": " + said if said else name)]
        if kind.__name__ == "ModuleNotFoundError" and error.name:
            facts.append(("missing", error.name))
        place = None
        trace = error.__traceback__
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            if name.startswith(tuple(root + os.sep for root in roots)):
                place = (name, trace.tb_lineno)
            trace = trace.tb_next
        if isinstance(error, SyntaxError) and error.filename:
            place = (error.filename, error.lineno)
        if place:
            facts.append(("at", "%s:%s" % place))
    facts.append(("end", ""))
    text = "".join(word + " " + " ".join(value.split("\n")) + "\n" for word, value in facts)
    with write(result, "w", encoding="utf-8", errors="backslashreplace") as out:
        out.write(text)
    # What the module started must not keep the interpreter alive.
    leave(0)


first(*sys.argv[1:])
