"""MobileNets (arXiv:1704.04861 and 1801.04381) with 8-bit weights, as stored and with gradients.

TensorFlow Lite computes a stored network in integers, as a telephone does. The rebuilt network is a Keras
model, so an attack can differentiate it. It does the same arithmetic with integers held as floating-point
numbers. Both return ImageNet logits.
"""

import warnings

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops
from tensorflow.lite.python import schema_py_generated as schema

from common.data import read_mobilenet
from common.validation import as_images

_TYPES = {
    schema.TensorType.FLOAT32: "float32",
    schema.TensorType.INT32: "int32",
    schema.TensorType.UINT8: "uint8",
    schema.TensorType.INT8: "int8",
}
_OPERATORS = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
_UNCHANGED = ("QUANTIZE", "RESHAPE")  # operators that leave the values as they are
_PADDING = {schema.Padding.SAME: "same", schema.Padding.VALID: "valid"}


class Interpreter:
    """A stored network as a function, computed in integers by TensorFlow Lite; it has no gradients.

    Parameters
    ----------
    name : key of `common.data.MOBILENETS`

    Raises
    ------
    ValueError
        There is no such network, or its file is not the recorded one.
    ConnectionError
        The file is not on this machine and cannot be downloaded.
    """

    def __init__(self, name):
        content = read_mobilenet(name)
        model = _without_softmax(content)
        builder = schema.flatbuffers.Builder(len(content))
        builder.Finish(model.Pack(builder), b"TFL3")
        with warnings.catch_warnings():
            # TensorFlow warns that another package will replace this class.
            warnings.filterwarnings("ignore", r"\s*Warning: tf.lite.Interpreter is deprecated", UserWarning)
            self._interpreter = tf.lite.Interpreter(model_content=bytes(builder.Output()), num_threads=1)
        self._interpreter.allocate_tensors()
        (self._source,) = self._interpreter.get_input_details()
        (self._logits,) = self._interpreter.get_output_details()

    def __call__(self, images):
        """Return the logits ``(n, 1000)`` of images ``(n, height, width, 3)`` in [0, 1], of any size."""
        resized = _resized(as_images(images), self._source["shape"][1])
        # Filters overshoot a little beyond [0, 1], and uint8 would wrap around.
        stored = np.clip(np.round(255 * ops.convert_to_numpy(resized)), 0, 255).astype("uint8")
        return np.stack([self._logits_with_background(image) for image in stored])[:, 1:]

    def _logits_with_background(self, image):
        self._interpreter.set_tensor(self._source["index"], image[np.newaxis])
        self._interpreter.invoke()
        scale, zero = self._logits["quantization"]
        integers = self._interpreter.get_tensor(self._logits["index"]).astype("float32")
        return (integers.reshape(-1) - zero) * np.float32(scale)


@tf.custom_gradient
def round_to_eight_bits(x, zero):
    """Return `x` rounded to integers and clipped to 256 of them, from ``-zero`` to ``255 - zero``.

    The gradient passes straight through the rounding (Bengio et al. 2013, arXiv:1308.3432). Clipped values
    have no gradient.
    """
    whole = tf.round(x)
    clipped = tf.clip_by_value(whole, -zero, 255.0 - zero)
    return clipped, lambda upstream: (tf.where(tf.equal(whole, clipped), upstream, 0.0), None)


@keras.saving.register_keras_serializable("deep_learning_notebooks")
class EightBits(layers.Layer):
    """Multiplies by a constant, then rounds and clips to the 256 integers of a tensor with 8 bits.

    Where 0 and 255 stand for 0 and 6, the clipping is the ReLU6 of the MobileNets.

    Parameters
    ----------
    multiplier : float, or list of float, one a channel
    zero : int
        Which of the integers 0 to 255 stands for 0; the layer returns the integers less `zero`.
    """

    def __init__(self, multiplier, zero, **kwargs):
        super().__init__(**kwargs)
        self.multiplier, self.zero = multiplier, zero

    def call(self, x):
        """Return integers as floating-point numbers, of the shape of `x`; see `round_to_eight_bits`."""
        scaled = x if self.multiplier == 1 else x * tf.constant(self.multiplier, x.dtype)
        return round_to_eight_bits(scaled, float(self.zero))

    def compute_output_shape(self, input_shape):
        """Return the shape of the input."""
        return input_shape

    def get_config(self):
        """Return the arguments of the constructor."""
        return {**super().get_config(), "multiplier": self.multiplier, "zero": self.zero}


