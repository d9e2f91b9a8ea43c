"""The cases of every layer. Sizes are odd where they can be, so that no vector width divides them, and small, so that files are."""

from vectors import Case, Step

# Exact in every data type, near zero and with an offset that costs 16-bit data most of their digits.
SIXTEEN_BIT_VARIANTS = {
    "sixteen_bit": {"sixteen_bit": True},
    "sixteen_bit_offset_10": {"sixteen_bit": True, "offset": 10.0},
}


def all_cases():
    yield from batch_norm_cases()
    yield from instance_norm_cases()
    yield from group_norm_cases()
    yield from layer_norm_cases()
    yield from rms_norm_cases()
    yield from caffe_batch_norm_cases()
    yield from caffe_scale_cases()


# Layers with running statistics: three training steps, an evaluation of one sample, and an evaluation of a batch with backward.


def stateful_steps(shape, batches=None, single=1):
    steps = [Step((n,) + shape[1:], training=True) for n in batches or [shape[0]] * 3]
    return steps + [Step((single,) + shape[1:], training=False, backward=False), Step(shape, training=False)]


BATCH_NORM_VARIANTS = {
    "momentum_none": {"momentum": None},
    "momentum_negative": {"momentum": -0.3},
    "momentum_zero": {"momentum": 0.0},
    "no_affine": {"affine": False},
    "no_tracking": {"track_running_stats": False},
    "eps_1e-3": {"eps": 1e-3},
}

# Layer, prefix of the name, shape, and the smaller shape of the variants.
BATCH_NORM_SHAPES = [
    ("BatchNorm1d", "2d_input_", (7, 5), (5, 3)),
    ("BatchNorm1d", "3d_input_", (3, 3, 9), (3, 3, 3)),
    ("BatchNorm2d", "", (3, 3, 3, 5), (3, 2, 3, 3)),
    ("BatchNorm3d", "", (2, 3, 2, 3, 5), (2, 2, 1, 3, 3)),
]


def batch_norm_case(layer, name, shape, batches=None, offset=0.0, sixteen_bit=False, **changes):
    arguments = {"num_features": shape[1], "eps": 1e-5, "momentum": 0.1, "affine": True, "track_running_stats": True, **changes}
    # Without buffers, evaluation takes the statistics of its batch, and PyTorch refuses those of a single value.
    single = 1 if arguments["track_running_stats"] else shape[0]
    return Case(layer, name, arguments, stateful_steps(shape, batches, single), offset, sixteen_bit=sixteen_bit)


def batch_norm_cases():
    for layer, prefix, shape, small in BATCH_NORM_SHAPES:
        yield batch_norm_case(layer, prefix + "default", shape)
        yield batch_norm_case(layer, prefix + "offset_100", small, offset=100.0)
        for name, changes in {**BATCH_NORM_VARIANTS, **SIXTEEN_BIT_VARIANTS}.items():
            yield batch_norm_case(layer, prefix + name, small, **changes)
    small = BATCH_NORM_SHAPES[2][3]
    yield batch_norm_case("BatchNorm2d", "empty_batch", small, batches=[3, 0, 3])
    # The empty batch moves no buffer but is counted, so the next one enters the average with 1/3.
    yield batch_norm_case("BatchNorm2d", "empty_batch_momentum_none", small, batches=[3, 0, 3], momentum=None)


INSTANCE_NORM_VARIANTS = {
    "affine": {"affine": True},
    "tracking": {"track_running_stats": True},
    "affine_tracking": {"affine": True, "track_running_stats": True},
    "affine_tracking_momentum_0.3": {"affine": True, "track_running_stats": True, "momentum": 0.3},
    "affine_eps_1e-3": {"affine": True, "eps": 1e-3},
    "affine_tracking_offset_100": {"affine": True, "track_running_stats": True, "offset": 100.0},
    "affine_tracking_unbatched": {"affine": True, "track_running_stats": True, "unbatched": True},
    "unbatched": {"unbatched": True},
    "affine_sixteen_bit": {"affine": True, "sixteen_bit": True},
    "affine_tracking_sixteen_bit_offset_10": {"affine": True, "track_running_stats": True, "sixteen_bit": True, "offset": 10.0},
}

INSTANCE_NORM_SHAPES = [
    ("InstanceNorm1d", (2, 3, 7), (2, 3, 3)),
    ("InstanceNorm2d", (2, 3, 3, 5), (2, 2, 3, 3)),
    ("InstanceNorm3d", (2, 3, 2, 3, 3), (2, 2, 1, 3, 3)),
]


