"""The functions, each with a process of its own."""

import gc

# Imports and documents make objects by the hundred thousand and hardly a circle among them, yet the collector looks
# after every 700 new ones: a twelfth of the time that a large snapshot takes.
gc.set_threshold(10_000)
