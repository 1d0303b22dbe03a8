/* ---- The page ---- */

const MOST_BYTES = 50e6, MOST_PIXELS = 64e6; // of a picture
const LARGEST_SIDE = 2048; // pixels; a larger picture is made smaller by the browser
const MOST_BARS = 12; // of more classes, the most probable are shown
const SPOKEN_AFTER = 700; // milliseconds without a change

const find = (id) => document.getElementById(id);
const pad = find("pad"), ink = pad.getContext("2d", { willReadFrequently: true });
const seen = find("seen").getContext("2d");
const choices = document.querySelectorAll("[name=example]"); // each before its image

// What is on the pad: strokes, each with its points and its thickness; or a picture of the user's, or
// a test image. A change replaces the whole state, so that `past` has those to go back to.
const NOTHING = { strokes: [], picture: null, example: null };
let state = NOTHING, past = [];

function change(next) {
  past.push(state);
  state = { ...NOTHING, ...next };
  refresh();
}

function undo() {
  if (!past.length) return;
  state = past.pop();
  refresh();
}

// Draw the state again and predict it, once for each frame of the screen.
let waits = false;
function refresh() {
  if (waits) return;
  waits = true;
  requestAnimationFrame(() => {
    waits = false;
    paint();
    show(look());
  });
}

function paint() {
  const { strokes, picture, example } = state, image = picture ?? example;
  const isPhoto = Boolean(picture) || imageChannels === 3; // in its own colors
  pad.classList.toggle("photo", isPhoto);
  ink.fillStyle = "#000";
  ink[isPhoto ? "clearRect" : "fillRect"](0, 0, pad.width, pad.height);
  if (image) {
    const scale = Math.min(pad.width / width(image), pad.height / height(image));
    const size = [width(image) * scale, height(image) * scale];
    ink.imageSmoothingEnabled = image === picture;
    ink.drawImage(image, (pad.width - size[0]) / 2, (pad.height - size[1]) / 2, ...size);
  }
  paintStrokes(ink, strokes);
  find("hint").hidden = Boolean(image) || strokes.length > 0;
  for (const name of ["undo", "clear"]) {
    if (find(name)) find(name).disabled = name === "undo" ? !past.length : state === NOTHING;
  }
  for (const each of choices) each.checked = each.nextElementSibling === example;
}

function paintStrokes(context, strokes) {
  context.strokeStyle = "#fff";
  context.lineCap = context.lineJoin = "round";
  for (const { points, thickness } of strokes) {
    context.lineWidth = thickness;
    context.beginPath();
    const [[x, y]] = points;
    context.moveTo(x - 0.01, y); // a line to the same point would not be drawn: a dot is
    for (const point of points) context.lineTo(...point);
    context.stroke();
  }
}

const width = (image) => image.naturalWidth ?? image.width;
const height = (image) => image.naturalHeight ?? image.height;

// The image for the network: its pixels, in an array; or the problem, why there is none.
function look() {
  const { strokes, picture, example } = state;
  if (example) return { pixels: resizePicture(pixelsOf(example)) };
  if (!picture && !strokes.length) return { problem: "" };
  if (!model.draws) {
    const pixels = pixelsOf(picture);
    return isBlank(pixels) ? { problem: "The picture is blank." } : { pixels: resizePicture(pixels) };
  }
  const found = picture ? preparePhoto(grayOf(pixelsOf(picture))) : prepareDrawing(drawing());
  if (!found.digits) return { problem: "There is no digit in it." };
  return { pixels: found.pixels, note: found.digits > 1 ? " These may be several digits." : "" };
}

// The strokes on a smaller black ground that is wider than the pad, so that no ink is at its edge.
const DRAWING_SIDE = 160, MARGIN = 24;
const SMALL_PAD = DRAWING_SIDE + 2 * MARGIN;
const small = new OffscreenCanvas(SMALL_PAD, SMALL_PAD).getContext("2d", { willReadFrequently: true });

function drawing() {
  const scale = DRAWING_SIDE / pad.width;
  small.setTransform(1, 0, 0, 1, 0, 0);
  small.fillRect(0, 0, SMALL_PAD, SMALL_PAD);
  small.setTransform(scale, 0, 0, scale, MARGIN, MARGIN);
  paintStrokes(small, state.strokes);
  return grayOf(small.getImageData(0, 0, SMALL_PAD, SMALL_PAD));
}

// An image's pixels, red, green, blue and alpha; what is transparent gets a ground.
function pixelsOf(image) {
  const size = [width(image), height(image)], context = new OffscreenCanvas(...size).getContext("2d");
  context.drawImage(image, 0, 0);
  return makeOpaque(context.getImageData(0, 0, ...size));
}

