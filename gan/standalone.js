const { generator, readings, start } = carried("data");
const [square, point, canvas] = ["square", "point", "digit"].map((id) => document.getElementById(id));
const sliders = [document.getElementById("first"), document.getElementById("second")];
const [reading, spoken] = ["reading", "spoken"].map((id) => document.getElementById(id));
const generate = network(generator), side = Math.sqrt(readings.length);
const where = [...start];

/** The first number is right, the second up: sines and cosines follow, of frequencies that double. */
kinds.Waves = (input, { octaves }) => {
  const values = [...input];
  for (let octave = 0; octave < octaves; octave++) for (const wave of [Math.sin, Math.cos]) {
    for (const value of input) values.push(wave(Math.PI / 2 * 2 ** octave * value));
  }
  return Float64Array.from(values);
};

/** What the classifier read at the nearest point of its grid; capitals are letters from A, for 0, if unsure. */
function readAt(x, y) {
  const cell = (t) => Math.min(side - 1, Math.floor((t + 1) / 2 * side));
  const code = readings.charCodeAt(cell(-y) * side + cell(x));
  return code < 65 ? `a classifier reads ${code - 48}` : `between digits; a classifier leans towards ${code - 65}`;
}

const say = afterPause(300, (text) => { spoken.textContent = text; });
const shown = (value) => value.toFixed(2).replace("-", "\u2212");

const draw = onceAFrame(() => {
  const [x, y] = where;
  paint(canvas, generate(where));
  point.style.left = `${(x + 1) * 50}%`;
  point.style.top = `${(1 - y) * 50}%`;
  sliders.forEach((slider, axis) => {
    slider.value = where[axis];
    slider.parentElement.querySelector("output").textContent = shown(where[axis]);
  });
  const text = readAt(x, y);
  reading.textContent = `${text[0].toUpperCase()}${text.slice(1)}.`;
  say(`At ${shown(x)} to the right and ${shown(y)} up, ${text}.`);
});

function move(x, y) {
  [x, y].forEach((value, axis) => { where[axis] = Math.max(-1, Math.min(1, value)); });
  draw();
}

function follow(event) {
  const box = square.getBoundingClientRect();
  move(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
}

square.addEventListener("pointerdown", (event) => {
  square.setPointerCapture(event.pointerId);
  follow(event);
});
square.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
square.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  if (!steps) return;
  event.preventDefault();
  const length = event.shiftKey ? 0.1 : 0.02;
  move(where[0] + length * steps[0], where[1] + length * steps[1]);
});
sliders.forEach((slider) => slider.addEventListener("input", () => move(...sliders.map((each) => +each.value))));
draw();
