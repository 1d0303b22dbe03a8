/* ---- The preparation of a picture, as MNIST's images were prepared ----

These are the steps of mnist_tasks/predicting: `ground.py` and `preparation.py` say why, and have the
constants. A picture is a grid from 0 to 255. */

const SMALL_SIDE = 64, ROUNDS = 12, RADIUS = 8, DARKEST = 32;

// A picture without its ground, which is a smooth surface and what no stroke is wide enough to be: if
// its ink is bright, and if it is dark.
function flatten(picture) {
  const { height, width } = picture;
  const isSmall = Math.max(height, width) <= SMALL_SIDE;
  const small = isSmall ? picture : resize(picture, ...fit(height, width, SMALL_SIDE));
  const coefficients = fitSurface(small);
  const rest = withoutSurface(picture, coefficients), smallRest = withoutSurface(small, coefficients);
  return [
    flattenOne(picture, rest, smallRest, 1),
    flattenOne(picture, negative(rest), negative(smallRest), -1),
  ];
}

function flattenOne(picture, rest, smallRest, sign) {
  const opened = resize(largest(smallest(smallRest, RADIUS), RADIUS), rest.height, rest.width);
  const above = mapGrid(rest, (value, i) => value - opened.values[i]);
  const middle = median(above.values);
  const contrast = mapGrid(above, (value) => value - middle);
  const ground = picture.values.map((value, i) => Math.max(value - sign * contrast.values[i], DARKEST));
  const light = median(ground);
  return {
    contrast: mapGrid(contrast, (value, i) => value * (light / ground[i])),
    evidence: contrast.values.map((value, i) => Math.min(value, rest.values[i])),
  };
}

// The center of a pixel in a row or a column, from -1 to 1.
const center = (pixel, count) => (2 * pixel + 1) / count - 1;

function withoutSurface({ height, width, values }, [a, b, c, d, e, f]) {
  const result = makeGrid(height, width);
  for (let row = 0, i = 0; row < height; row++) {
    const y = center(row, height);
    for (let column = 0; column < width; column++, i++) {
      const x = center(column, width);
      result.values[i] = values[i] - (a + b * x + c * y + d * x * x + e * x * y + f * y * y);
    }
  }
  return result;
}

// The coefficients of the surface with the least absolute differences: least squares, reweighted by
// the inverse of the differences.
function fitSurface(small) {
  const { height, width, values } = small, middle = median(values);
  let differences = values.map((value) => value - middle), coefficients;
  for (let turn = 0; turn < ROUNDS; turn++) {
    const rows = Array.from({ length: 6 }, () => new Float64Array(7));
    rows.forEach((row, j) => (row[j] = 1e-6)); // so that a picture of one row is solvable
    for (let i = 0; i < values.length; i++) {
      const y = center(Math.floor(i / width), height), x = center(i % width, width);
      const terms = [1, x, y, x * x, x * y, y * y, values[i]];
      const weight = 1 / Math.max(Math.abs(differences[i]), 1);
      for (let j = 0; j < 6; j++) for (let k = 0; k < 7; k++) rows[j][k] += weight * terms[j] * terms[k];
    }
    coefficients = solve(rows);
    differences = withoutSurface(small, coefficients).values;
  }
  return coefficients;
}

