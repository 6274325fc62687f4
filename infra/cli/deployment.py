"""Components deployed side by side, removed, and told how they stand."""

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Annotated, TypeAlias, TypeVar

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.markup import escape

from analytics.wording import counted
from contracts.playlists import playlist_ids_between_commas
from contracts.tables import TABLES
from infra.cli import catalog
from infra.cli.cloud import Cloud, confirm, find_cloud
from infra.cli.completion import one_of
from infra.cli.environment import Environment
from infra.cli.screen import ConsoleError, UsageError, err, grid, out, progress
from infra.deploying import build as bundles
from infra.deploying import changes, retained, secrets, stacks
from infra.deploying import deploy as deploying
from infra.deploying.stacks import CATALOG, COMPONENTS, OPTIONAL, PLATFORM, ROOT, SERVICES
from infra.local.spotify.client import find_simulator

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_s3 import S3Client

Tell: TypeAlias = Callable[..., object]
"""Tells the stage that a component has reached, and how many of its resources are done."""

ResultT = TypeVar("ResultT")
_BUILDERS = BoundedSemaphore(os.cpu_count() or 1)
_STACKS = BoundedSemaphore(3)
"""Stacks at a time: each makes its resources at once, and CloudWatch takes three calls of PutMetricAlarm a second.

Source: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
"""
_CONCURRENT = 2 * len(SERVICES)
"""The concurrent executions that a run can make use of."""


@dataclass(frozen=True, slots=True)
class _Destination:
    """Where to deploy. Clients are made once, for to make one is not safe in threads."""

    cloud: Cloud
    cloudformation: "CloudFormationClient"
    s3: "S3Client"
    parameters: Mapping[str, str]
    tags: Mapping[str, str] = field(default_factory=dict)
    role_arn: str | None = None

    def keep(self, template: str) -> str:
        """Upload a template that is too large to be sent, and tell its address."""
        return deploying.upload_template(self.s3, self.cloud.platform.artifacts_bucket, template)


@dataclass(frozen=True, slots=True)
class _Planned:
    """What is to be done for a component; platform, catalog and analytics have no bundle."""

    plan: deploying.Plan
    bundle: bundles.Bundle | None


