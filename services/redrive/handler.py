import gc

gc.disable()  # hardly any of what cold start makes is garbage; `ready` freezes it and enables the collector again

from services.redrive.redrive import redriver
from shared.invocation import ready

lambda_handler = ready(redriver())
