"""Log events, which programs that read the log rely on: a line's sentence is for people and may change."""

from enum import StrEnum

from typing_extensions import TypedDict


class LogEvent(StrEnum):
    """The field `event` of a log line."""

    RUN_BEGINS = "run_begins"
    RUN_OVER = "run_over"
    RUN_DEFERRED = "run_deferred"
    SNAPSHOT_STORED = "snapshot_stored"
    SNAPSHOT_KEPT = "snapshot_kept"
    PLAYLIST_INCOMPLETE = "playlist_incomplete"
    EARLIER_SNAPSHOT_UNUSABLE = "earlier_snapshot_unusable"
    ENRICHMENT_INCOMPLETE = "enrichment_incomplete"
    LOOKUP_FAILED = "lookup_failed"
    PROVIDER_GIVEN_UP = "provider_given_up"
    CALL_REPEATED = "call_repeated"

    TABLE_COMPLETE = "table_complete"
    MESSAGE_RETURNED = "message_returned"
    MESSAGE_DEAD_LETTERED = "message_dead_lettered"

    LETTERS_LOOKED_THROUGH = "letters_looked_through"
    LETTER_SETTLED = "letter_settled"
    LETTER_STAYS = "letter_stays"

    GAP_FOUND = "gap_found"
    AUDIT_DONE = "audit_done"
    AUDIT_LETTER_SENT = "audit_letter_sent"

    REPORT_DONE = "report_done"


class TableComplete(TypedDict):
    """The fields of `TABLE_COMPLETE` beside table, raw key and run."""

    entries: int
    rows: int
    rejected: int
    refused_values: int
    skipped: dict[str, int]
    seconds_from_raw_to_table: float


class MessageReturned(TypedDict):
    """The fields of `MESSAGE_RETURNED` beside table, raw key, run and exception."""

    message_id: str
    receive_count: int


class MessageDeadLettered(TypedDict):
    """The fields of `MESSAGE_DEAD_LETTERED` beside table, raw key and run."""

    location: str
    sentence: str
