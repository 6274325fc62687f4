from shared.settings import Settings


class RedriveSettings(Settings):
    """The settings of the redrive.

    Attributes:
        queue_prefix: The prefix of the names of the environment's queues, such as `earworm-dev-`.
    """

    queue_prefix: str
