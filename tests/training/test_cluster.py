"""What TF_CONFIG may say, and what is wrong with it otherwise."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_tasks.errors import WrongUsageError
from mnist_tasks.training import cluster

TWO = ["a:2222", "b.example.org:80"]
TASK = {"type": "worker", "index": 1}


def read(value: Any) -> cluster.Cluster | None:
    return cluster.read({"TF_CONFIG": value if isinstance(value, str) else json.dumps(value)})


def test_a_worker_finds_itself_among_the_others() -> None:
    found = read({"cluster": {"worker": TWO}, "task": TASK, "environment": "cloud"})
    assert found is not None
    assert (found.tasks, found.addresses) == (("worker:0", "worker:1"), tuple(TWO))
    assert (found.me, found.others) == (1, {0: "a:2222"})


def test_a_chief_comes_first() -> None:
    jobs = {"worker": TWO, "chief": ["10.0.0.1:99"]}
    for task, number in (
        ({"type": "chief", "index": 0}, 0),
        ({"type": "worker", "index": 0}, 1),
        (TASK, 2),
    ):
        found = read({"cluster": jobs, "task": task})
        assert found is not None
        assert found.me == number
        assert found.tasks[number] == f"{task['type']}:{task['index']}"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "  ",
        "{}",
        {"cluster": {}},
        {"cluster": {"worker": ["a:1"]}, "task": {**TASK, "index": 0}},
    ],
)
def test_who_is_alone_is_no_cluster(value: Any) -> None:
    assert read(value) is None
    assert cluster.read({}) is None


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ("{", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ([], "the whole is []"),
        ({"cluster": []}, "cluster is []"),
        ({"cluster": {"worker": TWO}}, "task is null"),
        ({"cluster": {"worker": "a:1"}, "task": TASK}, 'cluster.worker is "a:1"'),
        ({"cluster": {"chief": 3}, "task": TASK}, "cluster.chief is 3"),
        ({"cluster": {"worker": ["a:1", "b"]}, "task": TASK}, 'cluster.worker[1] is "b"'),
        ({"cluster": {"worker": ["a:1", "b:65536"]}, "task": TASK}, "b:65536"),
        ({"cluster": {"worker": ["a:1", "b:0"]}, "task": TASK}, "b:0"),
        ({"cluster": {"worker": ["a:1", "b c:1"]}, "task": TASK}, "b c:1"),
        ({"cluster": {"worker": ["a:1", "[::1]:2"]}, "task": TASK}, "[::1]:2"),
        ({"cluster": {"worker": ["a:1", 7]}, "task": TASK}, "cluster.worker[1] is 7"),
        ({"cluster": {"worker": ["a:1", "a:1"]}, "task": TASK}, "an address twice"),
        ({"cluster": {"worker": TWO, "ps": ["c:1"]}, "task": TASK}, "cluster.ps"),
        ({"cluster": {"chief": TWO}, "task": TASK}, "cluster.chief has more"),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "type": "ps"}}, 'task.type is "ps"'),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "type": []}}, "task.type is []"),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "type": "chief"}}, "task.index is 1"),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "index": 2}}, "task.index is 2"),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "index": -1}}, "task.index is -1"),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "index": "1"}}, 'task.index is "1"'),
        ({"cluster": {"worker": TWO}, "task": {**TASK, "index": True}}, "task.index is true"),
    ],
)
def test_what_is_wrong_is_named(value: Any, named: str) -> None:
    with pytest.raises(WrongUsageError) as caught:
        read(value)
    assert caught.value.subject == "the environment variable TF_CONFIG"
    assert named in caught.value.found
    assert caught.value.expected
    assert cluster.EXAMPLE in str(caught.value.remedy)


def test_the_example_is_right() -> None:
    assert read(cluster.EXAMPLE) is not None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["worker", "chief"]), inner),
)


@given(jobs=JSON, task=JSON, job=JSON, index=JSON)
def test_nothing_else_is_raised(jobs: Any, task: Any, job: Any, index: Any) -> None:
    for each in (task, {"type": job, "index": index}):
        with suppress(WrongUsageError):
            read({"cluster": jobs, "task": each})