def instance_norm_case(layer, name, shape, offset=0.0, sixteen_bit=False, unbatched=False, **changes):
    arguments = {"num_features": shape[1], "eps": 1e-5, "momentum": 0.1, "affine": False, "track_running_stats": False, **changes}
    if unbatched:
        steps = [Step(shape[1:], training=True)] * 2 + [Step(shape[1:], training=False)]
    else:
        steps = stateful_steps(shape, [shape[0], shape[0] + 1, 1])
    return Case(layer, name, arguments, steps, offset, sixteen_bit=sixteen_bit)


def instance_norm_cases():
    for layer, shape, small in INSTANCE_NORM_SHAPES:
        yield instance_norm_case(layer, "default", shape)
        for name, changes in INSTANCE_NORM_VARIANTS.items():
            yield instance_norm_case(layer, name, small, **changes)
    # Without parameters and buffers: PyTorch 1.13 fails where it should repeat them zero times.
    small = INSTANCE_NORM_SHAPES[1][2]
    case = instance_norm_case("InstanceNorm2d", "empty_batch", small)
    case.steps = stateful_steps(small, [2, 0, 2])
    yield case


# Layers without: a training step, an evaluation of another batch size, both with backward. The modes compute the same.


def stateless_steps(shape, evaluated=None):
    return [Step(shape, training=True), Step(evaluated or (1,) + shape[1:], training=False)]


# Name, groups, shape: every rank, and one, some and all channels in a group.
GROUP_NORM_SHAPES = [
    ("2d_input_2_groups", 2, (3, 6)),
    ("3d_input_1_group", 1, (2, 3, 7)),
    ("3d_input_3_groups", 3, (3, 6, 5)),
    ("3d_input_6_groups", 6, (2, 6, 5)),
    ("4d_input_1_group", 1, (2, 3, 3, 3)),
    ("4d_input_2_groups", 2, (2, 6, 3, 5)),
    ("4d_input_3_groups", 3, (2, 3, 3, 3)),
    ("5d_input_1_group", 1, (2, 2, 2, 3, 3)),
    ("5d_input_2_groups", 2, (2, 4, 3, 1, 3)),
    ("5d_input_4_groups", 4, (2, 4, 1, 3, 3)),
]

GROUP_NORM_VARIANTS = {
    "no_affine": {"affine": False},
    "eps_1e-3": {"eps": 1e-3},
    "offset_100": {"offset": 100.0},
    **SIXTEEN_BIT_VARIANTS,
}


def group_norm_case(name, groups, shape, offset=0.0, sixteen_bit=False, evaluated=None, **changes):
    arguments = {"num_groups": groups, "num_channels": shape[1], "eps": 1e-5, "affine": True, **changes}
    return Case("GroupNorm", name, arguments, stateless_steps(shape, evaluated), offset, sixteen_bit=sixteen_bit)


def group_norm_cases():
    for name, groups, shape in GROUP_NORM_SHAPES:
        yield group_norm_case(name, groups, shape)
    for name, changes in GROUP_NORM_VARIANTS.items():
        yield group_norm_case("2d_input_" + name, 2, (3, 6), **changes)
        yield group_norm_case("4d_input_" + name, 2, (2, 4, 3, 3), **changes)
    yield group_norm_case("empty_batch", 2, (2, 4, 3), evaluated=(0, 4, 3))


# Name, normalized shape, shape. Long rows need the tail of more than one vector.
LAYER_NORM_SHAPES = [
    ("2d_input", (7,), (3, 7)),
    ("2d_input_long_row", (83,), (2, 83)),
    ("2d_input_one_element", (1,), (3, 1)),
    ("3d_input", (9,), (2, 3, 9)),
    ("3d_input_two_dimensions", (3, 5), (3, 3, 5)),
    ("4d_input", (5,), (2, 2, 3, 5)),
    ("4d_input_two_dimensions", (3, 5), (2, 2, 3, 5)),
    ("4d_input_three_dimensions", (3, 2, 5), (2, 3, 2, 5)),
]

LAYER_NORM_VARIANTS = {
    "no_affine": {"elementwise_affine": False},
    "eps_1e-3": {"eps": 1e-3},
    "offset_100": {"offset": 100.0},
    **SIXTEEN_BIT_VARIANTS,
}


def row_case(layer, name, normalized, shape, evaluated=None, offset=0.0, scale=1.0, sixteen_bit=False, without_bias=False, **changes):
    arguments = {"normalized_shape": list(normalized), "eps": 1e-5, "elementwise_affine": True, **changes}
    steps = stateless_steps(shape, evaluated)
    return Case(layer, name, arguments, steps, offset, scale, sixteen_bit, without_bias)


