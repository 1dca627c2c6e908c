import pytest

from adversarial_attack import experiments as attacks
from adversarial_attack.visibility import excess
from cnn_vs_dense import experiments as arrangements
from common.names import look_up
from gan import experiments as generators
from wavelet_based_dnn import experiments as sizes


def test_a_known_name_is_looked_up_in_a_dict_and_stays_in_a_list():
    assert look_up("number", "one", {"one": 1}) == 1
    assert look_up("number", "one", ["one"]) == "one"


@pytest.mark.parametrize("name", ["two", None, ["one"], 1, b"one"])
def test_what_is_no_known_name_is_named(name):
    with pytest.raises(ValueError, match=r"There is no number .*; there are one\.$"):
        look_up("number", name, {"one": 1})


ATTACK = {"dataset": "imagenet_samples", "split": "shipped", "photograph": 0, "seed": 0}
TRANSFER = {"dataset": "mnist", "source_seed": 0, "epsilon": 25, "seed": 0}
GENERATOR = {"latent_size": 2, "epochs": 1, "seed": 0}
TUNING = {"learning_rate": 0.1, **GENERATOR}


# A misspelt name must not store the numbers of something else under it.
@pytest.mark.parametrize(
    ("kind", "call"),
    [
        ("method", lambda: attacks.fooling(method="x", **ATTACK)),
        ("attacked networks", lambda: attacks.fooling(method="uneven", attacked="x", **ATTACK)),
        ("change", lambda: attacks.reference(change="x", **ATTACK)),
        ("attacked network", lambda: attacks.one_network(attacked="x", epsilon=4, photograph=0)),
        ("attack", lambda: attacks.transfer(arm="x", source="mlp", **TRANSFER)),
        ("source", lambda: attacks.transfer(arm="momentum", source="x", **TRANSFER)),
        ("source", lambda: attacks.transfer(arm="momentum", source="all but x", **TRANSFER)),
        ("demand", lambda: attacks.smallest_size(demand="x", **ATTACK)),
        ("tier", lambda: excess(None, None, "x")),
        ("representation", lambda: arrangements.network_inputs({}, "x", "none", 0)),
        ("recipe", lambda: generators.adversarial(recipe="x", **GENERATOR)),
        ("method", lambda: generators.tuning(method="x", option="R3GAN", **TUNING)),
        (
            "recipe",
            lambda: generators.tuning(method="adversarial", option="x", **TUNING),
        ),
        ("baseline", lambda: generators.baseline(kind="x", seed=0)),
        ("variant", lambda: sizes.native_scale(variant="x", seed=0)),
    ],
)
def test_an_unknown_name_gets_one_clear_sentence(kind, call):
    with pytest.raises(ValueError, match=f"There is no {kind} '(all but |dynamic, )?x'; there are "):
        call()
