from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from moto import mock_aws

from infra.cli import catalog as catalogs
from infra.cli import deployment
from infra.cli.cloud import Cloud
from infra.cli.deployment import Tell, chosen
from infra.cli.screen import ConsoleError, UsageError
from infra.deploying import deploy as deploying
from infra.deploying.build import BuildError
from infra.deploying.deploy import Change, DeployedStack, Deployment, Plan, Stack, ThrottledError
from infra.deploying.secrets import store_spotify_secret
from infra.deploying.stacks import ANALYTICS, CATALOG, COMPONENTS, PLATFORM

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

SONGS = Stack("earworm-dev-songs", Path("template.yaml"), {}, {})


@dataclass
class FakeCloudFormation:
    """Remembers what was discarded and what was executed."""

    discarded: list[str] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)

    def delete_change_set(self, **asked: str) -> None:
        self.discarded.append(asked["ChangeSetName"])

    def execute_change_set(self, **asked: str) -> None:
        self.executed.append(asked["ChangeSetName"])


@pytest.fixture
def cloudformation() -> FakeCloudFormation:
    return FakeCloudFormation()


@pytest.fixture
def destination(cloudformation: FakeCloudFormation) -> deployment._Destination:
    client = cast("CloudFormationClient", cloudformation)
    return deployment._Destination(Cloud("dev", {}), client, cast("S3Client", None), {})


def test_components_come_in_their_order_and_all_without_a_name() -> None:
    assert chosen(["songs", PLATFORM, "albums"], among=COMPONENTS) == [PLATFORM, "albums", "songs"]
    assert chosen([], among=COMPONENTS) == COMPONENTS


def test_an_unknown_component_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConsoleError, match="There is no concerts: choose among platform, catalog, albums"):
        chosen(["songs", "concerts"], among=COMPONENTS)


def test_all_and_names_exclude_each_other() -> None:
    with pytest.raises(ConsoleError, match="--all and songs exclude each other"):
        deployment.deploy(["songs"], everything=True)


def test_what_is_set_may_hold_an_equals_sign() -> None:
    assigned = deployment._assigned(["Market=", "PlaylistIds=a=b"], "--set", "parameter")

    assert assigned == {"Market": "", "PlaylistIds": "a=b"}


@pytest.mark.parametrize(("throttles", "outcome"), [(0, "done"), (1, "done"), (2, "refused")])
def test_a_stack_that_was_throttled_is_deployed_once_more(
    destination: deployment._Destination, monkeypatch: pytest.MonkeyPatch, throttles: int, outcome: str
) -> None:
    attempts: list[str | None] = []

    def execute(_client: object, plan: Plan, _report: object) -> Deployment:
        attempts.append(plan.change_set_id)
        if len(attempts) <= throttles:
            raise ThrottledError("Rate exceeded")
        return Deployment("earworm-dev-songs", (), {})

    monkeypatch.setattr(deploying, "execute", execute)
    monkeypatch.setattr(deploying, "prepare", lambda *_: Plan(SONGS, "stack", "second", (), is_new=True))
    planned = deployment._Planned(Plan(SONGS, "stack", "first", (), is_new=True), None)

    with pytest.raises(ThrottledError) if outcome == "refused" else nullcontext():
        deployment._execute(destination, planned, lambda *_, **__: None)

    assert attempts == ["first", "second"][: throttles + 1]