def row_cases(layer, variants):
    for name, normalized, shape in LAYER_NORM_SHAPES:
        yield row_case(layer, name, normalized, shape)
    for name, changes in variants.items():
        yield row_case(layer, "2d_input_" + name, (7,), (3, 7), **changes)
        yield row_case(layer, "4d_input_" + name, (3, 2, 3), (2, 3, 2, 3), **changes)
    yield row_case(layer, "whole_input", (3, 4), (3, 4), evaluated=(3, 4))
    yield row_case(layer, "empty_batch", (4,), (2, 3, 4), evaluated=(0, 3, 4))


def layer_norm_cases():
    yield from row_cases("LayerNorm", {**LAYER_NORM_VARIANTS, "no_bias": {"without_bias": True}})


# Small inputs, of which the mean square is not large against the default eps.
RMS_NORM_VARIANTS = {
    **LAYER_NORM_VARIANTS,
    "eps_float": {"eps": None, "machine_epsilon_of": "float32", "scale": 1e-3},
    "eps_double": {"eps": None, "machine_epsilon_of": "float64", "scale": 1e-7},
    # Even the small numbers of 16 bits take the epsilon of float: 1/256 squared is 128 times that.
    "eps_float_sixteen_bit": {"eps": None, "machine_epsilon_of": "float32", "scale": 1e-2, "sixteen_bit": True},
}


def rms_norm_cases():
    yield from row_cases("RMSNorm", RMS_NORM_VARIANTS)


# Name, shape, changes.
CAFFE_BATCH_NORM_CASES = [
    ("2d_input", (7, 5), {}),
    ("3d_input", (3, 3, 5), {}),
    ("4d_input", (2, 3, 2, 5), {}),
    ("5d_input", (2, 3, 1, 3, 3), {}),
    ("4d_input_fraction_0.9", (2, 2, 3, 3), {"moving_average_fraction": 0.9}),
    ("4d_input_fraction_zero", (2, 2, 3, 3), {"moving_average_fraction": 0.0}),
    ("4d_input_eps_1e-3", (2, 2, 3, 3), {"eps": 1e-3}),
    ("4d_input_offset_100", (2, 2, 3, 3), {"offset": 100.0}),
    # Factor 0: mean and variance are 0, and the output is x / sqrt(eps).
    ("4d_input_always_global", (2, 2, 3, 3), {"use_global_stats": True}),
    ("4d_input_never_global", (2, 2, 3, 3), {"use_global_stats": False}),
    # Caffe takes the statistics of a single value, too: the variance is 0, and Bessel's factor is 1.
    ("2d_input_one_value", (1, 5), {}),
    ("2d_input_sixteen_bit", (7, 5), {"sixteen_bit": True}),
    ("4d_input_sixteen_bit", (2, 2, 3, 3), {"sixteen_bit": True}),
    ("4d_input_sixteen_bit_offset_10", (2, 2, 3, 3), {"sixteen_bit": True, "offset": 10.0}),
]


def caffe_batch_norm_cases():
    for name, shape, changes in CAFFE_BATCH_NORM_CASES:
        case = {key: changes[key] for key in changes if key in ("offset", "sixteen_bit")}
        arguments = {"num_features": shape[1], "eps": 1e-5, "moving_average_fraction": 0.999, "use_global_stats": None}
        arguments.update({key: changes[key] for key in changes if key not in case})
        yield Case("CaffeBatchNorm", name, arguments, stateful_steps(shape), **case)


# Name, axis, number of axes, shape of the scale, shape of the input.
CAFFE_SCALE_SHAPES = [
    ("2d_input", 1, 1, (5,), (3, 5)),
    ("4d_input", 1, 1, (3,), (2, 3, 3, 3)),
    ("4d_input_two_axes", 1, 2, (3, 2), (2, 3, 2, 5)),
    ("4d_input_to_the_end", 1, -1, (3, 2, 5), (2, 3, 2, 5)),
    ("4d_input_axis_2", 2, 1, (3,), (2, 2, 3, 5)),
    ("4d_input_axis_0_all", 0, -1, (2, 3, 3), (2, 3, 3)),
    ("3d_input_last_axis", 2, 1, (5,), (2, 3, 5)),
    ("3d_input_scalar", 1, 0, (), (2, 3, 5)),
]


def caffe_scale_cases():
    for name, axis, num_axes, scale_shape, shape in CAFFE_SCALE_SHAPES:
        for bias in [False, True]:
            arguments = {"scale_shape": list(scale_shape), "axis": axis, "num_axes": num_axes, "bias_term": bias}
            steps = stateless_steps(shape, shape if axis == 0 else None)
            yield Case("CaffeScale", name + ("_bias" if bias else ""), arguments, steps)
    arguments = {"scale_shape": [3], "axis": 1, "num_axes": 1, "bias_term": True}
    yield Case("CaffeScale", "4d_input_bias_sixteen_bit", arguments, stateless_steps((2, 3, 3, 5)), sixteen_bit=True)
