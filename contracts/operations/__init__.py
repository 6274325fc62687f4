"""The interface of services and console: requests, answers, diagnoses of dead letters, and log events.

One module per interaction, so that no service's cold start pays for the models of another.
"""
