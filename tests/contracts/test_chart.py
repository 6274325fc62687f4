"""The raw chart: an envelope around what the source sent."""

import json
from base64 import b64encode
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Raw

from contracts.chart import ChartEnvelope, LoadedFrom, Lookup, RawChart, read_raw_chart, write_raw_chart
from contracts.elements import UnreadableSnapshotError

FILE = LoadedFrom("regional-de-weekly-2023-01-12.csv", "0" * 64)


def envelope(**other: Any) -> ChartEnvelope:
    of_a_week: dict[str, Any] = {
        "source": "spotify_charts",
        "chart_id": "regional-de-weekly",
        "region": "DE",
        "frequency": "weekly",
        "period_start": date(2023, 1, 6),
        "period_end": date(2023, 1, 12),
        "loaded_from": FILE,
    }
    return ChartEnvelope(**{**of_a_week, **other})


def body_with(**other: Any) -> bytes:
    body = json.loads(write_raw_chart(RawChart(envelope(), b"rank\n")))
    return json.dumps({**body, "snapshot": {**body["snapshot"], **other}}).encode()


@pytest.mark.parametrize(
    ("document", "encoding", "kept"),
    [
        (b"\xef\xbb\xbfrank,uri\r\n", "text", "\ufeffrank,uri\r\n"),
        (b'{"payload": {"count": 1.50}}', "json", {"payload": {"count": 1.5}}),
        (b'{"payload": {"cou', "text", '{"payload": {"cou'),
        (b"Beyonc\xe9", "base64", b64encode(b"Beyonc\xe9").decode()),
    ],
    ids=["text", "JSON", "JSON cut off", "no text"],
)
def test_a_document_is_kept_as_it_came(document: bytes, encoding: str, kept: Any) -> None:
    body = write_raw_chart(RawChart(envelope(), document))

    assert json.loads(body)["encoding"] == encoding
    assert json.loads(body)["document"] == kept
    assert read_raw_chart(body) == RawChart(envelope(), document, [])


@given(st.binary() | st.text().map(str.encode))
def test_any_document_comes_back_but_for_blanks_around_json(document: bytes) -> None:
    body = write_raw_chart(RawChart(envelope(), document))

    back = read_raw_chart(body)

    assert back.document == (document.strip() if json.loads(body)["encoding"] == "json" else document)
    assert write_raw_chart(back) == body


def test_what_was_looked_up_is_kept_verbatim_or_with_why_it_is_absent() -> None:
    retrieved = envelope(loaded_from=None, retrieved_at=datetime(2023, 1, 13, 3), run_id="run-1")  # noqa: DTZ001
    lookups = [Lookup("recording_metadata", "ok", Raw(b'{"a":  1.50}')), Lookup("recording_metadata", "refused:429")]

    found = read_raw_chart(write_raw_chart(RawChart(retrieved, b"{}", lookups)))

    assert found.envelope == retrieved
    assert [
        (each.outcome, each.document if each.document is UNSET else bytes(each.document)) for each in found.lookups
    ] == [
        ("ok", b'{"a":  1.50}'),
        ("refused:429", UNSET),
    ]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"rank,uri", "not a raw chart"),
        (b"[]", "Expected `object`"),
        (b'{"playlist": {}}', "missing required field `snapshot`"),
        (body_with(kind="playlist"), "'playlist'"),
        (body_with(schema_version=2, kind="chart"), "2 is unknown: this release reads 1"),
        (body_with(source="spotify-charts"), r"\$\.snapshot\.source: .* matching regex"),
        (body_with(region="de"), "region 'de' should be 'DE'"),
        (body_with(region="XX"), "region 'XX' is neither"),
        (body_with(period_end="2023-01-13"), "a weekly chart cannot cover 2023-01-06 to 2023-01-13"),
        (body_with(frequency="daily"), "a daily chart cannot cover"),
        (body_with(loaded_from=None), "either `retrieved_at` or `loaded_from`"),
    ],
)
def test_what_is_no_raw_chart_is_refused_with_a_sentence(body: bytes, problem: str) -> None:
    with pytest.raises(UnreadableSnapshotError, match=problem):
        read_raw_chart(body)