def rebuilt(name, rounded=True):
    """Return a stored network as a Keras model with fixed weights.

    Other parameters and errors are those of `Interpreter`.

    Parameters
    ----------
    rounded : bool
        Whether to round the input and all activations as the stored network does. The logits are neither
        rounded nor clipped, so a loss still shows small differences, and where several classes reach the
        largest stored logit, it shows which is ahead.
        If False, the network is piecewise linear, as a first-order forecast assumes; it then says another
        class than the stored network more often.

    Returns
    -------
    keras.Model
        From images ``(n, height, width, 3)`` in [0, 1], of any size, to logits ``(n, 1000)``. It resamples
        images bilinearly to the input size of the stored network.
    """
    model = _without_softmax(read_mobilenet(name))
    graph = model.subgraphs[0]
    images = keras.Input((None, None, 3))
    resized = _resized(images, graph.tensors[graph.inputs[0]].shape[1])
    logits = layers.Flatten()((_in_integers if rounded else _in_floats)(model, graph, resized))
    network = keras.Model(images, logits[:, 1:], name=name)
    network.trainable = False
    return network


def _in_floats(model, graph, images):
    """Return the output of a network with dequantised weights and without any rounding."""
    scale, zero = _scale_and_zero(graph.tensors[graph.inputs[0]])
    known = {graph.inputs[0]: layers.Rescaling(255 * float(scale), -float(zero * scale))(images)}
    for operator in graph.operators:
        weights = [_dequantised(model, graph.tensors[i]) for i in operator.inputs if i not in known]
        tensors = [known[i] for i in operator.inputs if i in known]
        kind, options = _kind(model, operator), operator.builtinOptions
        y = _BUILDERS[kind](tensors, weights, options)
        relu6 = getattr(options, "fusedActivationFunction", None) == schema.ActivationFunctionType.RELU6
        known[operator.outputs[0]] = layers.ReLU(6.0)(y) if relu6 else y
    return known[graph.outputs[0]]


def _in_integers(model, graph, images):
    """Return the output of a network whose tensors hold the stored integers less the integer of 0.

    Floating-point numbers hold integers up to 2**24 exactly. The tests find that on photographs the sums
    are exact enough to give the stored integers.
    """
    _, zero = _scale_and_zero(graph.tensors[graph.inputs[0]])
    known = {graph.inputs[0]: layers.Rescaling(1.0, -float(zero))(EightBits(255.0, 0)(images))}
    *_, last = (one for one in graph.operators if _kind(model, one) not in _UNCHANGED)
    for operator in graph.operators:
        kind, result = _kind(model, operator), operator.outputs[0]
        inputs = [graph.tensors[i] for i in operator.inputs]
        weights = [_integers(model, graph.tensors[i]) for i in operator.inputs if i not in known]
        tensors = [known[i] for i in operator.inputs if i in known]
        scale, zero = _scale_and_zero(graph.tensors[result])
        if kind == "ADD":
            factors = _as_fixed_point([_scale_and_zero(tensor)[0] / scale for tensor in inputs])
            tensors = [layers.Rescaling(factor)(x) for factor, x in zip(factors, tensors, strict=True)]
        y = _BUILDERS[kind](tensors, weights, operator.builtinOptions)
        if operator is last:
            y = layers.Rescaling(_multiplier(kind, inputs, np.float32(1)))(y)
        elif kind not in _UNCHANGED:
            y = EightBits(_multiplier(kind, inputs, scale), zero)(y)
        known[result] = y
    return known[graph.outputs[0]]


