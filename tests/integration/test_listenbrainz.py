"""The collector of ListenBrainz over S3 and Secrets Manager in process, with a fake in the place of the network."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from contracts.chart import RawChart, read_raw_chart
from services.listenbrainz.collect import FailedRunError, collector
from shared import web
from shared.errors import PermanentError
from shared.settings import SettingsError
from tests.integration import collectors
from tests.integration.cloud import BUCKET, Context
from tests.unit.extractor.fake_spotify import Answer
from tests.unit.listenbrainz.fake_listenbrainz import (
    API_URL,
    SPENT,
    FakeListenBrainz,
    mbid,
    metadata,
    refusal,
    row,
    statistics,
)

SECRET = "earworm/dev/listenbrainz"
TUESDAY = {"scheduled_time": "2026-11-24T06:00:00Z"}
MONDAY_MORNING = {"scheduled_time": "2026-11-23T01:00:00Z"}
KEY = "raw/charts/2026-11-22/listenbrainz-recordings-global-weekly/chart.json"


class Cloud(collectors.Cloud):
    """That of a collector of ListenBrainz."""

    def body(self) -> bytes:
        return self.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()

    def chart(self) -> RawChart:
        return read_raw_chart(self.body())

    def rows(self) -> list[Any]:
        return json.loads(self.chart().document)["payload"]["recordings"]  # type: ignore[no-any-return]


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    environment = {
        "S3_BUCKET": BUCKET,
        "SERVICE_VERSION": "5eed5eed5eed",
        "LISTENBRAINZ_API_URL": API_URL,
        "LISTENBRAINZ_CONTACT": "charts@label.example",
        "LISTENBRAINZ_SECRET_NAME": "",
        "DEFERRED_SCHEDULES": "earworm-dev-listenbrainz-deferred",
        "SCHEDULER_ROLE_ARN": "arn:aws:iam::123456789012:role/schedule",
        "DEAD_LETTER_QUEUE_ARN": "arn:aws:sqs:us-east-1:123456789012:dead-letters",
    }
    with collectors.collecting(Cloud, environment) as cloud:
        yield cloud


@pytest.fixture
def listenbrainz(cloud: Cloud) -> Iterator[FakeListenBrainz]:
    assert cloud.keys() == [], "moto takes the place of the network too, and must do so first"
    with FakeListenBrainz().reachable() as fake:
        yield fake


@pytest.fixture(autouse=True)
def _sleepless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "_BACKOFF", lambda _state: 0.0)


def run(event: dict[str, Any] = TUESDAY, *, context: Context | None = None) -> Any:
    return collector()(event, context or Context("earworm-dev-listenbrainz"))


def test_the_week_becomes_one_raw_chart_with_what_musicbrainz_knows_of_it(
    cloud: Cloud, listenbrainz: FakeListenBrainz
) -> None:
    # given the statistics of a week
    # when the run of the Tuesday after it is started
    summary = run()

    # then its chart is stored under its last day
    assert json.loads(json.dumps(summary)) == {
        "run_id": "run-1",
        "snapshot_date": "2026-11-22",
        "calls": 2,
        "charts": [
            {"chart_id": "recordings-global-weekly", "outcome": "ok", "key": KEY, "entries": 3, "sentence": None}
        ],
        "deferred": None,
    }
    assert cloud.keys() == [KEY]
    assert cloud.s3.head_object(Bucket=BUCKET, Key=KEY)["Metadata"]["run-id"] == "run-1"

    # with an envelope that says what it is, and both answers as they came
    chart = cloud.chart()
    told = chart.envelope
    assert (told.source, told.chart_id, told.region, told.frequency) == (
        *("listenbrainz", "recordings-global-weekly", "global", "weekly"),
    )
    assert (f"{told.period_start}", f"{told.period_end}", told.run_id) == ("2026-11-16", "2026-11-22", "run-1")
    assert told.retrieved_at
    assert told.loaded_from is None
    assert json.loads(chart.document) == statistics(listenbrainz.rows)
    (lookup,) = chart.lookups
    assert (lookup.name, lookup.outcome) == ("recording_metadata", "ok")
    assert json.loads(bytes(lookup.document)) == {mbid(each): metadata(mbid(each)) for each in (1, 2, 3)}  # type: ignore[arg-type]


@pytest.mark.usefixtures("cloud")
def test_every_call_says_who_is_calling_and_without_a_token_nothing_more(listenbrainz: FakeListenBrainz) -> None:
    run()

    assert [each["User-Agent"] for each in listenbrainz.headers] == ["earworm/5eed5eed5eed (charts@label.example)"] * 2
    assert not any("Authorization" in each for each in listenbrainz.headers)


def test_a_token_is_sent_and_told_nowhere(
    cloud: Cloud, listenbrainz: FakeListenBrainz, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.secrets.create_secret(Name=SECRET, SecretString='{"token": "the-token"}')
    monkeypatch.setenv("LISTENBRAINZ_SECRET_NAME", SECRET)

    run()

    assert [each["Authorization"] for each in listenbrainz.headers] == ["Token the-token"] * 2
    assert "the-token" not in capsys.readouterr().out
    assert b"the-token" not in cloud.body()


@pytest.mark.parametrize(("secret", "told"), [(None, "has no secret"), ("the-token", "no token"), ("{}", "no token")])
def test_a_token_that_is_not_there_fails_with_what_to_do(
    cloud: Cloud, listenbrainz: FakeListenBrainz, monkeypatch: pytest.MonkeyPatch, secret: str | None, told: str
) -> None:
    if secret:
        cloud.secrets.create_secret(Name=SECRET, SecretString=secret)
    monkeypatch.setenv("LISTENBRAINZ_SECRET_NAME", SECRET)

    with pytest.raises(SettingsError, match=rf"{told}.* deploy with SecretName empty") as fault:
        run()

    assert "the-token" not in str(fault.value)
    assert listenbrainz.asked == []


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("contact", [None, "", "nobody", "a@b.example)\r\nX-Evil: 1"])
def test_without_a_contact_the_function_does_not_start(contact: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LISTENBRAINZ_CONTACT")
    if contact is not None:
        monkeypatch.setenv("LISTENBRAINZ_CONTACT", contact)

    with pytest.raises(SettingsError, match="LISTENBRAINZ_CONTACT"):
        collector()


@pytest.mark.usefixtures("cloud")
@pytest.mark.parametrize("event", [{"scheduled_time": "Tuesday"}, {"playlists": ["x"]}, {"deferrals": 4}])
def test_an_event_that_cannot_be_meant_is_refused(event: dict[str, Any]) -> None:
    with pytest.raises(PermanentError, match="2026-11-24T06:00:00Z"):
        run(event)


class TestWhatIsOddIsKept:
    def test_a_thousand_rows_with_repeated_and_missing_mbids(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        # given a full list, in which every tenth recording stands twice and every fifteenth row is of none
        rows = [row(number - number % 10 if number % 10 == 1 else number) for number in range(1, 1001)]
        rows = [{**each, "recording_mbid": None} if number % 15 == 0 else each for number, each in enumerate(rows)]
        listenbrainz.rows = rows

        # when it is collected
        (chart,) = run()["charts"]

        # then nothing is lost, and every recording was asked about once, in one call
        assert (chart["outcome"], chart["entries"]) == ("ok", 1000)
        assert cloud.rows() == rows
        ((_, asked),) = [each for each in listenbrainz.asked if each[0] == "metadata"]
        distinct = {each["recording_mbid"] for each in rows} - {None}
        assert len(asked["recording_mbids"]) == len(distinct) < 1000
        assert set(asked["recording_mbids"]) == distinct

    def test_rows_that_nobody_mapped_ask_nothing(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.rows = [row(1, recording_mbid=None)]

        assert run()["charts"][0]["outcome"] == "ok"
        assert listenbrainz.endpoints == ["recordings"]
        assert cloud.chart().lookups == []

    def test_a_list_that_is_shorter_than_told_is_stored_and_says_so(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        run()
        listenbrainz.faults["recordings"] = [
            Answer(200, statistics([row(1)], count=1000, total_recording_count=3)) for _ in range(2)
        ]

        (chart,) = run()["charts"]

        # beside which a complete one of the same week stays
        assert chart["outcome"] == "partial"
        assert "1 rows came of 3" in chart["sentence"]
        assert len(cloud.rows()) == 3
        cloud.s3.delete_object(Bucket=BUCKET, Key=KEY)
        run()
        assert len(cloud.rows()) == 1

    def test_a_half_of_a_surrogate_pair_in_a_title(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.rows = [row(1, track_name="\ud83d")]

        assert run()["charts"][0]["outcome"] == "ok"
        assert rb"\ud83d" in cloud.body()


class TestAWeekThatIsNotThereYet:
    def defers_by_a_day(self, cloud: Cloud, event: dict[str, Any], outcome: str, sentence: str) -> None:
        before = datetime.now(UTC)
        summary = run(event)
        (chart,) = summary["charts"]
        assert (chart["outcome"], chart["key"]) == (outcome, None)
        assert sentence in chart["sentence"]
        assert cloud.keys() == []
        ((deferred, due),) = cloud.deferred()
        assert deferred == {"scheduled_time": event["scheduled_time"], "deferrals": 1}
        assert timedelta(hours=23, minutes=59) < due - before < timedelta(days=1, minutes=5)
        assert summary["deferred"]["due"][:19] == due.isoformat()[:19]

    def test_is_left_to_the_next_day_where_nothing_is_calculated(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        listenbrainz.faults["recordings"] = [Answer(204)]

        self.defers_by_a_day(cloud, TUESDAY, "not_calculated", "has not calculated the week 2026-11-16 to 2026-11-22")
        assert listenbrainz.endpoints == ["recordings"]

    def test_is_left_to_the_next_day_where_the_list_is_empty(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        listenbrainz.rows = []

        self.defers_by_a_day(cloud, TUESDAY, "not_calculated", "lists nothing")

    def test_is_left_to_the_next_day_where_it_is_still_the_one_before(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        # given a Monday morning on which nothing was calculated anew
        listenbrainz.pass_weeks(-1)
        self.defers_by_a_day(
            cloud, MONDAY_MORNING, "last_week", "still tells of the week 2026-11-09 to 2026-11-15, and not yet"
        )

        # when the deferred run starts on the Tuesday
        listenbrainz.pass_weeks(1)
        ((event, _),) = cloud.deferred()
        (chart,) = run(event)["charts"]

        # then the week is complete
        assert (chart["outcome"], cloud.keys()) == ("ok", [KEY])

    def test_is_deferred_once_however_often_the_invocation_is_repeated(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz
    ) -> None:
        listenbrainz.withheld["recordings"] = Answer(204)
        run()
        run()

        assert len(cloud.deferred()) == 1

    def test_fails_after_the_third_deferral(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.withheld["recordings"] = Answer(204)

        with pytest.raises(FailedRunError, match=r"no chart of the week 2026-11-16 .* not deferred: it was 3 times"):
            run({**TUESDAY, "deferrals": 3})

        assert (cloud.keys(), cloud.deferred()) == ([], [])

    def test_is_gone_once_another_has_taken_its_place(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.pass_weeks(1)

        with pytest.raises(FailedRunError, match=r"2026-11-16 to 2026-11-22 is gone: .* 2026-11-23 to 2026-11-29"):
            run()

        assert cloud.keys() == []


class TestFaultsOfTheStatistics:
    @pytest.mark.parametrize(
        ("fault", "told"),
        [
            (refusal(400, "Invalid range: week"), "was refused with 400: Invalid range: week"),
            (refusal(403, "blocked"), "was refused with 403: blocked"),
            (refusal(500, "An unknown error occured."), r"An unknown error occured. \(500\)"),
            (Answer(200, '{"payload": {"range": "week", "recordings": [{"recor'), "not a JSON object|no JSON object"),
            (Answer(200, statistics([row(1)], range="month")), "its range is 'month'"),
            (requests.ConnectionError("reset"), "ConnectionError"),
            (requests.Timeout(), "did not come in time"),
        ],
    )
    def test_end_the_run_with_a_sentence_and_write_nothing(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz, fault: Answer | Exception, told: str
    ) -> None:
        listenbrainz.withheld["recordings"] = fault

        with pytest.raises(FailedRunError, match=told):
            run()

        assert (cloud.keys(), cloud.deferred()) == ([], [])
        assert listenbrainz.endpoints in (["recordings"], ["recordings"] * 5)

    def test_pass_if_they_are_short(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        # given a limit that ends at once, a fault of the server and half an answer
        listenbrainz.faults["recordings"] = [
            refusal(429, "Slow down", X_RateLimit_Reset_In="0", **SPENT),
            refusal(503, "Busy"),
            Answer(200, '{"payload": {"ra'),
        ]

        # then the fourth call brings the chart
        summary = run()
        assert (summary["charts"][0]["outcome"], summary["calls"]) == ("ok", 5)
        assert cloud.keys() == [KEY]

    def test_defer_the_run_if_a_limit_outlasts_it(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.withheld["recordings"] = refusal(429, "Slow down", X_RateLimit_Reset_In="3600")

        before = datetime.now(UTC)
        (chart,) = run()["charts"]

        assert (chart["outcome"], cloud.keys()) == ("quota", [])
        ((_, due),) = cloud.deferred()
        assert timedelta(hours=1) < due - before < timedelta(hours=1, minutes=5)
        assert listenbrainz.endpoints == ["recordings"]

    def test_defer_the_run_if_its_time_is_up(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        assert run(context=Context("earworm-dev-listenbrainz", seconds_left=29))["charts"][0]["outcome"] == "quota"
        assert listenbrainz.asked == []
        assert len(cloud.deferred()) == 1


class TestALookUpThatFails:
    @pytest.mark.parametrize(
        ("fault", "finding"),
        [
            (refusal(400, "Recording mbid is not valid."), "refused:400"),
            (refusal(503, "Busy"), "failed:503"),
            (refusal(429, "Slow down", X_RateLimit_Reset_In="3600"), "quota"),
            (Answer(204), "failed:204"),
            (Answer(200, '{"0000": {"recording": {"na'), "failed:unreadable"),
            (Answer(200, "[]"), "failed:unreadable"),
            (Answer(200, '{"0000": NaN}'), "failed:unreadable"),
            (requests.ConnectionError("reset"), "failed:connection"),
        ],
    )
    def test_never_costs_the_chart_and_is_told(
        self, cloud: Cloud, listenbrainz: FakeListenBrainz, fault: Answer | Exception, finding: str
    ) -> None:
        listenbrainz.withheld["metadata"] = fault

        (chart,) = run()["charts"]

        assert (chart["outcome"], chart["entries"]) == ("ok", 3)
        assert f"recording_metadata {finding}" in chart["sentence"]
        assert len(cloud.rows()) == 3
        (lookup,) = cloud.chart().lookups
        assert (lookup.outcome, "document" in json.loads(cloud.body())["lookups"][0]) == (finding, False)
        assert cloud.deferred() == []

    def test_takes_no_chart_s_place_that_had_one(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        run()
        listenbrainz.withheld["metadata"] = refusal(503, "Busy")

        run()

        assert cloud.chart().lookups[0].outcome == "ok"

    def test_is_made_good_by_another_run(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.faults["metadata"] = [refusal(400, "No")]
        run()

        run()

        assert cloud.chart().lookups[0].outcome == "ok"

    def test_is_none_where_nobody_knows_the_recordings(self, cloud: Cloud, listenbrainz: FakeListenBrainz) -> None:
        listenbrainz.faults["metadata"] = [Answer(200, {})]

        (chart,) = run()["charts"]

        assert chart["sentence"] is None
        assert cloud.chart().lookups[0].outcome == "ok"
