"""What services and console say to each other: requests, answers, dead letters' diagnoses, and the events of the log.

One module an interaction, so that no service pays at its cold start for the models of another.
"""
