const { classes, choices, cells, tile, veil, scenes } = carried("data");
const [canvas, levels, summary, spoken, form, mark] =
  ["scene", "levels", "summary", "spoken", "choices", "mark"].map((id) => document.getElementById(id));
const ORANGE = "#ff7a1a", BLUE = "#4db2ff";
const GREY = Math.round(255 * veil / (1 - veil)); // 1 - veil of this and veil of the pixel are veil * (1 + pixel)

function element(kind, more = {}, children = []) {
  const made = Object.assign(document.createElement(kind), more);
  made.append(...children);
  return made;
}

/** Add a group of radio buttons to the form. */
function addChoice([name, legend, options, start]) {
  const labels = options.map(([value, text]) => element("label", {}, [
    element("input", { type: "radio", name, value, checked: value === start }), text,
  ]));
  form.append(element("fieldset", {}, [
    element("legend", { textContent: legend }), element("div", { className: "options" }, labels),
  ]));
}

/** Add the row of a level, its cells being `cell` pixels a side, and return its changing parts. */
function addLevel(cell, number) {
  const picture = element("canvas");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", `What level ${number + 1} reads`);
  const [answer, tiles] = ["answer", "tiles"].map((className) => element("p", { className }));
  const bar = element("div");
  levels.append(element("li", {}, [picture, element("div", {}, [
    answer, element("div", { className: "bar" }, [bar]), tiles,
  ])]));
  return { picture, answer, bar, tiles, cell };
}

choices.forEach(addChoice);
const rows = cells.map(addLevel);
const pictures = new Map();

/** Return the picture of a scene, decoded once. */
function decoded(scene) {
  if (!pictures.has(scene)) {
    const image = element("img", { src: scene.image });
    pictures.set(scene, image.decode().then(() => image));
  }
  return pictures.get(scene);
}

/** Return the places of tiles whose bit is `bit` as [left, top, width, height] in units of the canvas' side. */
function places(bits, share, bit) {
  const side = Math.round(Math.sqrt(bits.length)), found = [];
  [...bits].forEach((each, i) => {
    const [left, top] = [i % side, Math.floor(i / side)].map((at) => at * share);
    if (each === bit) found.push([left, top, Math.min(share, 1 - left), Math.min(share, 1 - top)]);
  });
  return found;
}

/** Draw a veil over the tiles that were not read. */
function cover(context, bits, share, scale) {
  context.fillStyle = `rgb(${GREY} ${GREY} ${GREY} / ${1 - veil})`;
  for (const place of places(bits, share, "0")) context.fillRect(...place.map((at) => at * scale));
}

function drawScene(image, scene, bits) {
  const context = canvas.getContext("2d"), size = canvas.width, share = tile / image.width;
  context.imageSmoothingEnabled = false;
  context.drawImage(image, 0, 0, size, size);
  cover(context, bits, share, size);
  context.lineWidth = 4;
  context.strokeStyle = ORANGE;
  if (bits.includes("0")) {
    for (const place of places(bits, share, "1")) context.strokeRect(...place.map((at) => at * size));
  }
  if (!mark.checked) return;
  const [top, left, height, width] = scene.box.map((pixels) => pixels / image.width * size);
  context.strokeStyle = BLUE;
  context.setLineDash([12, 8]);
  context.strokeRect(left, top, width, height);
  context.setLineDash([]);
}

/** Draw the means of blocks of a quarter of a cell a side, which a level reads; beyond the scene is black. */
function drawLevel({ picture, cell }, image, bits) {
  const block = cell / 4, size = Math.ceil(image.width / block), whole = size * block;
  const source = new OffscreenCanvas(whole, whole).getContext("2d", { willReadFrequently: true });
  source.drawImage(image, 0, 0);
  const greys = source.getImageData(0, 0, whole, whole).data, sums = new Float64Array(size * size);
  for (let y = 0; y < whole; y++) for (let x = 0; x < whole; x++) {
    sums[Math.floor(y / block) * size + Math.floor(x / block)] += greys[4 * (y * whole + x)];
  }
  picture.width = picture.height = size;
  const context = picture.getContext("2d"), means = context.createImageData(size, size);
  sums.forEach((sum, i) => {
    const mean = sum / block ** 2;
    means.data.set([mean, mean, mean, 255], 4 * i);
  });
  context.putImageData(means, 0, 0);
  cover(context, bits, 32 / size, size); // a tile is 8 cells, 32 blocks a side
}

function describeLevel({ answer, bar, tiles, cell }, number, names, label, reading) {
  const said = reading.answers[number], verdict = said === label ? "right" : "wrong";
  const sure = 100 * reading.sure[number], bits = reading.tiles[number];
  answer.replaceChildren(
    `${names[said]} (${sure.toFixed(0)} %), `, element("span", { className: verdict, textContent: verdict }),
  );
  bar.className = verdict;
  bar.style.width = `${sure}%`;
  tiles.textContent = `Level ${number + 1}: cells of ${cell} pixels, ${counted(bits)} tiles read`;
}

const counted = (bits) => `${bits.replaceAll("0", "").length} of ${bits.length}`;
const say = afterPause(300, (text) => { spoken.textContent = text; });

/** Return the scene and the reading that the radio buttons choose. */
function chosen() {
  const { dataset, number, side, canvas: size, budget } = Object.fromEntries(new FormData(form));
  const scene = scenes[[dataset, number, side, size]];
  return { scene, reading: scene.readings[budget], names: classes[dataset] };
}

const draw = onceAFrame(async () => {
  const { scene, reading, names } = chosen();
  const image = await decoded(scene);
  if (chosen().reading !== reading) return; // another choice came meanwhile
  const finest = reading.tiles.at(-1), last = rows.length - 1, truth = names[scene.label];
  drawScene(image, scene, finest);
  canvas.setAttribute("aria-label", `The scene. It shows: ${truth}.`);
  rows.forEach((row, number) => {
    drawLevel(row, image, reading.tiles[number]);
    describeLevel(row, number, names, scene.label, reading);
  });
  const share = (100 * reading.macs / scene.all).toFixed(0), millions = (reading.macs / 1e6).toFixed(0);
  summary.textContent = `The scene shows: ${truth}. The network used ${millions} million multiplications, `
    + `${share} % of what reading everything takes.`;
  const verdict = reading.answers[last] === scene.label ? "right" : "wrong";
  say(`Read ${counted(finest)} tiles at the finest level, ${share} % of the multiplications. `
    + `Answer: ${names[reading.answers[last]]}, ${verdict}.`);
});

form.addEventListener("change", draw);
mark.addEventListener("change", draw);
draw();
