// Keras networks that `gan.network_page.packed` wrote, applied to one input at a time, channels last.
// Sums are double, so only the rounding of the weights to half precision separates the results from Keras'.

/** Return the numbers whose half-precision bytes, little-endian, are in base64. */
function halves(base64) {
  const bytes = atob(base64), values = new Float32Array(bytes.length / 2);
  const scale = Float64Array.from({ length: 32 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));
  for (let i = 0; i < values.length; i++) {
    const bits = bytes.charCodeAt(2 * i) + 256 * bytes.charCodeAt(2 * i + 1);
    const exponent = (bits >> 10) & 31, mantissa = (bits & 1023) + (exponent ? 1024 : 0);
    values[i] = (bits & 32768 ? -1 : 1) * mantissa * scale[exponent];
  }
  return values;
}

/** Return the function of the network: from an array of numbers to a Float64Array, both flat. */
function network({ layers, weights }) {
  const values = halves(weights);
  let start = 0;
  const steps = layers.map(({ shapes, ...layer }) => {
    const parts = shapes.map((shape) => values.subarray(start, (start += shape.reduce((a, b) => a * b, 1))));
    return { ...layer, kernel: parts[0], bias: parts[1], size: shapes[0] ?? layer.pool_size };
  });
  return (input) => steps.reduce((data, layer) => {
    const result = kinds[layer.kind](data, layer), activation = activations[layer.activation ?? "linear"];
    return activation ? result.map(activation) : result;
  }, Float64Array.from(input));
}

const activations = {
  linear: null,
  relu: (value) => Math.max(value, 0),
  leaky_relu: (value) => (value < 0 ? 0.2 * value : value),
  sigmoid: (value) => 1 / (1 + Math.exp(-value)),
};

// TensorFlow puts the odd pixel of "same" behind; "valid" leaves nothing to put.
const padding = (few, many, stride, size) => Math.max(0, (few - 1) * stride + size - many) >> 1;

/** Call `visit(place in few, place in many, place in the window)` for all that a window on `many` covers. */
function windows([rows, columns], [height, width], strides, [tall, wide], visit) {
  const top = padding(rows, height, strides[0], tall), left = padding(columns, width, strides[1], wide);
  for (let y = 0; y < rows; y++) for (let i = 0; i < tall; i++) {
    const row = y * strides[0] + i - top;
    if (row >= 0 && row < height) for (let x = 0; x < columns; x++) for (let j = 0; j < wide; j++) {
      const column = x * strides[1] + j - left;
      if (column >= 0 && column < width) visit(y * columns + x, row * width + column, i * wide + j);
    }
  }
}

/** Return the sums, at every place that the bias is repeated for. */
const repeated = (bias, [rows, columns]) =>
  Float64Array.from({ length: rows * columns * bias.length }, (_, i) => bias[i % bias.length]);

function pooled(input, { from, to, strides, size }, start, join) {
  const channels = to[2], result = new Float64Array(to[0] * to[1] * channels).fill(start);
  const counts = new Float64Array(to[0] * to[1]);
  windows(to, from, strides, size, (few, many) => {
    counts[few]++;
    for (let c = 0; c < channels; c++) {
      result[few * channels + c] = join(result[few * channels + c], input[many * channels + c]);
    }
  });
  return [result, counts];
}

const kinds = {
  Flatten: (input) => input,
  Reshape: (input) => input,
  Dense(input, { kernel, bias }) {
    const sums = Float64Array.from(bias), units = sums.length;
    for (let i = 0, at = 0; i < input.length; i++) {
      const value = input[i];
      for (let j = 0; j < units; j++) sums[j] += value * kernel[at++];
    }
    return sums;
  },
  Conv2D(input, { kernel, bias, from, to, strides, size }) {
    const sums = repeated(bias, to), ins = from[2], outs = to[2];
    windows(to, from, strides, size, (few, many, tap) => {
      for (let i = 0, at = tap * ins * outs; i < ins; i++) {
        const value = input[many * ins + i];
        for (let o = few * outs; o < (few + 1) * outs; o++) sums[o] += value * kernel[at++];
      }
    });
    return sums;
  },
  Conv2DTranspose(input, { kernel, bias, from, to, strides, size }) {
    const sums = repeated(bias, to), ins = from[2], outs = to[2];
    windows(from, to, strides, size, (few, many, tap) => {
      for (let o = 0, at = tap * ins * outs; o < outs; o++) {
        let sum = 0;
        for (let i = few * ins; i < (few + 1) * ins; i++) sum += input[i] * kernel[at++];
        sums[many * outs + o] += sum;
      }
    });
    return sums;
  },
  MaxPooling2D: (input, layer) => pooled(input, layer, -Infinity, Math.max)[0],
  AveragePooling2D(input, layer) {
    const [sums, counts] = pooled(input, layer, 0, (a, b) => a + b);
    return sums.map((sum, i) => sum / counts[Math.floor(i / layer.to[2])]);
  },
};

/** Draw grey values in [0, 1], row by row, on a canvas of as many pixels. */
function paint(canvas, greys) {
  const context = canvas.getContext("2d"), picture = context.createImageData(canvas.width, canvas.height);
  const pixels = new Uint32Array(picture.data.buffer);
  greys.forEach((grey, i) => { pixels[i] = 0xff000000 | (0x010101 * Math.round(255 * grey)); });
  context.putImageData(picture, 0, 0);
}
