import pytest

from infra.local.emulator.scheduler import context_attributes, substitute

ATTRIBUTES = context_attributes(1_795_330_807.4, arn="arn:aws:scheduler:::schedule/default/weekly", execution_id="e-1")


@pytest.mark.parametrize(
    ("given", "then"),
    [
        ('{"scheduled_time": "<aws.scheduler.scheduled-time>"}', '{"scheduled_time": "2026-11-22T07:00:00Z"}'),
        ("<aws.scheduler.execution-id>/<aws.scheduler.attempt-number>", "e-1/1"),
        ("<aws.scheduler.schedule-arn>", "arn:aws:scheduler:::schedule/default/weekly"),
        ("<aws.scheduler.unknown>", "<aws.scheduler.unknown>"),
    ],
)
def test_context_attributes_are_substituted(given: str, then: str) -> None:
    assert substitute(given, ATTRIBUTES) == then