def _multiplier(kind, inputs, scale):
    """Return by what an operator multiplies its sum of integers, a float or a list of one a channel."""
    if kind == "ADD":  # Its inputs are multiplied before they are added.
        return 1.0
    found = _scale_and_zero(inputs[0])[0]
    if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
        found = found * _scale_and_zero(inputs[1])[0]
    elif kind == "AVERAGE_POOL_2D":
        # TensorFlow Lite rounds a mean that lies halfway up, and no other mean of at most 49 integers is so
        # close to a half.
        found = found * np.float32(1 + 1e-6)
    return (found / scale).tolist()


def _as_fixed_point(factors):
    """Return the factors of a sum as XNNPACK stores them: the larger one with 21 bits, all with its steps."""
    step = 2.0 ** (np.floor(np.log2(max(factors))) - 20)
    return [float(np.rint(factor / step) * step) for factor in factors]


def _scale_and_zero(tensor):
    """Return the scale of a tensor, float32 or an array of one a channel, and the integer of 0, from 0 on."""
    stored = tensor.quantization
    scale = np.asarray(stored.scale, "float32")
    lowest = np.iinfo(_TYPES[tensor.type]).min
    return scale if len(scale) > 1 else scale[0], int(stored.zeroPoint[0]) - lowest


def _without_softmax(content):
    """Return a parsed file that outputs logits, which lose less in 8 bits than probabilities."""
    model = schema.ModelT.InitFromPackedBuf(content)
    graph = model.subgraphs[0]
    last = [_kind(model, operator) for operator in graph.operators].index("SOFTMAX")
    graph.outputs = graph.operators[last].inputs
    graph.operators = graph.operators[:last]
    return model


def _kind(model, operator):
    code = model.operatorCodes[operator.opcodeIndex]
    return _OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]


def _resized(images, size):
    return ops.image.resize(images, (int(size), int(size)))


def _integers(model, tensor):
    """Return a constant less its integer of 0, as float32; a shape or an axis as stored."""
    content = bytes(model.buffers[tensor.buffer].data)
    array = np.frombuffer(content, _TYPES[tensor.type]).reshape(tensor.shape)
    if not _scaled(tensor):
        return array
    return array.astype("float32") - _along(tensor, tensor.quantization.zeroPoint)


def _dequantised(model, tensor):
    array = _integers(model, tensor)
    return array * _along(tensor, tensor.quantization.scale) if _scaled(tensor) else array


def _scaled(tensor):
    return tensor.quantization is not None and tensor.quantization.scale is not None


def _along(tensor, values):
    """Return values, one a channel or one in all, in a shape that broadcasts with a tensor."""
    axes = range(len(tensor.shape))
    channels = tensor.quantization.quantizedDimension
    return np.reshape(np.asarray(values, "float32"), [-1 if axis == channels else 1 for axis in axes])


def _convolution(tensors, weights, options, depthwise=False):
    kernel, bias = weights
    shared = {
        "kernel_size": kernel.shape[1:3],
        "strides": options.strideH,
        "padding": _PADDING[options.padding],
    }
    layer = layers.DepthwiseConv2D(**shared) if depthwise else layers.Conv2D(len(kernel), **shared)
    kernel = kernel.transpose(1, 2, 3, 0)  # a depthwise kernel has one output channel for each input channel
    y = layer(tensors[0])
    layer.set_weights([kernel, bias])
    return y


_BUILDERS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": lambda tensors, weights, options: _convolution(tensors, weights, options, True),
    "ADD": lambda tensors, *_: layers.Add()(tensors),
    # In these networks both operators average over the whole image.
    "AVERAGE_POOL_2D": lambda tensors, *_: layers.GlobalAveragePooling2D(keepdims=True)(tensors[0]),
    "MEAN": lambda tensors, *_: layers.GlobalAveragePooling2D(keepdims=True)(tensors[0]),
    **dict.fromkeys(_UNCHANGED, lambda tensors, *_: tensors[0]),
}