@pytest.mark.parametrize(("limit", "warned"), [(10, True), (1000, False)])
def test_a_new_accounts_concurrency_is_told_with_what_follows(
    limit: int, *, warned: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    account = SimpleNamespace(get_account_settings=lambda: {"AccountLimit": {"ConcurrentExecutions": limit}})
    monkeypatch.setattr(Cloud, "client", lambda *_: account)

    deployment._warn_of_little_concurrency(Cloud("dev", {}))

    told = " ".join(capsys.readouterr().err.split())
    assert ("Lambda runs 10 functions at once here" in told) == ("--quota-code L-B99A9384" in told) == warned


@pytest.mark.parametrize("assignment", ["LogLevel", "=DEBUG"])
@pytest.mark.parametrize(
    ("option", "what"), [("assignments", "--set {} sets no parameter"), ("tags", "--tag {} sets no tag")]
)
def test_what_sets_nothing_is_refused(assignment: str, option: str, what: str) -> None:
    with pytest.raises(UsageError, match=f"{what.format(assignment)}: write NAME=VALUE"):
        deployment.deploy(**{option: [assignment]})  # type: ignore[arg-type]


def test_a_component_that_fails_is_told_and_stops_no_other() -> None:
    def work(component: str, tell: Tell) -> str:
        tell("working")
        if component == "songs":
            raise BuildError("The bundle of songs is too large.")
        return f"{component} is done"

    failures: list[str] = []
    done = deployment._side_by_side(["albums", "songs", "audit"], work, failures)

    assert done == {"albums": "albums is done", "audit": "audit is done"}
    assert failures == ["The bundle of songs is too large."]


def test_whatever_holds_data_is_lost_only_after_a_question(
    destination: deployment._Destination, cloudformation: FakeCloudFormation
) -> None:
    # given a plan that replaces a queue, and nobody to ask
    loss = Change("Modify", "Queue", "AWS::SQS::Queue", replacement="yes")
    planned = {"songs": deployment._Planned(Plan(SONGS, "stack", "change-set", (loss,), is_new=False), None)}

    # when it is to be carried out
    with pytest.raises(ConsoleError, match=r"earworm-dev-songs: Queue \(AWS::SQS::Queue\)\. .* add --yes"):
        deployment._carry_out(destination, planned, [], yes=False)

    # then nothing is done and nothing is left behind
    assert (cloudformation.executed, cloudformation.discarded) == ([], ["change-set"])


@pytest.mark.parametrize(
    ("client_id", "lost"),
    [("mine", []), ("another", ["earworm/prod/spotify: the consent of 2026-11-01T00:00:00+00:00"])],
)
def test_the_consent_that_another_application_would_replace_counts_as_lost(client_id: str, lost: list[str]) -> None:
    consent = {"refresh_token": "token", "consented_at": "2026-11-01T00:00:00+00:00"}
    cloud = Cloud("prod", {"SPOTIPY_CLIENT_ID": client_id, "SPOTIPY_CLIENT_SECRET": "secret"})
    with mock_aws():
        store_spotify_secret(cloud.client("secretsmanager"), "prod", "mine", "secret", consent)

        assert deployment._consent_at_stake(cloud) == lost
        assert deployment._consent_at_stake(Cloud("prod", {})) == deployment._consent_at_stake(Cloud("dev", {})) == []


@pytest.mark.parametrize(
    ("variables", "parameters", "named"),
    [
        ({"PLAYLIST_ID": "Top 50"}, {}, "PLAYLIST_ID: not a playlist: 'Top 50'"),
        (
            {"PLAYLIST_ID": "3cEYpjA9oz9GiPac4AsH4n"},
            {"PlaylistIds": "a,b"},
            "--set PlaylistIds: not a playlist: 'a'",
        ),
    ],
)
def test_playlists_that_are_none_are_refused_before_anything_is_deployed(
    variables: dict[str, str], parameters: dict[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deployment, "_check", lambda *_: None)

    with pytest.raises(UsageError, match=f"{named}.* Nothing was deployed"):
        deployment.deploy_components(Cloud("dev", variables), [PLATFORM, "extractor"], parameters)


EVERYTHING = [PLATFORM, CATALOG, "albums", "audit", "songs", ANALYTICS]
OTHERS = ["albums", "audit", "songs", ANALYTICS]


@pytest.mark.parametrize(
    ("components", "catalog", "owners", "stages"),
    [
        (EVERYTHING, None, [], [[CATALOG], OTHERS]),
        (EVERYTHING, "CREATE_COMPLETE", [], [[CATALOG], OTHERS]),
        (EVERYTHING, None, [PLATFORM, "albums", "songs"], [OTHERS, [CATALOG]]),
        (EVERYTHING, "ROLLBACK_COMPLETE", ["songs"], [OTHERS, [CATALOG]]),
        ([CATALOG], None, [], [[CATALOG]]),
        (["audit", ANALYTICS], None, ["songs"], [["audit", ANALYTICS]]),
        (["songs"], "UPDATE_COMPLETE", [], [["songs"]]),
        ([PLATFORM], None, [], []),
        (["songs"], None, [], "dev does not declare songs: run `earworm deploy catalog` first, or deploy everything"),
        (["albums", "songs"], "CREATE_COMPLETE", [], "dev does not declare albums: run"),
        ([CATALOG, "songs"], None, [PLATFORM, "songs"], "tables in the stacks of platform: .* by `earworm deploy`"),
    ],
)
def test_tables_are_declared_before_they_are_written_and_after_others_gave_them_up(
    components: list[str],
    catalog: str | None,
    owners: list[str],
    stages: list[list[str]] | str,
    *,
    destination: deployment._Destination,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    standing = catalog and DeployedStack("earworm-dev-catalog", catalog, None, datetime.now(UTC))
    monkeypatch.setattr(deploying, "standing", lambda *_: standing)
    monkeypatch.setattr(catalogs, "owns_tables", lambda _, component: component in owners)
    monkeypatch.setattr(catalogs, "declared_by", lambda *_: {"songs": {}} if catalog else {})

    if isinstance(stages, str):
        with pytest.raises(ConsoleError, match=stages):
            deployment._stages(destination, components)
    else:
        assert deployment._stages(destination, components) == stages


@pytest.mark.parametrize(("deployed", "left_out"), [((), ["listenbrainz"]), (("listenbrainz",), [])])
def test_what_is_optional_is_left_out_of_everything_until_it_was_deployed_by_name(
    deployed: tuple[str, ...], left_out: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(deploying, "standing", lambda _client, _environment, name: name if name in deployed else None)
    monkeypatch.setattr(Cloud, "client", lambda *_: None)

    assert [each for each in COMPONENTS if each not in deployment._switched_on(Cloud("dev", {}))] == left_out
    assert ("`earworm deploy listenbrainz` turns it on" in " ".join(capsys.readouterr().out.split())) == bool(left_out)


@pytest.mark.parametrize(
    ("variables", "parameters", "is_deployed", "refused"),
    [
        ({}, {}, False, True),
        ({"LISTENBRAINZ_CONTACT": ""}, {}, False, True),
        ({}, {}, True, False),
        ({"LISTENBRAINZ_CONTACT": "charts@label.example"}, {}, False, False),
        ({}, {"Contact": "https://label.example/charts"}, False, False),
    ],
)
def test_listenbrainz_is_not_deployed_without_somebody_to_ask(
    variables: dict[str, str],
    parameters: dict[str, str],
    is_deployed: bool,  # noqa: FBT001
    refused: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(deploying, "standing", lambda *_: "it" if is_deployed else None)
    destination = deployment._Destination(
        Cloud("dev", variables), cast("CloudFormationClient", None), cast("S3Client", None), parameters
    )

    with pytest.raises(UsageError, match="LISTENBRAINZ_CONTACT is not set") if refused else nullcontext():
        deployment._check_contact(destination)
