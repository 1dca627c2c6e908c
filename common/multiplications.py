"""The cost of a network: the multiplications of convolutions and matrix products, counted in its graph."""

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

UNCOUNTED = ("Einsum", "SparseMatMul", "SparseTensorDenseMatMul", "BatchMatMul", "BatchMatMulV3")


def multiplications(call: Callable[..., Any], *shapes: tuple[int | None, ...]) -> list[int]:
    """Return how many multiplications each output of a function takes, including everything it depends on.

    Convolutions, also transposed and depthwise ones, and matrix products count, whether they belong to a
    layer, a transform or a resampling. Elementwise products, as in an activation, do not.

    Parameters
    ----------
    call : callable
        Maps float32 tensors to a tensor or a nest of tensors, like a Keras model.
    shapes : tuples of int
        Shapes of the arguments; they begin with 1 for one example.

    Returns
    -------
    list of int
        One number for each output, in the order of ``tf.nest.flatten``.

    Raises
    ------
    ValueError
        The function is not a plain graph of operations of known shape: it loops, calls another compiled
        function, or a shape in it is open; or it holds a product that is not counted.
    """
    traced = tf.function(call).get_concrete_function(*(tf.TensorSpec(shape) for shape in shapes))
    return [sum(map(_multiplications, _needed(output.op))) for output in traced.outputs]


def _needed(operation):
    """Return an operation and all operations that it depends on."""
    found, waiting = set(), [operation]
    while waiting:
        operation = waiting.pop()
        if operation not in found:
            found.add(operation)
            waiting += [tensor.op for tensor in operation.inputs]
    return found


def _multiplications(operation):
    kind = operation.type
    if kind.endswith("PartitionedCall") or kind in ("While", "StatelessWhile", "If", "StatelessIf"):
        raise ValueError(f"Only a plain graph can be counted, but this one holds the operation {kind}.")
    if kind in UNCOUNTED or kind.startswith("Conv3D"):
        raise ValueError(f"The operation {kind} multiplies uncounted; write it as a matrix product.")
    if kind not in _COUNTS:
        return 0
    shapes = [tensor.shape for tensor in (*operation.inputs, *operation.outputs)]
    if not all(shape.is_fully_defined() for shape in shapes):
        raise ValueError(f"The shapes of {operation.name} are open; give the shapes of all arguments.")
    return int(_COUNTS[kind](operation, *shapes))


def _of_product(operation, left, right, output):
    transposed = "transpose_a" if operation.type == "MatMul" else "adj_x"
    return math.prod(output) * left[-2 if operation.get_attr(transposed) else -1]


_COUNTS = {
    "Conv2D": lambda _, images, kernel, output: math.prod(output) * math.prod(kernel[:3]),
    "DepthwiseConv2dNative": lambda _, images, kernel, output: math.prod(output) * math.prod(kernel[:2]),
    "Conv2DBackpropInput": lambda _, size, kernel, images, output: math.prod(images) * math.prod(kernel[:3]),
    "MatMul": _of_product,
    "BatchMatMulV2": _of_product,
}
