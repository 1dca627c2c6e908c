"""The base class of transform layers, and the treatment of symbolic tensors and 16-bit numbers.

A transform is a function of settings and of a tensor or a structure of tensors. Its layer holds the settings.
Given a symbolic tensor, the function calls its layer.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from common.validation import Tensor, as_coefficients, as_images, dtype_of, is_finite

PACKAGE = "deep_learning_notebooks"
WORKING_DTYPES = {"float16": "float32", "bfloat16": "float32"}


class TransformLayer(keras.layers.Layer):
    """A transform with fixed settings, as a layer.

    Parameters
    ----------
    settings : dict
        The checked arguments of the transform after its first; they are the arguments of the layer.

    Attributes
    ----------
    function : callable
        The transform.
    input_type, output_type : type, optional
        The named tuples that the transform takes and returns, if any.
    """

    function: Callable[..., Any]
    _check: Callable[..., Any] = staticmethod(as_images)  # of an input that is a single tensor
    input_type: type | None = None
    output_type: type | None = None

    def __init__(self, settings: dict[str, Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.settings = settings

    def call(self, inputs: Any) -> Any:
        """Return the transform of a tensor or a structure of tensors."""
        if self.input_type and isinstance(inputs, (list, tuple)):  # Keras saves a named tuple as a list
            inputs = self.input_type(*inputs)
        return self.function(inputs, **self.settings)

    def compute_output_spec(self, inputs: Any) -> Any:
        """Return the symbolic output for checked symbolic inputs."""
        check = self._check if isinstance(inputs, keras.KerasTensor) else as_coefficients
        for tensor in keras.tree.flatten(inputs):
            check(tensor, "inputs")
        return super().compute_output_spec(inputs)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the output, by default the shape of the input; unknown sizes are None."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of the constructor."""
        return {**super().get_config(), **self.settings}


def register(layer: type[TransformLayer]) -> type[TransformLayer]:
    """Register the class of a layer, so that saved models with this layer load."""
    return keras.saving.register_keras_serializable(PACKAGE)(layer)


def symbolic_dtype(x: Any) -> str | None:
    """Return the dtype of the symbolic tensors in a structure, or None if it has none."""
    tensors = [leaf for leaf in keras.tree.flatten(x) if isinstance(leaf, keras.KerasTensor)]
    return dtype_of(tensors[0]) if tensors else None


def transformed(layer: type[TransformLayer], function: Callable[..., Any], x: Any, *settings: Any) -> Any:
    """Return ``function(x, *settings)``, or ``layer(*settings)(x)`` if `x` is symbolic."""
    if dtype := symbolic_dtype(x):
        return layer(*settings, dtype=dtype)(x)
    return in_working_precision(lambda x: function(x, *settings), x)


def in_working_precision(function: Callable[[Any], Any], x: Any) -> Any:
    """Return ``function(x)`` in the dtype of `x`; 16-bit inputs are computed in float32.

    Parameters
    ----------
    function : callable
        Takes and returns a tensor or a structure of tensors.
    x : tensor or structure of tensors
        All of one floating-point dtype.

    Raises
    ------
    ValueError
        A known value of the result exceeds the range of float16.
    """
    dtype, *others = {dtype_of(tensor) for tensor in keras.tree.flatten(x)}
    if others or dtype not in WORKING_DTYPES:
        return function(x)
    return _cast(function(_cast(x, WORKING_DTYPES[dtype])), dtype)


def _cast(structure: Any, dtype: str) -> Any:
    return keras.tree.map_structure(lambda x: _cast_tensor(x, dtype), structure)


def _cast_tensor(x: Tensor, dtype: str) -> Tensor:
    y = ops.cast(x, dtype)
    if dtype == "float16" and not is_finite(y):
        raise ValueError("The result exceeds the largest float16, 65,504; convert the input to float32.")
    return y


class _FunctionalModel:
    """Loads functional models that return named tuples, which Keras would turn into lists."""

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> keras.Model:
        model = keras.Model.from_config(config, custom_objects)
        if not any(getattr(layer, "output_type", None) for layer in model.layers):
            return model
        return keras.Model(model.input, _named(model.output), name=model.name, trainable=model.trainable)


def _named(outputs: Any) -> Any:
    """Return the outputs of a model; a list of all outputs of one transform becomes its named tuple."""
    if isinstance(outputs, dict):
        return {name: _named(output) for name, output in outputs.items()}
    if not isinstance(outputs, list):
        return outputs
    outputs = [_named(output) for output in outputs]
    histories = [getattr(output, "_keras_history", (None, None, None)) for output in outputs]
    operation, node, _ = histories[0] if histories else (None, None, None)
    kind = getattr(operation, "output_type", None)
    if kind and histories == [(operation, node, i) for i in range(len(kind._fields))]:
        return kind(*outputs)
    return outputs


# Keras looks up a class here first.
keras.saving.get_custom_objects()["Functional"] = _FunctionalModel
