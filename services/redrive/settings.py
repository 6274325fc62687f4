from shared.settings import Settings


class RedriveSettings(Settings):
    """What the redrive needs to know.

    Attributes:
        queue_prefix: What the names of the environment's queues begin with, such as `earworm-dev-`.
    """

    queue_prefix: str