// The solution of linear equations; each row has its coefficients, then its right side.
function solve(rows) {
  const count = rows.length;
  for (let i = 0; i < count; i++) {
    let pivot = i;
    for (let j = i + 1; j < count; j++) if (Math.abs(rows[j][i]) > Math.abs(rows[pivot][i])) pivot = j;
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = 0; j < count; j++) {
      const factor = j === i ? 0 : rows[j][i] / rows[i][i];
      for (let k = i; factor && k <= count; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  return rows.map((row, i) => row[count] / row[i]);
}

const SIDE = 28, BOX = 20, CENTER = 14, WORKING_SIDE = 512;
const LEAST_CONTRAST = 12, LEAST_NOISE = 4 * 1.4826, OTSU_FRACTION = 0.75;
const LEAST_AREA = 4, BORDER = 0.1, LEAST_SIDE = 8, INNER_SIDE = 1 / 32, SPECK = 0.02, NEAR = 0.25;
const REACH = 0.06, TALL = 0.5, WIDEST = 2, RAMP = [0.4, 0.9], SOFT = 3, EDGE = 0.3;
const FINE_SIDE = 80, THINNEST = 1.7;

// The image that MNIST would have of a picture: how many digits it seems to show, and its pixels.
function preparePhoto(picture) {
  const { height, width } = picture;
  const isLarge = Math.max(height, width) > WORKING_SIDE;
  const working = isLarge ? resize(picture, ...fit(height, width, WORKING_SIDE)) : picture;
  const [bright, dark] = flatten(working).map(findInk);
  return finish(energy(bright) > energy(dark) ? bright : dark);
}

// The same of a drawing, whose ground is black and has no noise.
const prepareDrawing = (picture) => finish(findInk({ contrast: picture, noise: 0 }));

// The connected parts of what contrasts with the ground.
function findInk(flattened) {
  const { contrast, noise = median(contrast.values.map(Math.abs)) } = flattened;
  const level = threshold(contrast.values, noise);
  const parts = findParts(mapGrid(contrast, (value) => value > level));
  return { ...flattened, parts: parts.filter(({ area }) => area >= LEAST_AREA) };
}

// The sum of the cubes of the evidence, in which parts at the border count less.
function energy({ contrast: picture, evidence, parts }) {
  const cubes = (chosen) => {
    const { values } = maskOf(chosen, picture.height, picture.width);
    return evidence.reduce((sum, value, i) => sum + values[i] * Math.max(value, 0) ** 3, 0);
  };
  return BORDER * cubes(parts) + (1 - BORDER) * cubes(parts.filter(({ box }) => isInner(box, picture)));
}

// Whether a box does not touch the picture's border.
const isInner = ([top, left, bottom, right], { height, width }) =>
  top > 0 && left > 0 && bottom < height && right < width;

// The least contrast of ink: above the noise, and a fraction of Otsu's threshold.
function threshold(values, noise) {
  const least = Math.max(LEAST_CONTRAST, LEAST_NOISE * noise);
  const counts = new Float64Array(256);
  for (const value of values) if (value > least) counts[Math.min(255, Math.floor(value))]++;
  let total = 0, totalSum = 0;
  counts.forEach((count, level) => {
    total += count;
    totalSum += count * level;
  });
  let below = 0, sum = 0, most = -1, best = 0;
  counts.forEach((count, level) => {
    below += count;
    sum += count * level;
    const squared = ((totalSum * below) / Math.max(total, 1) - sum) ** 2;
    const between = squared / Math.max(below * (total - below), 1);
    if (between > most) [most, best] = [between, level];
  });
  return Math.max(least, OTSU_FRACTION * (best + 1));
}

// The parts that belong to digits, and the digits' boxes: no specks, nothing from beyond the border.
function choose(parts, picture) {
  const least = Math.max(LEAST_SIDE, INNER_SIDE * Math.max(picture.height, picture.width));
  const inner = parts.filter(({ box }) => sideOf(box) >= least && isInner(box, picture));
  if (inner.length) {
    const boxes = inner.map(({ box }) => box), side = 2 * Math.max(...boxes.map(sideOf));
    parts = parts.filter(({ box }) => isInner(box, picture) || (sideOf(box) <= side && isNear(box, boxes)));
  }
  const area = SPECK * Math.max(0, ...parts.map((part) => part.area));
  parts = parts.filter((part) => part.area >= area);
  const digits = digitsOf(parts);
  return [parts.filter(({ box }) => isNear(box, digits)), digits];
}

const isNear = (box, boxes) => boxes.some((other) => gap(box, other) <= NEAR * sideOf(other));

// The boxes of the digits: of parts that are close to one another, and tall enough.
function digitsOf(parts) {
  const longest = Math.max(0, ...parts.map(({ box }) => sideOf(box)));
  if (longest < LEAST_SIDE) return [];
  const boxes = groupsOf(parts, Math.max(1, round(REACH * longest)));
  const heightOf = ([top, , bottom]) => bottom - top, tallest = Math.max(...boxes.map(heightOf));
  return boxes.filter((box) => heightOf(box) >= TALL * tallest);
}

function countDigits(digits) {
  const [[top, left, bottom, right]] = digits;
  const isWide = right - left > WIDEST * (bottom - top) + 2 * SOFT;
  return digits.length === 1 && isWide ? 2 : digits.length;
}

function finish({ contrast, parts }) {
  const [chosen, boxes] = choose(parts, contrast);
  if (!chosen.length) return { digits: 0, pixels: new Uint8Array(SIDE * SIDE) };
  const { height, width } = contrast;
  const [top, left, bottom, right] = makePart(chosen.flatMap(({ runs }) => runs)).box;
  const start = [top - SOFT, left - SOFT].map((side) => Math.max(0, side));
  const box = [...start, Math.min(height, bottom + SOFT), Math.min(width, right + SOFT)];
  const mask = cropGrid(maskOf(chosen, height, width), box); // the rest has no ink
  return { digits: countDigits(boxes), pixels: place(thicken(inkValues(cropGrid(contrast, box), mask))) };
}

// The ink from 0 to 1, cropped: 0 outside of the mask and the pixels around it.
function inkValues(contrast, mask) {
  const middle = median(contrast.values.filter((_, i) => mask.values[i]));
  const [low, high] = RAMP.map((each) => each * middle);
  const wide = largest(mask, SOFT).values;
  const values = mapGrid(contrast, (value, i) => {
    return Math.min(Math.max((value - low) / (high - low), 0), 1) * wide[i];
  });
  return cropGrid(values, makePart(findRuns(mapGrid(values, (value) => value > EDGE))).box);
}

// The ink with strokes that are not thinner than MNIST's. Their width is twice the area, divided by
// the circumference: the sum of differences between neighbors, more by 4/π on average.
function thicken(values) {
  if (Math.max(values.height, values.width) > FINE_SIDE) {
    values = resize(values, ...fit(values.height, values.width, FINE_SIDE));
  }
  const { width, values: all } = padGrid(values, 1);
  let area = 0, edges = 0;
  for (let i = 0; i < all.length; i++) {
    area += all[i];
    if (i >= width) edges += Math.abs(all[i] - all[i - width]);
    if (i % width) edges += Math.abs(all[i] - all[i - 1]);
  }
  const stroke = (2 * area) / ((edges * Math.PI) / 4);
  const radius = round(((THINNEST * Math.max(values.height, values.width)) / BOX - stroke) / 2);
  return radius > 0 ? largest(padGrid(values, radius), radius) : values;
}

// The ink with a longer side of 20 pixels, and its center of mass in the middle of the image.
function place(grid) {
  const { height, width, values } = resize(grid, ...fit(grid.height, grid.width, BOX));
  let sum = 0, down = 0, right = 0, most = 0;
  values.forEach((value, i) => {
    sum += value;
    down += value * Math.floor(i / width);
    right += value * (i % width);
    most = Math.max(most, value);
  });
  const inside = (start, most) => Math.min(Math.max(round(start), 0), most);
  const top = inside(CENTER - down / sum, SIDE - height);
  const left = inside(CENTER - right / sum, SIDE - width);
  const pixels = new Uint8Array(SIDE * SIDE);
  values.forEach((value, i) => {
    pixels[(top + Math.floor(i / width)) * SIDE + left + (i % width)] = round((255 * value) / most);
  });
  return pixels;
}
