"""The results of a check as JUnit XML, which CI systems show as tests.

Each model file is a suite, and each clause a test case. A clause that did not pass is a failure
whose type is its status: ``failed``, ``inconclusive`` or ``not measured``. A file without a verdict
is a suite with one error. Of a self-test, each planted model is a test case; one that the contract
missed is a failure of the type ``missed``.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from mnist_tasks import errors
from mnist_tasks.check_records import Check
from mnist_tasks.checking.results import CheckResult, CheckResults, PlantedModel
from mnist_tasks.errors import Failure, printable
from mnist_tasks.reporting import clause_text, formatting, run_text, self_test_text
from mnist_tasks.verdict import Clause


def document(results: CheckResults) -> bytes:
    """Return the XML document, in UTF-8."""
    root = ET.Element("testsuites", name="mnist-tasks check")
    for result in results.checks:
        _suite(root, result, run_text.contract(results.contract))
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in root)))
    ET.indent(root)
    xml: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return xml + b"\n"


def _suite(root: ET.Element, result: CheckResult, contract: str) -> None:
    suite = ET.SubElement(root, "testsuite", name=_text(result.path))
    _properties(suite, result.check, contract)
    if result.check is not None:
        for clause in result.check.verdict.clauses:
            _clause(_case(suite, result, clause.name), clause)
    for model in result.self_test.models if result.self_test else ():
        _planted(_case(suite, result, f"self-test: {model.fault}"), model)
    if result.error is not None:
        _error(_case(suite, result, "check"), result.error)
    suite.set("tests", str(len(suite.findall("testcase"))))
    suite.set("failures", str(len(suite.findall("testcase/failure"))))
    suite.set("errors", str(len(suite.findall("testcase/error"))))
    suite.set("skipped", "0")


def _properties(suite: ET.Element, check: Check | None, contract: str) -> None:
    values = {"contract": contract}
    if check is not None:
        # JUnit's timestamp is local time without a zone; this one is UTC.
        suite.set("timestamp", check.created.partition("+")[0])
        suite.set("time", f"{check.seconds:.3f}")
        values |= {
            "sha256": check.model.sha256,
            "parameters": str(check.model.parameters),
            "keras": run_text.libraries(check),
        }
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=name, value=_text(value))


def _case(suite: ET.Element, result: CheckResult, name: str) -> ET.Element:
    return ET.SubElement(
        suite, "testcase", classname=_text(result.path), name=_text(name), time="0"
    )


def _clause(case: ET.Element, clause: Clause) -> None:
    lines = [f"found: {clause.found}", *clause_text.details(clause), f"bound: {clause.bound}"]
    text = "\n".join(map(_text, lines))
    if clause.status == "passed":
        ET.SubElement(case, "system-out").text = text
    else:
        message = _text(f"{clause.name}: {clause.found}; the bound is {clause.bound}")
        ET.SubElement(case, "failure", type=clause.status, message=message).text = text


def _planted(case: ET.Element, model: PlantedModel) -> None:
    accuracy = formatting.percent(model.accuracy)
    text = _text(f"accuracy: {accuracy}; {model.status}: {self_test_text.reason(model)}")
    if model.status == "missed":
        message = _text(f"{model.fault}: {self_test_text.reason(model)}")
        ET.SubElement(case, "failure", type=model.status, message=message).text = text
    else:
        ET.SubElement(case, "system-out").text = text


def _error(case: ET.Element, error: Failure) -> None:
    message = _text(f"{error.subject}: {error.found}")
    lines = [f"{name}: {text}" for name, text in errors.rows(error).items() if name != "where"]
    element = ET.SubElement(case, "error", type=_text(error.title), message=message)
    element.text = "\n".join(map(_text, lines))


def _text(text: str) -> str:
    """Return text without control characters, most of which XML forbids even if escaped."""
    return printable(text, limit=1000)
