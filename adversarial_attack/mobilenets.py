"""MobileNets (arXiv:1704.04861 and 1801.04381) with 8-bit weights, as stored and with gradients.

TensorFlow Lite computes a stored network in integers, as a telephone does. The rebuilt network is a Keras
model with floating-point weights, so an attack can differentiate it. Both return ImageNet logits.
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
_ACTIVATIONS = {schema.ActivationFunctionType.NONE: None, schema.ActivationFunctionType.RELU6: "relu6"}
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
        stored = np.round(255 * ops.convert_to_numpy(resized)).astype("uint8")
        return np.stack([self._logits_with_background(image) for image in stored])[:, 1:]

    def _logits_with_background(self, image):
        self._interpreter.set_tensor(self._source["index"], image[np.newaxis])
        self._interpreter.invoke()
        scale, zero = self._logits["quantization"]
        integers = self._interpreter.get_tensor(self._logits["index"]).astype("float32")
        return (integers.reshape(-1) - zero) * np.float32(scale)


def rebuilt(name):
    """Return a stored network as a Keras model with fixed floating-point weights.

    Parameters and errors are those of `Interpreter`.

    Returns
    -------
    keras.Model
        From images ``(n, height, width, 3)`` in [0, 1], of any size, to logits ``(n, 1000)``. It resamples
        images bilinearly to the input size of the stored network.
    """
    model = _without_softmax(read_mobilenet(name))
    graph = model.subgraphs[0]
    source = graph.tensors[graph.inputs[0]]
    (scale,), (zero,) = source.quantization.scale, source.quantization.zeroPoint
    images = keras.Input((None, None, 3))
    resized = _resized(images, source.shape[1])
    known = {graph.inputs[0]: layers.Rescaling(255 * float(scale), -float(zero * scale))(resized)}
    for operator in graph.operators:
        weights = [_dequantised(model, graph.tensors[i]) for i in operator.inputs if i not in known]
        tensors = [known[i] for i in operator.inputs if i in known]
        build = _BUILDERS[_kind(model, operator)]
        known[operator.outputs[0]] = build(tensors, weights, operator.builtinOptions)
    logits = layers.Flatten()(known[graph.outputs[0]])
    network = keras.Model(images, logits[:, 1:], name=name)
    network.trainable = False
    return network


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


def _dequantised(model, tensor):
    content = bytes(model.buffers[tensor.buffer].data)
    array = np.frombuffer(content, _TYPES[tensor.type]).reshape(tensor.shape)
    stored = tensor.quantization
    if stored is None or stored.scale is None:
        return array
    along = [-1 if axis == stored.quantizedDimension else 1 for axis in range(array.ndim)]
    zero, scale = (
        np.asarray(values, "float64").reshape(along) for values in (stored.zeroPoint, stored.scale)
    )
    return ((array - zero) * scale).astype("float32")


def _convolution(tensors, weights, options, depthwise=False):
    kernel, bias = weights
    shared = {
        "kernel_size": kernel.shape[1:3],
        "strides": options.strideH,
        "padding": _PADDING[options.padding],
        "activation": _ACTIVATIONS[options.fusedActivationFunction],
    }
    layer = layers.DepthwiseConv2D(**shared) if depthwise else layers.Conv2D(len(kernel), **shared)
    kernel = kernel.transpose(1, 2, 3, 0)  # a depthwise kernel has one output channel for each input channel
    y = layer(tensors[0])
    layer.set_weights([kernel, bias])
    return y


def _dense(tensors, weights, options):
    kernel, bias = weights
    layer = layers.Dense(len(kernel))
    y = layer(tensors[0])
    layer.set_weights([kernel.T, bias])
    return y


_BUILDERS = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": lambda tensors, weights, options: _convolution(tensors, weights, options, True),
    "FULLY_CONNECTED": _dense,
    "ADD": lambda tensors, *_: layers.Add()(tensors),
    "PAD": lambda tensors, weights, _: layers.ZeroPadding2D(weights[0][1:3].tolist())(tensors[0]),
    # In these networks both operators average over the whole image.
    "AVERAGE_POOL_2D": lambda tensors, *_: layers.GlobalAveragePooling2D(keepdims=True)(tensors[0]),
    "MEAN": lambda tensors, *_: layers.GlobalAveragePooling2D(keepdims=True)(tensors[0]),
    **dict.fromkeys(("QUANTIZE", "RESHAPE", "SQUEEZE"), lambda tensors, *_: tensors[0]),
}