def deploy(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SERVICE",
            autocompletion=one_of(lambda: COMPONENTS),
            help="Services; `platform` is what they share, `catalog` the tables, `analytics` views and queries.",
        ),
    ] = None,
    environment: Environment = "dev",
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Template parameter; repeat it.")
    ] = None,
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", metavar="NAME=VALUE", help="Tag of stacks and all that is in them; it stays. Repeat it."),
    ] = None,
    role_arn: Annotated[
        str | None,
        typer.Option(
            envvar="EARWORM_CLOUDFORMATION_ROLE_ARN",
            help="Role that CloudFormation acts in, from then on; else whoever deploys needs all rights.",
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All but what is optional and not deployed yet, as without a name.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change, and leave nothing behind.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Replace or remove what holds data without a question.")] = False,
) -> None:
    """Deploy services, each in a stack of its own; platform and catalog come first."""
    if everything and names:
        raise UsageError(f"--all and {', '.join(names)} exclude each other: name one of them.")
    components = chosen(names, among=COMPONENTS)
    parameters = _assigned(assignments, "--set", "parameter")
    tagged = _assigned(tags, "--tag", "tag")
    cloud = find_cloud(environment, writes=True)
    if not names:
        components = _switched_on(cloud)
        _warn_of_little_concurrency(cloud)
    deploy_components(cloud, components, parameters, tags=tagged, role_arn=role_arn, dry_run=dry_run, yes=yes)


def remove(
    component: Annotated[
        str,
        typer.Argument(
            metavar="SERVICE",
            autocompletion=one_of(lambda: COMPONENTS),
            help="Service; `platform` when it is the last.",
        ),
    ],
    environment: Environment = "dev",
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without a question.")] = False,
) -> None:
    """Remove the stack of one service. The lake keeps what the service wrote."""
    chosen([component], among=COMPONENTS)
    cloud = find_cloud(environment, writes=True)
    cloudformation = cloud.client("cloudformation")
    name = stacks.stack_name(environment, component)
    if deploying.standing(cloudformation, environment, component) is None:
        raise ConsoleError(f"{name} is not deployed at {cloud.address}: `earworm services` shows what is.")
    if component == PLATFORM:
        users = [each for each in COMPONENTS[1:] if deploying.standing(cloudformation, environment, each)]
        if users:
            raise ConsoleError(f"{name} is needed by {', '.join(users)}: remove these first.")
    for each in deploying.held(cloudformation, name):
        out.print(f"  {each}", soft_wrap=True, markup=False)
    confirm(f"Remove {name} at {cloud.address}, with these and what they hold?", yes=yes)
    with progress() as bar:
        task = bar.add_task(component, total=None, note="removing")
        kept = deploying.remove(cloudformation, name, lambda done: bar.update(task, completed=done))
    out.print(f"{name} is removed.")
    if kept:
        out.print(f"Its template keeps {', '.join(kept)}.", soft_wrap=True)
    if component in TABLES:
        out.print(
            "Its rows, receipts and rejected rows stay in the lake and can be queried. Once it is deployed again, "
            f"`earworm replay --from DAY --to DAY --table {component}` announces what it missed."
        )


def services(environment: Environment = "dev") -> None:
    """Show what is deployed: the version of each service, its status and when it was deployed last."""
    cloud = find_cloud(environment)
    rows: list[tuple[str | None, ...]] = []
    for component in COMPONENTS:
        standing = deploying.standing(cloud.client("cloudformation"), environment, component)
        if standing is None:
            rows.append((component, None, "not deployed", None))
        else:
            rows.append((component, standing.version, standing.status, f"{standing.changed_at:%Y-%m-%d %H:%M}"))
    names = ("component", "version", "status", "deployed (UTC)")
    out.print(grid(f"Stacks of {environment} at {cloud.address}", names, rows))


def changed(
    since: Annotated[str, typer.Option(help="Commit to compare the current one with.")],
) -> None:
    """Name the components that are to be deployed since a commit, one a line."""
    for component in changes.concerned(changes.paths_since(since)):
        out.print(component)


def build(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="SERVICE", autocompletion=one_of(lambda: SERVICES), help="Services. [default: all]"),
    ] = None,
) -> None:
    """Build bundles without deploying them, and measure them against their budgets."""
    target = bundles.target_of(os.environ)
    failures: list[str] = []
    built = _side_by_side(chosen(names, among=SERVICES), partial(_build, target), failures)
    rows = [(bundle.service, bundle.version, *_sizes(bundle)) for bundle in built.values()]
    out.print(
        grid(
            f"Bundles for {target.name}, Python {target.python}",
            ("service", "version", *_SIZES),
            rows,
            numbers=range(2, 6),
        )
    )
    _print_cost_of_no_bytecode(target)
    _end(failures)


def chosen(names: Sequence[str] | None, *, among: Sequence[str]) -> Sequence[str]:
    """The components that were named, all if none was.

    Raises:
        UsageError: There is none of such a name.
    """
    unknown = set(names or ()) - set(among)
    if unknown:
        raise UsageError(f"There is no {', '.join(sorted(unknown))}: choose among {', '.join(among)}.")
    return [name for name in among if name in names] if names else among


