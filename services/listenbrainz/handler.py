import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from services.listenbrainz.collect import collector
from shared.invocation import ready

lambda_handler = ready(collector())