// Lay a transparent picture on a ground that its ink differs from. If most of it is opaque, that is
// mostly ground, and the rest gets its median color. Otherwise the opaque part is the ink.
function makeOpaque(pixels) {
  const { data } = pixels, visible = [];
  if (data.every((value, i) => i % 4 < 3 || value === 255)) return pixels;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 127) visible.push(i);
  const colors = [0, 1, 2].map((channel) => visible.map((i) => data[i + channel]));
  let ground = [255, 255, 255];
  if (visible.length > data.length / 8) ground = colors.map(median);
  else if (median(colors.flat()) >= 127.5) ground = [0, 0, 0];
  for (let i = 0; i < data.length; i++) {
    const alpha = data[i - (i % 4) + 3] / 255;
    if (i % 4 < 3) data[i] = round(data[i] * alpha + ground[i % 4] * (1 - alpha));
  }
  return pixels;
}

// Red, green and blue, or the luma, of a picture in the size of the data set's images.
function resizePicture(pixels) {
  const image = new Uint8Array(imageHeight * imageWidth * imageChannels);
  for (let channel = 0; channel < imageChannels; channel++) {
    const colors = channelOf(pixels, (data, i) => data[i + channel]);
    const grid = imageChannels === 1 ? grayOf(pixels) : colors;
    resize(grid, imageHeight, imageWidth).values.forEach((value, i) => {
      image[i * imageChannels + channel] = round(value);
    });
  }
  return image;
}

const isBlank = ({ data }) => data.every((value, i) => value === data[i % 4]);

const grayOf = (pixels) =>
  channelOf(pixels, (data, i) => round(0.299 * data[i] + 0.587 * data[i + 1] + 0.114 * data[i + 2]));

function channelOf({ data, width, height }, valueOf) {
  const grid = makeGrid(height, width);
  for (let i = 0; i < grid.values.length; i++) grid.values[i] = valueOf(data, 4 * i);
  return grid;
}

// A share, of which 100% and 0% would say too much.
function percent(share) {
  if (share > 0.9995) return "> 99.9%";
  return share < 0.0005 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
}

// Show a prediction, or why there is none.
function show({ pixels, problem, note = "" }) {
  const probabilities = pixels ? predict(pixels) : new Float32Array(model.classes.length);
  const order = Array.from(probabilities.keys()).sort((a, b) => probabilities[b] - probabilities[a]);
  const [best, second] = order;
  const caption = state.example ? ` ${state.example.alt}.` : note;
  find("answer").textContent = pixels ? model.classes[best] : "–";
  const runnerUp = `${model.classes[second]}, ${percent(probabilities[second])}`;
  find("note").textContent = pixels
    ? `${percent(probabilities[best])}. Runner-up: ${runnerUp}.${caption}`
    : problem;
  const shown = bars.length < order.length ? order : order.slice().sort((a, b) => a - b);
  bars.forEach((bar, place) => {
    const label = shown[place], share = probabilities[label];
    bar.name.textContent = model.classes[label];
    bar.share.textContent = pixels ? `${(100 * share).toFixed(1)}%` : "";
    bar.row.style.setProperty("--share", share);
    bar.row.classList.toggle("best", Boolean(pixels) && label === best);
  });
  paintSeen(pixels);
  say(pixels ? `${find("answer").textContent}: ${find("note").textContent}` : problem);
}

function paintSeen(pixels) {
  const image = new ImageData(imageWidth, imageHeight);
  for (let i = 0; i < imageWidth * imageHeight; i++) {
    for (let channel = 0; channel < 3; channel++) {
      image.data[4 * i + channel] = pixels ? pixels[i * imageChannels + (channel % imageChannels)] : 0;
    }
    image.data[4 * i + 3] = 255;
  }
  seen.putImageData(image, 0, 0);
  find("seen").setAttribute("aria-label", pixels ? "The picture, as the network gets it" : "Nothing yet");
}

// A screen reader says the result once one pauses: it can't keep up with the bars.
let speaker;
function say(text) {
  clearTimeout(speaker);
  speaker = setTimeout(() => (find("spoken").textContent = text), SPOKEN_AFTER);
}

// The rows of bars.
const bars = model.classes.slice(0, model.classes.length > MOST_BARS ? 10 : MOST_BARS).map(() => {
  const row = document.createElement("li");
  const [name, bar, share] = ["name", "bar", "share"].map((each) => {
    const part = document.createElement("span");
    part.className = each;
    row.append(part);
    return part;
  });
  bar.setAttribute("aria-hidden", "true");
  find("bars").append(row);
  return { row, name, share };
});

/* Drawing: with a mouse, a finger or a pen */