def deploy_components(
    cloud: Cloud,
    components: Sequence[str],
    parameters: Mapping[str, str] | None = None,
    *,
    tags: Mapping[str, str] | None = None,
    role_arn: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """Deploy the platform, the catalog, then services side by side.

    Args:
        cloud: Where to.
        components: What, the platform first if it is among them.
        parameters: Parameters of the templates, which each of them must have.
        tags: Tags of the stacks, beside their own and those that they have.
        role_arn: The role that CloudFormation acts in; else the last one, or the caller's.
        dry_run: Whether to show only what would change.
        yes: Whether what holds data may be replaced or removed without a question.

    Raises:
        ConsoleError: A parameter is none of a template's, data would be lost and nobody agreed, or a component
            failed; none stops another, but no service is deployed to a platform that failed.
    """
    to = _Destination(cloud, cloud.client("cloudformation"), cloud.client("s3"), parameters or {}, tags or {}, role_arn)
    _check(to, components)
    if "extractor" in components:
        _check_playlists(cloud.variables.get("PLAYLIST_ID", ""), "PLAYLIST_ID")
        _check_playlists(to.parameters.get("PlaylistIds", ""), "--set PlaylistIds")
    if "listenbrainz" in components:
        _check_contact(to)
    stages = _stages(to, components)
    failures: list[str] = []

    def proceed(planned: Mapping[str, _Planned]) -> None:
        _print_plans(planned, in_full=dry_run)
        if dry_run:
            _discard(to, planned)
        else:
            _carry_out(to, planned, failures, yes=yes)
        _end(failures)

    if PLATFORM in components:
        if not dry_run and (taken := retained.take_back(to.cloudformation, to.s3, cloud.environment, role_arn)):
            out.print(f"Taken back into {stacks.stack_name(cloud.environment, PLATFORM)}: {', '.join(taken)}.")
        proceed(_plan_platform(to, failures))
    for stage in stages:
        planned = _plan_components(to, stage, failures)
        proceed(planned)
        if not dry_run and CATALOG in planned and planned[CATALOG].plan.changes:
            out.print(f"  {catalog.register(cloud):,} partitions are registered that the catalog lacked.")


def _switched_on(cloud: Cloud) -> list[str]:
    """All components but the optional ones that are not deployed. Says which are left out."""
    cloudformation = cloud.client("cloudformation")
    off = [each for each in OPTIONAL if deploying.standing(cloudformation, cloud.environment, each) is None]
    for each in off:
        out.print(f"[dim]{each} is optional, and off: `{cloud.command(f'deploy {each}')}` turns it on.[/]")
    return [each for each in COMPONENTS if each not in off]


def _stages(to: _Destination, components: Sequence[str]) -> list[Sequence[str]]:
    """All but the platform, in the order in which they are deployed: the catalog, then services side by side.

    Where an older version's services still have their tables in their own stacks, they have to give them up first.

    Raises:
        ConsoleError: The deployed catalog lacks a service's table; or an owner of a table is not among the components.
    """
    services = [each for each in components if each not in {PLATFORM, CATALOG}]
    if CATALOG not in components:
        tables = [each for each in services if each in TABLES]
        declared = catalog.declared_by(to.cloud, CATALOG) if tables else {}
        if lacking := [table for table in tables if table not in declared]:
            raise ConsoleError(
                f"The deployed catalog of {to.cloud.environment} does not declare {', '.join(lacking)}: run "
                f"`{to.cloud.command('deploy catalog')}` first, or deploy everything."
            )
        return [services] if services else []
    deployed = deploying.standing(to.cloudformation, to.cloud.environment, CATALOG)
    if deployed is None or deployed.status == "ROLLBACK_COMPLETE":
        owners = [each for each in (PLATFORM, *TABLES) if catalog.owns_tables(to.cloud, each)]
        if absent := [each for each in owners if each not in components]:
            raise ConsoleError(
                f"An older version declared tables in the stacks of {', '.join(absent)}: deploy these together with "
                f"the catalog, by `{to.cloud.command('deploy')}`."
            )
        if owners:
            return [services, [CATALOG]]
    return [[CATALOG], services] if services else [[CATALOG]]


def _warn_of_little_concurrency(cloud: Cloud) -> None:
    try:
        limit = cloud.client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    except ClientError as fault:
        err.print(f"[dim]How many functions may run at once is not known: {escape(str(fault))}[/]", soft_wrap=True)
        return
    if limit < _CONCURRENT:
        err.print(
            f"[yellow]Lambda runs {limit} functions at once here, all of the account's together, and a run of Earworm "
            f"can use {_CONCURRENT}: tables come later, and messages that it turns away five times end as dead "
            f"letters, for `earworm dlq redrive`. Ask for more: `aws service-quotas request-service-quota-increase "
            f"--service-code lambda --quota-code L-B99A9384 --desired-value 1000`.[/]",
            soft_wrap=True,
        )


def _check(to: _Destination, components: Sequence[str]) -> None:
    for component in components if to.parameters else ():
        known = deploying.settable_parameters(to.cloudformation, component, to.keep)
        unknown = to.parameters.keys() - known
        if unknown:
            raise UsageError(
                f"The template of {component} has no parameter {', '.join(sorted(unknown))} to be set: choose among "
                f"{', '.join(sorted(known))}."
            )


def _check_playlists(references: str, name: str) -> None:
    try:
        playlist_ids_between_commas(references)
    except ValueError as fault:
        raise UsageError(f"{name}: {fault}. Nothing was deployed.") from None


def _check_contact(to: _Destination) -> None:
    given = to.parameters.get("Contact") or to.cloud.variables.get("LISTENBRAINZ_CONTACT")
    if not given and deploying.standing(to.cloudformation, to.cloud.environment, "listenbrainz") is None:
        raise UsageError(
            "LISTENBRAINZ_CONTACT is not set: ListenBrainz blocks callers that it cannot ask. Set it to an e-mail "
            "address or the address of a page, or add --set Contact=… Nothing was deployed."
        )


def _plan_platform(to: _Destination, failures: list[str]) -> dict[str, _Planned]:
    stack = deploying.component_stack(to.cloud.environment, PLATFORM, to.parameters)
    return _side_by_side([PLATFORM], lambda _, tell: _prepare(to, stack, None, tell), failures)


def _plan_components(to: _Destination, components: Sequence[str], failures: list[str]) -> dict[str, _Planned]:
    artifacts, settings = to.cloud.platform.artifacts_bucket, _settings(to.cloud)
    target = bundles.target_of(to.cloud.variables)

    def plan(service: str, tell: Tell) -> _Planned:
        if service not in SERVICES:
            return _prepare(to, deploying.component_stack(to.cloud.environment, service, to.parameters), None, tell)
        bundle = _build(target, service, tell)
        stack = deploying.service_stack(to.cloud.environment, bundle, artifacts, settings, to.parameters)
        return _prepare(to, stack, bundle, tell)

    planned = _side_by_side(components, plan, failures)
    if any(each.bundle for each in planned.values()):
        _print_cost_of_no_bytecode(target)
    return planned


def _prepare(to: _Destination, stack: deploying.Stack, bundle: bundles.Bundle | None, tell: Tell) -> _Planned:
    wanted = replace(stack, tags={**to.tags, **stack.tags}, role_arn=to.role_arn)
    with _STACKS:
        tell("preparing", done=0)
        plan = deploying.prepare(to.cloudformation, wanted, to.keep)
    tell("planned" if plan.changes else "unchanged", done=1)
    return _Planned(plan, bundle)


def _carry_out(to: _Destination, planned: Mapping[str, _Planned], failures: list[str], *, yes: bool) -> None:
    lost = [
        f"{each.plan.stack.name}: {change.resource} ({change.type})"
        for each in planned.values()
        for change in each.plan.changes
        if change.loses
    ]
    if "extractor" in planned and not to.cloud.is_local:
        lost += _consent_at_stake(to.cloud)
    if lost:
        try:
            confirm(f"What these hold is lost or left behind: {'; '.join(lost)}. Go on?", yes=yes)
        except (ConsoleError, typer.Abort):
            _discard(to, planned)
            raise
    if "extractor" in planned:
        _store_secret(to.cloud)
    done = _side_by_side(list(planned), lambda component, tell: _execute(to, planned[component], tell), failures)
    for deployment in done.values():
        number = len(deployment.changes)
        what = f"{counted(number, 'resource')} changed" if number else "[dim]unchanged[/]"
        out.print(f"  {deployment.stack:<36} {what}")
        if deployment.changes:
            outputs = "  ".join(f"{name}={value}" for name, value in sorted(deployment.outputs.items()))
            if outputs:
                out.print(f"[dim]    {escape(outputs)}[/]", soft_wrap=True)


def _discard(to: _Destination, planned: Mapping[str, _Planned]) -> None:
    for each in planned.values():
        deploying.discard(to.cloudformation, each.plan)


def _execute(to: _Destination, planned: _Planned, tell: Tell) -> deploying.Deployment:
    total, bundle = len(planned.plan.changes), planned.bundle
    if bundle and total:
        tell("uploading", total=total)
        before = deploying.standing(to.cloudformation, to.cloud.environment, bundle.service)
        deploying.upload(to.s3, to.cloud.platform.artifacts_bucket, bundle)

    def execute(plan: deploying.Plan, stage: str) -> deploying.Deployment:
        tell(stage if total else "unchanged", total=total)
        return deploying.execute(to.cloudformation, plan, lambda done: tell(stage, done=min(done, total)))

    with _STACKS:
        try:
            deployment = execute(planned.plan, "executing")
        except deploying.ThrottledError:
            deployment = execute(deploying.prepare(to.cloudformation, planned.plan.stack, to.keep), "once more")
    if bundle and total:
        deploying.supersede(to.s3, to.cloud.platform.artifacts_bucket, bundle, before.version if before else None)
    tell("done" if total else "unchanged", done=total)
    return deployment


def _side_by_side(
    components: Sequence[str], work: Callable[[str, Tell], ResultT], failures: list[str]
) -> dict[str, ResultT]:
    """Works on components at once, each with a line of progress; a failure is told in `failures` and stops no other."""
    if not components:
        return {}
    with progress() as bar, ThreadPoolExecutor(max_workers=len(components)) as pool:
        lines = {each: bar.add_task(f"{each:<17}", total=1, note="waiting") for each in components}

        def attempt(component: str) -> ResultT | None:
            def tell(stage: str, *, done: int | None = None, total: int | None = None) -> None:
                bar.update(lines[component], note=stage, completed=done, total=total)

            try:
                return work(component, tell)
            except (bundles.BuildError, deploying.DeployError) as fault:
                failures.append(str(fault))
            except (BotoCoreError, ClientError) as fault:
                failures.append(f"{component} was refused by the cloud: {fault}")
            tell("[red]failed[/]", done=0)
            return None

        results = dict(zip(components, pool.map(attempt, components), strict=True))
    return {component: result for component, result in results.items() if result is not None}


def _build(target: bundles.Target, service: str, tell: Tell) -> bundles.Bundle:
    with _BUILDERS:
        tell("building")
        bundle = bundles.build(service, target, ROOT / "build")
    tell("built", done=1)
    return bundle


def _print_cost_of_no_bytecode(target: bundles.Target) -> None:
    if cost := bundles.without_bytecode(target):
        out.print(f"[yellow]{cost}[/]", soft_wrap=True)


_SIZES = ("unzipped MB", "budget", "zipped MB", "budget")


def _sizes(bundle: bundles.Bundle) -> tuple[float | int, ...]:
    return (
        bundle.unzipped_bytes / bundles.MEGABYTE,
        bundle.budget.unzipped // bundles.MEGABYTE,
        bundle.zipped_bytes / bundles.MEGABYTE,
        bundle.budget.zipped // bundles.MEGABYTE,
    )


def _print_plans(planned: Mapping[str, _Planned], *, in_full: bool) -> None:
    """Prints bundles and what changes; the resources of a new stack are counted, unless they are asked for."""
    measured = [
        (each.bundle.service, each.bundle.version, *_sizes(each.bundle)) for each in planned.values() if each.bundle
    ]
    if measured:
        out.print(grid("Bundles", ("service", "version", *_SIZES), measured, numbers=range(2, 6)))
    rows: list[tuple[str | None, ...]] = []
    for component, each in planned.items():
        if each.plan.is_new and not in_full:
            rows.append((component, "Add", f"{len(each.plan.changes)} resources", "a new stack", None, None))
        else:
            rows += [
                (
                    component,
                    change.action,
                    change.resource,
                    change.type,
                    change.replacement if change.action == "Modify" else None,
                    ", ".join(change.causes) or None,
                )
                for change in each.plan.changes
            ]
    if rows:
        out.print(grid("Changes", ("component", "action", "resource", "type", "replaced", "for its"), rows))
    elif in_full and planned:
        out.print("Nothing would change.")


def _end(failures: Sequence[str]) -> None:
    if failures:
        raise ConsoleError("\n".join(failures))


def _assigned(assignments: Sequence[str] | None, option: str, what: str) -> dict[str, str]:
    assigned = {}
    for assignment in assignments or ():
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise UsageError(f"{option} {assignment} sets no {what}: write NAME=VALUE.")
        assigned[name] = value
    return assigned


def _settings(cloud: Cloud) -> dict[str, str]:
    settings = dict(cloud.variables)
    simulator = find_simulator(settings)
    if simulator and "PLAYLIST_ID" not in settings:
        settings["PLAYLIST_ID"] = ",".join(playlist.id for playlist in simulator.info().playlists)
    return settings


def _consent_at_stake(cloud: Cloud) -> list[str]:
    """The consent of a user that the credentials of another application would replace."""
    client_id, client_secret = _application(cloud)
    if not (client_id and client_secret):
        return []
    stored = secrets.stored_spotify_secret(cloud.client("secretsmanager"), cloud.environment) or {}
    if "refresh_token" not in stored or stored.get("client_id") == client_id:
        return []
    return [f"{secrets.spotify_secret_name(cloud.environment)}: the consent of {stored.get('consented_at')}"]


def _application(cloud: Cloud) -> tuple[str | None, str | None]:
    return cloud.variables.get("SPOTIPY_CLIENT_ID"), cloud.variables.get("SPOTIPY_CLIENT_SECRET")


def _store_secret(cloud: Cloud) -> None:
    client_id, client_secret = _application(cloud)
    if client_id and client_secret:
        secrets.store_spotify_secret(cloud.client("secretsmanager"), cloud.environment, client_id, client_secret)
