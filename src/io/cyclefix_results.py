# A pytest plugin: writes down what became of each test, one a line, as outcome, id and message.
import os

RESULTS = os.environ.get("CYCLEFIX_RESULTS")
WITHIN = "CYCLEFIX_WITHIN"


def _note(outcome, nodeid, why=""):
    line = "\t".join(" ".join(str(part).split()) for part in (outcome, nodeid, why))
    with open(RESULTS, "a", encoding="utf-8", errors="backslashreplace") as out:
        out.write(line + "\n")


def _why(report):
    crash = getattr(report.longrepr, "reprcrash", None)
    text = getattr(crash, "message", None) or str(report.longrepr or "")
    lines = [line for line in text.splitlines() if line.strip()]
    # Of a traceback, the error is the last line.
    return (lines[0] if crash else lines[-1]) if lines else ""


def pytest_configure(config):
    # Workers of pytest-xdist report to the process that started them; what a test runs by pytest is its own business.
    if RESULTS and not hasattr(config, "workerinput") and not os.environ.get(WITHIN):
        os.environ[WITHIN] = "1"
        _note("started", "")
        # Tests are compared one by one: the first that fails must not keep the others from being run.
        if getattr(config.option, "maxfail", 0):
            config.option.maxfail = 0
        config.pluginmanager.register(_Writer(), "cyclefix-results-writer")


class _Writer:
    def pytest_runtest_logreport(self, report):
        if report.outcome == "failed":
            _note("failed", report.nodeid, _why(report))
        elif report.when == "call" or report.outcome == "skipped":
            _note(report.outcome, report.nodeid)

    def pytest_collectreport(self, report):
        if report.outcome == "failed":
            _note("failed", report.nodeid, _why(report))

    def pytest_sessionfinish(self, session):
        if getattr(session, "shouldstop", False) or getattr(session, "shouldfail", False):
            _note("stopped", "")
        _note("finished", "")

    def pytest_unconfigure(self):
        os.environ.pop(WITHIN, None)
