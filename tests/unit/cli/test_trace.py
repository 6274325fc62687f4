"""Traces as the console draws them, from documents as X-Ray keeps them."""

import re
from typing import Any

import pytest

from infra.cli.spans import Span, spans
from infra.cli.trace import _latencies, waterfall
from infra.cli.trace_page import page


def segment(id_: str, name: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "name": f"earworm-dev-{name}", "start_time": start, "end_time": end, **fields}


def subsegment(id_: str, name: str, start: float, end: float, **fields: Any) -> dict[str, Any]:
    return {"id": id_, "name": name, "start_time": start, "end_time": end, "type": "subsegment", **fields}


PUT = {"namespace": "aws", "aws": {"operation": "PutObject"}}
LIMITED = {
    "namespace": "remote",
    "http": {"request": {"method": "GET", "url": "https://api/v1/artists"}, "response": {"status": 429}},
    "throttle": True,
    "error": True,
}
DOCUMENTS = [
    segment("a", "extractor", 100.0, 101.0, origin="AWS::Lambda"),
    segment("b", "extractor", 100.0, 101.0, parent_id="a", origin="AWS::Lambda::Function"),
    subsegment("c", "run", 100.1, 100.9, parent_id="b", annotations={"run_id": "run-1"}),
    subsegment(
        "d",
        "artists",
        100.2,
        100.4,
        parent_id="c",
        subsegments=[{"id": "d1", "name": "api", "start_time": 100.2, "end_time": 100.3, **LIMITED}],
    ),
    subsegment(
        "e",
        "put",
        100.5,
        100.6,
        parent_id="c",
        subsegments=[{"id": "e1", "name": "s3", "start_time": 100.5, "end_time": 100.6, **PUT}],
    ),
    segment(
        "f",
        "songs",
        102.6,
        104.0,
        parent_id="e1",
        annotations={"table": "songs"},
        subsegments=[
            {
                **subsegment("g", "snapshot", 102.6, 104.0, annotations={"playlist_id": "p1"}, fault=True),
                "subsegments": [
                    subsegment("h", "parse", 102.7, 102.8, cause={"exceptions": [{"message": "<not JSON>"}]}),
                    {"id": "i", "name": "s3", "start_time": 103.0, "end_time": 103.1, **PUT, "throttle": True}
                    | {"metadata": {"default": {"throttled_attempts": 1}}},
                ],
            }
        ],
    ),
    segment("j", "albums", 102.0, 103.0, parent_id="e1", annotations={"table": "albums"}, subsegments=[
        subsegment("k", "read", 102.1, 102.2),
    ]),
]  # fmt: skip


@pytest.fixture
def services() -> list[Span]:
    return spans(DOCUMENTS, "dev")


def drawn(services: list[Span], *, show_all: bool = False) -> list[str]:
    return [line.plain for line in waterfall(services, 100, show_all=show_all)]


def test_services_come_in_the_order_of_time_with_what_set_them_off(services: list[Span]) -> None:
    assert [(each.title, each.kind) for each in services] == [
        ("extractor", "service"),
        ("albums", "service"),
        ("songs p1", "service"),
    ]
    extractor, albums, songs = services
    assert extractor.waited is None
    assert albums.cause is songs.cause
    assert albums.cause
    assert albums.cause.label == "s3 PutObject"
    assert [each.waited for each in (albums, songs)] == pytest.approx([1.4, 2.0])


def test_steps_that_came_within_their_service_and_beside_it_are_drawn_alike(services: list[Span]) -> None:
    assert [span.label for span in services[0].everything()] == [
        *("extractor", "run", "artists", "GET /v1/artists 429", "put", "s3 PutObject")
    ]


def test_what_went_wrong_is_drawn_where_it_happened_and_what_went_well_is_folded(services: list[Span]) -> None:
    lines = drawn(services)

    text = "\n".join(lines)
    assert re.search(r"GET /v1/artists 429.*\n\s+↳ throttled\n", text)
    assert re.search(r"parse .*\n\s+↳ fault: <not JSON>\n", text)
    assert re.search(r"s3 PutObject .*\n\s+↳ throttled in attempt 1, then retried$", text)
    assert "read" not in text
    assert any("read" in line for line in drawn(services, show_all=True))
    assert all(len(line) <= 100 for line in lines)


def test_a_bar_is_where_and_as_long_as_what_it_stands_for(services: list[Span]) -> None:
    lines = {line[:46].strip(): line[46:80] for line in drawn(services)}

    assert lines["extractor"].startswith("━━━━")
    assert re.fullmatch(r" +·+━+", lines["songs p1"].rstrip())
    assert len(lines["songs p1"].rstrip()) == 34


def test_a_page_tells_all_and_holds_nothing_that_was_not_escaped(services: list[Span]) -> None:
    html = page("run-1", "dev", services)

    assert "&lt;not JSON&gt;" in html
    assert "<not JSON>" not in html
    assert html.count("<summary>") + html.count('class="leaf') == sum(1 for s in services for _ in s.everything())
    assert "<script" not in html
    assert "http" not in html.replace("https://", "")


def test_messages_that_came_in_no_trace_are_drawn_each_with_its_list_below_lambdas() -> None:
    def message(id_: str, list_id: str) -> dict[str, Any]:
        snapshot = subsegment(f"{id_}1", "snapshot", 102.2, 102.8, annotations={"playlist_id": list_id})
        return {
            **subsegment(id_, "message", 102.1, 102.9, annotations={"table": "charts"}),
            "subsegments": [snapshot],
        }

    of_a_load = spans(
        [segment("a", "charts", 102.0, 103.0, subsegments=[message("b", "de"), message("c", "fr")])], "dev"
    )

    assert [line[:46].strip() for line in drawn(of_a_load)[1:]] == ["charts", "charts de", "charts fr"]
    columns, rows = _latencies(of_a_load)
    assert columns[:2] == ("list", "table")
    assert [row[:3] for row in rows] == [("de", "charts", None), ("fr", "charts", None)]


def test_steps_whose_service_was_lost_are_drawn_still() -> None:
    (lost,) = spans([subsegment("c", "run", 100.1, 100.9, parent_id="b")], "dev")

    assert lost.label == "run"
    assert len(drawn([lost])) == 2
