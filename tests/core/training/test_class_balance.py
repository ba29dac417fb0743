"""What a mistake in each class costs: nothing of it comes from the alphabet in `standard`."""

from __future__ import annotations

import pytest

from tl_core.base.config import default_positive, preset
from tl_core.training.class_balance import loss_weights


@pytest.mark.parametrize("counts", [{"ants": 36, "bees": 36}, {"a": 30, "b": 40, "c": 45}])
def test_standard_weighs_classes_alike_where_they_are_nearly_equal(counts):
    assert loss_weights(preset("standard"), counts, None) == dict.fromkeys(counts, 1.0)


def test_standard_weighs_the_rarer_class_as_many_times_as_it_has_fewer_pictures():
    assert loss_weights(preset("standard"), {"ants": 20, "bees": 50}, None) == {"ants": 2.5, "bees": 1.0}


def test_standard_seeks_no_class_and_the_guides_keep_theirs():
    classes = ["ants", "bees"]
    assert default_positive("standard", classes) is None
    assert (
        default_positive("expression", classes) == "bees" and default_positive("casting", classes) == "ants"
    )


def test_the_expression_guide_doubles_the_sought_class_and_a_persons_weights_go_before_all():
    counts = {"a": 10, "b": 90}
    assert loss_weights(preset("expression"), counts, "b") == {"a": 1.0, "b": 2.0}
    assert loss_weights(preset("casting"), counts, "a") == {"a": 1.0, "b": 1.0}
    own = preset("standard", class_weights={"a": 3.0})
    assert loss_weights(own, counts, None) == {"a": 3.0, "b": 1.0}
