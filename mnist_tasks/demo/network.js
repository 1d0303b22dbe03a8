"use strict";

/* ---- The network, which Python wrote into the page ----

An array of values has the order height, width, channels: the value at row y, column x and channel c
is number (y * width + x) * channels + c. The weights are one row of float32, from which each operation
takes its own, one after another. */

const model = JSON.parse(document.getElementById("model").textContent);
const [imageHeight, imageWidth, imageChannels] = model.image;

// For each row of a kernel, and so for each filter or unit: its bias, and the sum of all values times
// their weights. Four rows at once take a third of the time, since no sum has to wait for another.
function weightedSums(values, [kernel, biases], output, start) {
  const length = values.length, rows = biases.length;
  let row = 0;
  for (; row + 3 < rows; row += 4) {
    let a = biases[row], b = biases[row + 1], c = biases[row + 2], d = biases[row + 3];
    const first = row * length, second = first + length, third = second + length, fourth = third + length;
    for (let i = 0; i < length; i++) {
      const value = values[i];
      a += value * kernel[first + i];
      b += value * kernel[second + i];
      c += value * kernel[third + i];
      d += value * kernel[fourth + i];
    }
    output[start + row] = a;
    output[start + row + 1] = b;
    output[start + row + 2] = c;
    output[start + row + 3] = d;
  }
  for (; row < rows; row++) {
    let sum = biases[row];
    for (let i = 0; i < length; i++) sum += values[i] * kernel[row * length + i];
    output[start + row] = sum;
  }
}

const operations = {
  // Each filter's weighted sum of each window of pixels. `margin` says how far the first window is
  // over the edge, where there are zeros.
  convolution({ size, strides, margin, weights }, input, [height, width, depth], output, shape) {
    const [rows, columns, filters] = shape;
    const patch = new Float64Array(size[0] * size[1] * depth);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        let next = 0;
        for (let v = 0; v < size[0]; v++) {
          const y = row * strides[0] + v - margin[0];
          for (let h = 0; h < size[1]; h++) {
            const x = column * strides[1] + h - margin[1];
            const inside = y >= 0 && y < height && x >= 0 && x < width;
            const pixel = (y * width + x) * depth;
            for (let channel = 0; channel < depth; channel++) {
              patch[next++] = inside ? input[pixel + channel] : 0;
            }
          }
        }
        weightedSums(patch, weights, output, (row * columns + column) * filters);
      }
    }
  },

  // The largest value of each window, or the mean of those that are in the image.
  pooling({ function: name, size, strides, margin }, input, [height, width, depth], output, [rows, columns]) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const top = row * strides[0] - margin[0], left = column * strides[1] - margin[1];
        for (let channel = 0; channel < depth; channel++) {
          let sum = 0, count = 0, largest = -Infinity;
          for (let y = Math.max(0, top); y < Math.min(height, top + size[0]); y++) {
            for (let x = Math.max(0, left); x < Math.min(width, left + size[1]); x++) {
              const value = input[(y * width + x) * depth + channel];
              sum += value;
              count += 1;
              if (value > largest) largest = value;
            }
          }
          output[(row * columns + column) * depth + channel] = name === "max" ? largest : sum / count;
        }
      }
    }
  },

  // A factor and a summand for each channel: batch normalization, or a change of range.
  scaling({ weights: [factors, summands] }, input, [, , depth], output) {
    for (let i = 0; i < input.length; i++) output[i] = input[i] * factors[i % depth] + summands[i % depth];
  },

  // Each unit's weighted sum of all values.
  dense({ weights }, input, _, output) {
    weightedSums(Float64Array.from(input), weights, output, 0);
  },

  reshape(_, input, __, output) {
    output.set(input);
  },

  // ReLU; or the softmax of all channels, without overflow.
  activation({ function: name }, input, [, , depth], output) {
    if (name === "relu") {
      for (let i = 0; i < input.length; i++) output[i] = Math.max(0, input[i]);
      return;
    }
    for (let start = 0; start < input.length; start += depth) {
      const values = input.subarray(start, start + depth);
      const largest = Math.max(...values);
      const powers = Array.from(values, (value) => Math.exp(value - largest));
      const sum = powers.reduce((a, b) => a + b);
      output.set(powers.map((power) => power / sum), start);
    }
  },
};

// Give each operation its weights, and an array for its output that is used for every image.
const network = (() => {
  const bytes = Uint8Array.from(atob(model.weights), (character) => character.charCodeAt(0));
  const all = new Float32Array(bytes.buffer);
  let used = 0;
  return model.operations.map((operation) => ({
    ...operation,
    compute: operations[operation.kind],
    weights: operation.counts.map((count) => all.subarray(used, (used += count))),
    values: new Float32Array(operation.output.reduce((a, b) => a * b)),
  }));
})();

// What a check makes of a model's outputs: shares that sum to 1, of what nearly is a distribution, or
// the softmax of logits.
function shares(outputs) {
  const sum = outputs.reduce((a, b) => a + b);
  if (Math.abs(sum - 1) <= 0.02 && outputs.every((each) => each >= 0)) return outputs.map((each) => each / sum);
  const found = new Float32Array(outputs.length);
  operations.activation({ function: "softmax" }, outputs, [1, 1, outputs.length], found);
  return found;
}

// The probability of each class for an image: pixels from 0 to 255, in an array.
function predict(image) {
  let values = Float32Array.from(image, (pixel) => pixel / model.divisor - model.offset);
  let shape = model.input;
  for (const operation of network) {
    operation.compute(operation, values, shape, operation.values, operation.output);
    values = operation.values;
    shape = operation.output;
  }
  return shares(values);
}
