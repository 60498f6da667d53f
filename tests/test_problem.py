import pytest

from keras_lt.problem import Problem


def test_defaults_and_number_of_classes():
    problem = Problem((8, 8, 2), class_counts=[9, 3])
    assert problem.num_classes == 2
    assert problem.class_counts == (9, 3)
    assert problem.pixel_mean == (0.0, 0.0)
    assert problem.pixel_std == (1.0, 1.0)


def test_bad_input_names_the_argument():
    with pytest.raises(ValueError, match="class_counts.*0 for class 1"):
        Problem((8, 8, 1), (3, 0))
    with pytest.raises(ValueError, match="pixel_mean"):
        Problem((8, 8, 1), (3, 1), pixel_mean=(0.1, 0.2))
