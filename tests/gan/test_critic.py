import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats
from sklearn.metrics import log_loss

from gan import critic, models
from gan.critic import Split, cross_entropies

BUDGETS = (1_000, 4_000, 16_000)


def gaussian(shift, seed, features=1):
    rng = np.random.default_rng(seed)
    return Split(*(rng.normal(size=(n, features)).astype("float32") + shift for n in (8_000, 1_000, 4_000)))


def divergence(shift):
    """The Jensen-Shannon divergence of two unit Gaussians, in nats, by quadrature."""

    def integrand(x):
        p, q = stats.norm.pdf(x), stats.norm.pdf(x - shift)
        middle = (p + q) / 2
        return (p * np.log(p / middle) + q * np.log(q / middle)) / 2

    return integrate.quad(integrand, -8, 8 + shift)[0]


@given(seed=st.integers(0, 1000))
def test_the_cross_entropy_is_that_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    logits, labels = rng.normal(size=(20, 2)) * 3, np.repeat([0, 1], 10)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert critic.cross_entropy(logits, labels) == pytest.approx(log_loss(labels, probabilities))


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_a_critic_reads_the_divergence_of_two_gaussians(shift):
    found = cross_entropies(models.build_dense_critic(1), gaussian(0, 0), gaussian(shift, 1), BUDGETS)
    assert found["cross_entropy"].iloc[-1] == pytest.approx(np.log(2) - divergence(shift), abs=0.02)
    assert found["accuracy"].iloc[-1] == pytest.approx(stats.norm.cdf(shift / 2), abs=0.02)
    assert list(found["budget"]) == list(BUDGETS)


def test_what_does_not_overlap_is_told_apart():
    found = cross_entropies(models.build_dense_critic(4), gaussian(0, 0, 4), gaussian(8, 1, 4), BUDGETS)
    assert found["cross_entropy"].iloc[-1] < 0.01
    assert found["accuracy"].iloc[-1] > 0.99


def test_overfitting_is_not_read_as_difference():
    few = [Split(side.train[:100], *side[1:]) for side in (gaussian(0, 0, 30), gaussian(0, 1, 30))]
    found = cross_entropies(models.build_dense_critic(30), *few, BUDGETS)
    assert found["cross_entropy"].min() > 0.68
    assert found["cross_entropy"].max() < 0.71


def test_the_same_seed_gives_the_same_critic():
    one, other = (
        cross_entropies(
            models.build_dense_critic(1, seed=3), gaussian(0, 0), gaussian(1, 1), (200, 400), seed=4
        )
        for _ in range(2)
    )
    assert one.equals(other)


@pytest.mark.parametrize("place", range(len(critic.BUDGETS)))
def test_budgets_end_at_the_largest(place):
    largest = critic.BUDGETS[place]
    assert critic.budgets_up_to(largest) == critic.BUDGETS[: place + 1]
    with pytest.raises(ValueError, match=f"one of {critic.BUDGETS[0]}.*not {largest + 1}"):
        critic.budgets_up_to(largest + 1)
