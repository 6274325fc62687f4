import json

import pytest

from infra.local.emulator import traces as traces_module
from infra.local.emulator.traces import Invocation, Traces

ROOT = "1-6925e000-000000000000000000000001"
OTHER = "1-6925e000-000000000000000000000002"


def told(root: str = ROOT, *, start: float = 100.0, **fields: object) -> dict[str, object]:
    return {"trace_id": root, "id": "00000000000000aa", "name": "songs", "start_time": start, **fields}


def test_a_trace_is_all_documents_that_came_of_it() -> None:
    traces = Traces()
    traces.put(told(end_time=101.0))
    traces.put(told(start=102.0, end_time=104.5, id="00000000000000bb"))
    traces.put(told(OTHER))

    found = traces.get(ROOT)

    assert found
    assert (found["Id"], found["Duration"]) == (ROOT, 4.5)
    assert [json.loads(each["Document"])["id"] for each in found["Segments"]] == [
        "00000000000000aa",
        "00000000000000bb",
    ]
    assert traces.get("1-6925e000-000000000000000000000009") is None


@pytest.mark.parametrize("root", ["", "1-2", "0-6925e000-000000000000000000000001"])
def test_what_names_no_trace_is_refused(root: str) -> None:
    with pytest.raises(ValueError, match="no trace id"):
        Traces().put(told(root))


def test_what_is_no_segment_is_refused() -> None:
    with pytest.raises(ValueError, match="without id or start_time"):
        Traces().put({"trace_id": ROOT, "id": "00000000000000aa"})


def test_only_so_much_is_kept_whoever_sends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces_module, "_MOST_BYTES_OF_A_TRACE", 1_000)
    monkeypatch.setattr(traces_module, "_MOST_BYTES", 5_000)
    traces = Traces()
    for trace in range(20):
        for _ in range(20):
            traces.put(told(f"1-6925e000-{trace:024x}", note="x" * 100))

    kept = [traces.get(f"1-6925e000-{trace:024x}") for trace in range(20)]
    sizes = [sum(len(segment["Document"]) for segment in trace["Segments"]) for trace in kept if trace]
    assert kept[0] is None
    assert kept[-1]
    assert max(sizes) <= 1_000
    assert sum(sizes) <= 5_000


def test_traces_are_found_by_when_they_began_and_by_an_annotation_at_any_depth() -> None:
    traces = Traces()
    inner = {"name": "snapshot", "annotations": {"run_id": "run-1"}, "throttle": True}
    traces.put(told(subsegments=[inner]))
    traces.put(told(OTHER, fault=True))

    (found,) = traces.summaries(0, 200, 'annotation.run_id = "run-1"')

    assert (found["Id"], found["HasThrottle"], found["HasFault"]) == (ROOT, True, False)
    assert [each["Id"] for each in traces.summaries(0, 200, None)] == [OTHER, ROOT]
    assert traces.summaries(0, 99, None) == traces.summaries(0, 200, 'annotation.run_id = "run-2"') == []
    with pytest.raises(ValueError, match="only annotation"):
        traces.summaries(0, 200, 'service("songs")')


def test_an_invocation_is_told_by_lambda_and_linked_to_what_it_was_invoked_with() -> None:
    invocation = Invocation("songs", "arn:songs", "request-1", [f"Root={ROOT};Parent=00000000000000aa;Sampled=1"])

    service, function = invocation.documents("it failed")

    assert invocation.header == f"Root={service['trace_id']};Parent={function['id']};Sampled=1"
    assert function["parent_id"] == service["id"]
    assert (service["origin"], function["origin"]) == ("AWS::Lambda", "AWS::Lambda::Function")
    assert (service["links"][0]["trace_id"], service["links"][0]["id"]) == (ROOT, "00000000000000aa")
    assert function["fault"]
    assert "fault" not in invocation.documents(None)[1]