function pointOf(event) {
  const box = pad.getBoundingClientRect();
  const x = (event.clientX - box.left) / box.width, y = (event.clientY - box.top) / box.height;
  return [x * pad.width, y * pad.height];
}

function beginStroke(point) {
  const stroke = { points: [point], thickness: Number(find("thickness").value) };
  change({ strokes: [...state.strokes, stroke] });
  return stroke;
}

let drawn = null; // the stroke that is being drawn
if (model.draws) {
  pad.addEventListener("pointerdown", (event) => {
    if (!event.isPrimary || event.button !== 0) return;
    pad.setPointerCapture(event.pointerId);
    hidePen();
    drawn = beginStroke(pointOf(event));
  });
  pad.addEventListener("pointermove", (event) => {
    if (!drawn || !event.isPrimary) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const each of events.length ? events : [event]) drawn.points.push(pointOf(each));
    refresh();
  });
  for (const name of ["pointerup", "pointercancel"]) pad.addEventListener(name, () => (drawn = null));
  find("undo").addEventListener("click", undo);
  find("clear").addEventListener("click", () => change(NOTHING));
}

/* Drawing with the keyboard: a pen that the arrow keys move */

const STEP = 16; // pixels of the pad
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const pen = { at: [pad.width / 2, pad.height / 4], stroke: null };

function showPen() {
  find("cursor").hidden = false;
  find("cursor").classList.toggle("down", Boolean(pen.stroke));
  find("cursor").style.left = `${(100 * pen.at[0]) / pad.width}%`;
  find("cursor").style.top = `${(100 * pen.at[1]) / pad.height}%`;
}

function hidePen() {
  pen.stroke = null;
  find("cursor").hidden = true;
}

function movePen([right, down]) {
  const inside = (value, size) => Math.min(size, Math.max(0, value));
  pen.at = [inside(pen.at[0] + right * STEP, pad.width), inside(pen.at[1] + down * STEP, pad.height)];
  if (pen.stroke) {
    pen.stroke.points.push(pen.at);
    refresh();
  }
}

if (model.draws) {
  pad.addEventListener("blur", hidePen);
  pad.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (ARROWS[event.key]) movePen(ARROWS[event.key]);
    else if (event.key === " ") pen.stroke = pen.stroke ? null : beginStroke(pen.at);
    else if (event.key === "Delete" || event.key === "Backspace") {
      pen.stroke = null;
      change(NOTHING);
    } else return;
    event.preventDefault();
    showPen();
  });
  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    pen.stroke = drawn = null;
    undo();
  });
}

/* Test images, and pictures of the user's */

for (const each of choices) {
  each.addEventListener("change", () => change({ example: each.nextElementSibling }));
}

async function openPicture(file) {
  if (!file) return;
  find("problem").textContent = "";
  const address = URL.createObjectURL(file);
  try {
    change({ picture: await read(file, address) });
  } catch (error) {
    find("problem").textContent = `${file.name}: ${error.message}`;
  } finally {
    URL.revokeObjectURL(address);
  }
}

// A picture, upright as its EXIF says, in a canvas. Its size is known before it is decoded.
async function read(file, address) {
  if (file.size > MOST_BYTES) throw new Error(`it has more than ${MOST_BYTES / 1e6} MB.`);
  const image = new Image();
  await new Promise((resolve, reject) => {
    image.onload = resolve;
    image.onerror = () => reject(new Error("this is no picture that your browser can read."));
    image.src = address;
  });
  const { naturalWidth: columns, naturalHeight: rows } = image;
  if (!(columns * rows)) throw new Error("this picture has no size.");
  if (columns * rows > MOST_PIXELS) throw new Error(`it has more than ${MOST_PIXELS / 1e6} million pixels.`);
  const [height, width] = fit(rows, columns, Math.min(LARGEST_SIDE, Math.max(rows, columns)));
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  context.imageSmoothingQuality = "high";
  context.drawImage(image, 0, 0, width, height);
  return canvas;
}

find("file").addEventListener("change", ({ target }) => {
  openPicture(target.files[0]);
  target.value = ""; // so that the same file can be chosen again
});
document.addEventListener("paste", (event) => openPicture(event.clipboardData.files[0]));
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("dropping");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  openPicture(event.dataTransfer.files[0]);
});

// A browser compiles what has run a few times. It does so before the first stroke, which would wait.
if (model.draws) {
  const [x, y] = [pad.width / 2, pad.height / 4];
  const stroke = { points: [[x, y], [x, 3 * y]], thickness: Number(find("thickness").value) };
  state = { ...NOTHING, strokes: [stroke] };
  for (let run = 0; run < 20; run++) show(look());
  state = NOTHING;
}

refresh();
