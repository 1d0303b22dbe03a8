/* ---- Filters of a picture, and its connected parts ----

These are the functions of mnist_tasks/predicting, `filters.py` and `components.py`, which explain
them. A grid has rows of values, one after another. */

const makeGrid = (height, width) => ({ height, width, values: new Float64Array(height * width) });
function mapGrid({ height, width, values }, change) {
  const result = makeGrid(height, width);
  for (let i = 0; i < values.length; i++) result.values[i] = change(values[i], i);
  return result;
}

const round = Math.round; // halves up, as in Python's `round_half_up`

// The size with the same aspect whose longer side is `side`.
function fit(height, width, side) {
  const scale = side / Math.max(height, width);
  return [Math.max(1, round(height * scale)), Math.max(1, round(width * scale))];
}

// Values at another size: the area's average, or bilinear where a side grows.
function resize(grid, height, width) {
  const old = grid.width, from = grid.values;
  const tall = makeGrid(height, old), result = makeGrid(height, width), to = result.values;
  resizeWeights(grid.height, height).forEach((weights, y) => {
    for (const [pixel, weight] of weights) {
      for (let x = 0; x < old; x++) tall.values[y * old + x] += weight * from[pixel * old + x];
    }
  });
  resizeWeights(old, width).forEach((weights, x) => {
    for (const [pixel, weight] of weights) {
      for (let y = 0; y < height; y++) to[y * width + x] += weight * tall.values[y * old + pixel];
    }
  });
  return result;
}

// For each new pixel, the old pixels that it is made of, with their weights.
function resizeWeights(old, size) {
  const scale = old / size;
  return Array.from({ length: size }, (_, place) => {
    if (scale < 1) {
      const center = Math.min(Math.max((place + 0.5) * scale - 0.5, 0), old - 1);
      const pixel = Math.floor(center), rest = center - pixel;
      return rest ? [[pixel, 1 - rest], [pixel + 1, rest]] : [[pixel, 1]];
    }
    const start = place * scale, end = (place + 1) * scale, weights = [];
    for (let pixel = Math.floor(start); pixel < Math.min(end, old); pixel++) {
      const covered = Math.min(end, pixel + 1) - Math.max(start, pixel);
      if (covered > 0) weights.push([pixel, covered / scale]);
    }
    return weights;
  });
}

// The largest value in the square window around each pixel: of each row, then of each column.
function largest(grid, radius) {
  const { height, width } = grid, values = grid.values.slice();
  const buffers = Array.from({ length: 2 }, () => new Float64Array(Math.max(height, width) + 2 * radius));
  for (let y = 0; y < height; y++) largestInLine(values, y * width, 1, width, radius, buffers);
  for (let x = 0; x < width; x++) largestInLine(values, x, width, height, radius, buffers);
  return { height, width, values };
}

// A window spans two blocks of its own length: its largest value is that of the end of the first and
// the start of the second, which one pass back and one forth find for all windows (M. van Herk, 1992).
function largestInLine(values, start, step, length, radius, [starts, ends]) {
  const block = 2 * radius + 1, padded = length + 2 * radius;
  starts.fill(-Infinity);
  for (let i = 0; i < length; i++) starts[i + radius] = values[start + i * step];
  ends.set(starts);
  for (let first = 0; first < padded; first += block) {
    const last = Math.min(first + block, padded) - 1;
    for (let i = first; i < last; i++) if (starts[i] > starts[i + 1]) starts[i + 1] = starts[i];
    for (let i = last; i > first; i--) if (ends[i] > ends[i - 1]) ends[i - 1] = ends[i];
  }
  for (let i = 0; i < length; i++) {
    const one = ends[i], other = starts[i + block - 1];
    values[start + i * step] = one > other ? one : other;
  }
}

const negative = (grid) => mapGrid(grid, (value) => -value);
const smallest = (grid, radius) => negative(largest(negative(grid), radius));

function median(values) {
  const sorted = Float64Array.from(values).sort(), middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The grid with a margin of zeros, and the part of it in a box.
function padGrid({ height, width, values }, margin) {
  const result = makeGrid(height + 2 * margin, width + 2 * margin);
  for (let y = 0; y < height; y++) {
    result.values.set(values.subarray(y * width, (y + 1) * width), (y + margin) * result.width + margin);
  }
  return result;
}

function cropGrid(grid, [top, left, bottom, right]) {
  const result = makeGrid(bottom - top, right - left);
  for (let y = top; y < bottom; y++) {
    const row = grid.values.subarray(y * grid.width + left, y * grid.width + right);
    result.values.set(row, (y - top) * result.width);
  }
  return result;
}

// components.py

// The parts of a grid whose values are true, in the order of their first pixels: pixels that touch,
// with a corner at least. A part has runs of pixels, an area, and the box around it.
function findParts(grid) {
  const runs = findRuns(grid), parents = runs.map((_, index) => index);
  const root = (index) => {
    while (parents[index] !== index) parents[index] = index = parents[parents[index]];
    return index;
  };
  let first = 0; // run that may touch this one or a later one
  runs.forEach(([row, start, end], index) => {
    while (runs[first][0] < row - 1 || (runs[first][0] < row && runs[first][2] < start)) first++;
    for (let other = first; runs[other][0] < row && runs[other][1] <= end; other++) {
      const one = root(other), two = root(index);
      parents[Math.max(one, two)] = Math.min(one, two);
    }
  });
  const trees = new Map();
  runs.forEach((run, index) => {
    const tree = root(index);
    if (!trees.has(tree)) trees.set(tree, []);
    trees.get(tree).push(run);
  });
  return Array.from(trees.values(), makePart);
}

// The runs of true values, row by row: row, first column, and the column after the last.
function findRuns({ height, width, values }) {
  const runs = [];
  for (let row = 0; row < height; row++) {
    for (let x = 0; x < width; x++) {
      const start = x;
      while (x < width && values[row * width + x]) x++;
      if (x > start) runs.push([row, start, x]);
    }
  }
  return runs;
}

// A part of some runs. Its box has the first row, the first column, and those after the last.
function makePart(runs) {
  const box = [Infinity, Infinity, 0, 0];
  let area = 0;
  for (const [row, start, end] of runs) {
    area += end - start;
    box[0] = Math.min(box[0], row);
    box[1] = Math.min(box[1], start);
    box[2] = Math.max(box[2], row + 1);
    box[3] = Math.max(box[3], end);
  }
  return { runs, area, box };
}

// The longer side of a box.
const sideOf = ([top, left, bottom, right]) => Math.max(bottom - top, right - left);

function maskOf(parts, height, width) {
  const mask = makeGrid(height, width);
  for (const { runs } of parts) {
    for (const [row, start, end] of runs) mask.values.fill(1, row * width + start, row * width + end);
  }
  return mask;
}

// The pixels between two boxes, in the direction in which they are further apart.
const gap = (one, other) =>
  Math.max(
    0,
    Math.max(one[0], other[0]) - Math.min(one[2], other[2]),
    Math.max(one[1], other[1]) - Math.min(one[3], other[3]),
  );

// The box of each group of parts: of those that touch if all grow by a radius.
function groupsOf(parts, radius) {
  const height = Math.max(...parts.map(({ box }) => box[2]));
  const width = Math.max(...parts.map(({ box }) => box[3]));
  const grown = findParts(largest(padGrid(maskOf(parts, height, width), radius), radius));
  return grown.map(({ box: [top, left, bottom, right] }) => {
    return [top, left, bottom - 2 * radius, right - 2 * radius];
  });
}
