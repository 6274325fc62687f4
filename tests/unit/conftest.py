from tests.clock import noon_of_a_wednesday

__all__ = ["noon_of_a_wednesday"]
