"""`python -m tests.benchmarks.tracing_overhead`: what tracing costs a transformer's warm invocation.

One process alternates between invocations with and without tracing, over an S3 in process and a UDP port that takes
the traces, so that both meet the same machine. On AWS each of the S3 calls takes some milliseconds more, and the
ratio is smaller.
"""

import os
import time
from contextlib import redirect_stdout
from io import StringIO
from statistics import median

from aws_xray_sdk import global_sdk_config
from moto import mock_aws

from tests.documents import entry, playlist, track
from tests.integration.cloud import BUCKET, Context, make_cloud
from tests.integration.tables import DATABASE, declare_tables
from tests.unit.shared.daemon import header, listening

ROUNDS = 150
ENTRIES = 50


def measure() -> tuple[float, float]:
    """The median milliseconds of an invocation without tracing and with it."""
    os.environ |= {"POWERTOOLS_LOG_LEVEL": "CRITICAL", "POWERTOOLS_METRICS_NAMESPACE": "Earworm/benchmark"}
    from contracts.tables.songs import SONGS  # noqa: PLC0415 - what it imports reads the environment
    from services.songs.transform import songs  # noqa: PLC0415
    from shared.worker import transformer  # noqa: PLC0415

    taken: dict[bool, list[float]] = {False: [], True: []}
    with mock_aws(), redirect_stdout(StringIO()):
        cloud = make_cloud()
        declare_tables()
        os.environ |= {"QUEUE_URL": cloud.queue}
        os.environ |= {"S3_BUCKET": BUCKET, "DEAD_LETTER_QUEUE_URL": cloud.dead_letters, "SERVICE_VERSION": "1.0.0"}
        os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "GLUE_DATABASE": DATABASE}
        cloud.put_raw(playlist(*(entry(track(f"Track {number}")) for number in range(ENTRIES))))
        batch = cloud.batch()
        handler = transformer(table=SONGS, transform=songs)
        batch["Records"][0]["attributes"]["AWSTraceHeader"] = header()
        with listening() as daemon:
            for round_ in range(2 * ROUNDS + 10):
                is_traced = bool(round_ % 2)
                global_sdk_config.set_sdk_enabled(is_traced)
                began = time.perf_counter()
                assert handler(batch, Context()) == {"batchItemFailures": []}
                if round_ >= 10:
                    taken[is_traced].append(1000 * (time.perf_counter() - began))
                assert bool(daemon.documents()) == is_traced
    return median(taken[False]), median(taken[True])


def main() -> None:
    """Prints the figures."""
    without, with_ = measure()
    print(  # noqa: T201 - it is what the script is for
        f"warm invocation of songs, {ENTRIES} entries, median of {ROUNDS} each in turn: "
        f"{without:.1f} ms without tracing, {with_:.1f} ms with it, ratio {with_ / without:.3f}"
    )


if __name__ == "__main__":
    main()
