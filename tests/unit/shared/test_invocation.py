import gc

from shared.invocation import ready


def test_what_cold_start_made_is_out_of_the_reach_of_the_collector_which_goes_on() -> None:
    frozen = gc.get_freeze_count()
    gc.disable()  # as a handler's module begins
    try:
        handler = ready(lambda event, _: event)

        assert handler({"kept": "as it is"}, None) == {"kept": "as it is"}
        assert gc.isenabled()
        assert gc.get_freeze_count() > frozen
    finally:
        gc.unfreeze()  # duckdb would take what is frozen for a leak
        gc.enable()
