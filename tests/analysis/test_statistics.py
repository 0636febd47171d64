"""The statistics of a report against values from the literature, and against what must hold."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anygram.analysis.statistics import cohen_kappa, difference, mean, wilson


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    [  # Newcombe, Two-sided confidence intervals for the single proportion (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_as_published(successes, trials, low, high):
    assert wilson(successes, trials) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 60), st.integers(0, 60))
def test_wilson_holds_the_share(successes, failures):
    trials = successes + failures
    low, high = wilson(successes, trials)
    if not trials:
        assert math.isnan(low)
        assert math.isnan(high)
        return
    assert 0 <= low <= successes / trials <= high <= 1
    mirrored = wilson(failures, trials)
    assert (1 - high, 1 - low) == pytest.approx(mirrored)


def test_wilson_refuses_what_is_no_share():
    with pytest.raises(ValueError, match="from 0 to 3"):
        wilson(4, 3)


def test_newcombe_as_published():
    # Newcombe, Interval estimation for the difference between independent proportions (1998), table II, method 10
    found = difference([1] * 56 + [0] * 14, [1] * 48 + [0] * 32)
    assert found == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)
    assert difference([1] * 9 + [0], [1] * 3 + [0] * 7) == pytest.approx((0.6, 0.1705, 0.8090), abs=5e-5)
    assert difference([0] * 10, [0] * 20) == pytest.approx((0.0, -0.1611, 0.2775), abs=5e-5)


def test_means_of_other_numbers():
    assert mean([]).value != mean([]).value
    single = mean([0.5])
    assert single.value == 0.5
    assert math.isnan(single.low)
    value, low, high = mean([1.0, 2.0, 3.0, 4.0])
    half = 1.959964 * math.sqrt((2.25 + 0.25 + 0.25 + 2.25) / 3 / 4)
    assert (value, low, high) == pytest.approx((2.5, 2.5 - half, 2.5 + half))
    assert difference([1.0, 2.0], [5.0, 6.0]).value == -4.0


def test_kappa_as_published():
    # The example of Cohen's kappa that textbooks give: 20 and 15 of 50 alike.
    assert cohen_kappa(20, 5, 10, 15) == pytest.approx(0.4)
    assert cohen_kappa(45, 15, 25, 15) == pytest.approx(0.1304, abs=5e-5)
    assert cohen_kappa(25, 35, 5, 35) == pytest.approx(0.2593, abs=5e-5)
    assert cohen_kappa(3, 0, 0, 4) == 1
    assert math.isnan(cohen_kappa(0, 0, 0, 4))
    assert math.isnan(cohen_kappa(0, 0, 0, 0))
