"""JUnit XML: a test case for each clause, with a type for each kind of failure."""

from dataclasses import replace
from xml.etree import ElementTree as ET

from mnist_tasks.checking.results import gather, of_check
from mnist_tasks.reporting import junit
from tests import check_results, examples


def parse(document: bytes) -> ET.Element:
    root = ET.fromstring(document)  # noqa: S314 - our own
    assert root.tag == "testsuites"
    return root


def suites(document: bytes) -> list[ET.Element]:
    return list(parse(document))


def test_every_clause_is_a_case_and_each_failure_has_the_status_as_its_type() -> None:
    passed, inconclusive, failed, refused = suites(junit.document(check_results.every_kind()))
    assert [case.get("name") for case in passed.iter("testcase")] == ["parameters"]
    assert passed.find(".//failure") is None
    assert [each.get("type") for each in inconclusive.iter("failure")] == ["inconclusive"]
    assert [each.get("type") for each in failed.iter("failure")] == ["failed", "not measured"]
    error = refused.find("testcase/error")
    assert error is not None
    assert (error.get("type"), error.get("message")) == ("Input refused", "bad.h5: a pickle")
    assert error.text == "expected: a model\nfound: a pickle\nwhat to do: don't"


def test_the_versions_of_keras_are_a_property() -> None:
    checked = replace(examples.check(), keras="Keras 3.15.1", keras_version="3.1.1")
    (suite,) = suites(junit.document(gather([of_check(checked)], None)))
    values = {each.get("name"): each.get("value") for each in suite.iter("property")}
    assert values["keras"] == "written by Keras 3.1.1, run with Keras 3.15.1"


def test_the_contract_is_a_property_of_every_suite() -> None:
    for results, name in {
        check_results.every_kind(): "contract.toml",
        gather([of_check(examples.check())], None): "the default contract",
    }.items():
        for suite in suites(junit.document(results)):
            values = {each.get("name"): each.get("value") for each in suite.iter("property")}
            assert values["contract"] == name


def test_the_counts_add_up() -> None:
    root = parse(junit.document(check_results.every_kind()))
    counts = [tuple(map(suite.get, ("tests", "failures", "errors"))) for suite in root]
    assert counts == [("1", "0", "0"), ("2", "1", "0"), ("3", "2", "0"), ("1", "0", "1")]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("7", "3", "1")


def test_a_failure_has_bound_value_and_interval() -> None:
    _, inconclusive, *_ = suites(junit.document(check_results.every_kind()))
    failure = inconclusive.find(".//failure")
    assert failure is not None
    assert failure.get("message") == "test accuracy: 95.20%; the bound is > 95.00%"
    assert "443 allowed" in str(failure.text)
    assert "94.62–95.72% at 99%" in str(failure.text)


def test_hostile_text_is_text() -> None:
    document = junit.document(check_results.hostile())
    text = document.decode()
    assert not any(character in text for character in "\x00\x1b\ufffe")
    first, second = suites(document)
    assert first.get("name") == second.get("name")
    assert "|<b>`]]>&www" in str(first.get("name"))
    assert len(first.findall(".//failure")) == len(second.findall(".//error")) == 1


def test_a_name_of_undecodable_bytes_can_be_written() -> None:
    path = b"\xff.h5".decode("utf-8", "surrogateescape")
    assert suites(junit.document(gather([check_results.refused(path)], None)))
