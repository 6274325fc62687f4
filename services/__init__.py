"""The functions, each with a process of its own."""

import gc

# What imports and documents make is no cyclic garbage, yet the collector would go through all of it after every 700
# objects: a fifth of the time that a large snapshot takes.
gc.set_threshold(100_000)
