"""What the report says beyond chance, against numbers worked out by hand or known from elsewhere."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.report.statistics import Estimate, difference, mean, share, survival


@given(st.integers(1, 10_000).flatmap(lambda whole: st.tuples(st.integers(0, whole), st.just(whole))))
def test_a_share_is_in_its_interval_and_that_between_nothing_and_all(numbers: tuple[int, int]) -> None:
    found = share(*numbers)

    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


def test_wilsons_interval_is_not_of_no_width_where_nothing_was_seen() -> None:
    z_squared = 2.575829**2

    assert share(0, 100) == pytest.approx((0, 0, z_squared / (100 + z_squared)), abs=1e-6)
    assert share(50, 100) == pytest.approx((0.5, 0.37528, 0.62472), abs=1e-4)


def test_an_average_of_too_few_is_none() -> None:
    assert mean(0.5, 0.1, 19) is None
    assert mean(0.5, None, 100) is None
    found = mean(0.5, 0.1, 100)
    assert found
    assert found == pytest.approx((0.5, 0.5 - 0.0257583, 0.5 + 0.0257583))


def test_a_change_is_clear_where_its_interval_leaves_nothing_out() -> None:
    assert difference(share(120, 200), share(60, 200)).is_clear
    assert not difference(share(62, 200), share(60, 200)).is_clear
    assert not difference(Estimate(0.5, 0.4, 0.6), Estimate(0.5, 0.4, 0.6)).is_clear


def test_who_is_still_there_counts_as_long_as_it_was_seen() -> None:
    # given 20 that came: 4 left after a week, 6 are new and not seen longer; of the other 10 one left after two
    stays = [
        {"weeks": 0, "gone": 0, "still": 6},
        {"weeks": 1, "gone": 4, "still": 0},
        {"weeks": 2, "gone": 1, "still": 9},
    ]

    curve = survival(stays)

    # then 4 of 14 left after a week, and 1 of 10 after another
    assert [each.weeks for each in curve] == [0, 1, 2]
    assert [each.share.value for each in curve] == pytest.approx([1, 10 / 14, 10 / 14 * 9 / 10])
    assert all(0 <= each.share.low <= each.share.value <= each.share.high <= 1 for each in curve)


def test_a_curve_ends_where_fewer_than_ten_are_watched() -> None:
    assert len(survival([{"weeks": 3, "gone": 9, "still": 0}])) == 1
    assert survival([])[0].share.value == 1


def test_a_curve_in_which_all_leave_ends_at_nothing() -> None:
    assert survival([{"weeks": 1, "gone": 12, "still": 0}])[-1].share == (0, 0, 0)
