const { photographs, networks, names, strengths, sigmas } = carried("data");
const [form, panels, summary, spoken, strength, sigma] =
  ["choices", "panels", "summary", "spoken", "strength", "sigma"].map((id) => document.getElementById(id));
const KINDS = { clean: "Clean", attacked: "Attacked", jpeg: "Clean, as JPEG 90" };

function element(kind, more = {}, children = []) {
  const made = Object.assign(document.createElement(kind), more);
  made.append(...children);
  return made;
}

/** Add a radio button for a photograph. */
function addPhotograph({ label }, number) {
  document.getElementById("photographs").append(element("label", {}, [
    element("input", { type: "radio", name: "photograph", value: number, checked: number === 0 }), names[label],
  ]));
}

/** Add a picture with a row for each network, and return the changing parts. */
function addPanel([kind, title]) {
  const canvas = element("canvas");
  canvas.setAttribute("role", "img");
  const rows = networks.map(([name, attacked]) => {
    const [answer, bar] = [element("div", { className: "answer" }), element("div")];
    const network = `${name}${attacked ? "" : " (unknown to the attack)"}`;
    const row = element("li", {}, [
      element("div", { className: "network", textContent: network }), answer,
      element("div", { className: "bar" }, [bar]),
    ]);
    return { row, answer, bar };
  });
  panels.append(element("section", { className: "panel" }, [
    element("h2", { textContent: title }), canvas, element("ul", {}, rows.map(({ row }) => row)),
  ]));
  return { kind, title, canvas, rows };
}

photographs.forEach(addPhotograph);
const parts = Object.entries(KINDS).map(addPanel);

/** Return what `make` returned for the same key before, else what it returns now. */
function kept(store, key, make) {
  if (!store.has(key)) store.set(key, make());
  return store.get(key);
}

const pictures = new Map();

/** Return the pixels of a picture of a photograph, red, green, blue and opacity from 0 to 255. */
function decoded(number, kind) {
  return kept(pictures, `${number} ${kind}`, async () => {
    const image = element("img", { src: photographs[number][kind] });
    await image.decode();
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height);
  });
}

/** Add a percentage of a change to a picture; a clamped array rounds as a file does. */
function blended(clean, attacked, percent) {
  const found = new ImageData(clean.width, clean.height);
  clean.data.forEach((value, i) => {
    found.data[i] = value + (attacked.data[i] - value) * percent / 100;
  });
  return found;
}

/** Return the weights of a Gaussian, cut off at four sigma. */
function gaussian(width) {
  const radius = Math.floor(4 * width + 0.5);
  const weights = Array.from({ length: 2 * radius + 1 }, (_, i) => Math.exp(-((i - radius) ** 2) / (2 * width ** 2)));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
}

/** Return values blurred along one axis of `size` places, `step` apart; the border reflects. */
function blurredAlong(values, weights, size, step) {
  const found = new Float64Array(values.length), radius = (weights.length - 1) / 2;
  for (let i = 0; i < values.length; i++) {
    const at = Math.floor(i / step) % size, first = i - at * step;
    let sum = 0;
    for (let k = -radius; k <= radius; k++) {
      let place = at + k;
      if (place < 0) place = -1 - place;
      if (place >= size) place = 2 * size - 1 - place;
      sum += weights[k + radius] * values[first + place * step];
    }
    found[i] = sum;
  }
  return found;
}

function blurred(picture, width) {
  if (!width) return picture;
  const weights = gaussian(width), found = new ImageData(picture.width, picture.height);
  const rows = blurredAlong(picture.data, weights, picture.height, 4 * picture.width);
  found.data.set(blurredAlong(rows, weights, picture.width, 4));
  return found;
}

const unchanging = new Map(); // clean pictures and their JPEG do not depend on the strength

/** Return the three pictures to show, in the order of `KINDS`. */
async function drawn({ number, percent, width }) {
  const [clean, attacked, jpeg] = await Promise.all(Object.keys(KINDS).map((kind) => decoded(number, kind)));
  const still = (kind, picture) => kept(unchanging, `${number} ${kind} ${width}`, () => blurred(picture, width));
  return [still("clean", clean), blurred(blended(clean, attacked, percent), width), still("jpeg", jpeg)];
}

function show({ canvas, title, rows }, picture, answers, label, state) {
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d").putImageData(picture, 0, 0);
  canvas.setAttribute("aria-label", `${title}: ${names[label]}, ${state}`);
  rows.forEach(({ answer, bar }, i) => {
    const [said, sure] = answers[i], verdict = said === label ? "right" : "wrong";
    answer.replaceChildren(
      `${names[said]} (${sure}\u00a0%), `, element("span", { className: verdict, textContent: verdict }),
    );
    bar.parentElement.className = `bar ${verdict}`;
    bar.style.width = `${sure}%`;
  });
}

const say = afterPause(300, (text) => { spoken.textContent = text; });

/** Return what the controls choose. */
function chosen() {
  const number = +new FormData(form).get("photograph");
  return { number, percent: strengths[strength.value], width: sigmas[sigma.value] };
}

/** Return the answers about the three pictures, in the order of `KINDS`. */
function answered({ number }) {
  const { attacked, jpeg } = photographs[number].said, blur = +sigma.value;
  return [attacked[0][blur], attacked[+strength.value][blur], jpeg[blur]];
}

function describe(control, text) {
  control.parentElement.querySelector("output").textContent = text;
  control.setAttribute("aria-valuetext", text);
}

const same = (one, other) => Object.keys(one).every((key) => one[key] === other[key]);
const draw = onceAFrame(async () => {
  const choice = chosen(), { label } = photographs[choice.number];
  const blur = choice.width ? `blurred by ${choice.width} pixels` : "not blurred";
  describe(strength, `${choice.percent} %`);
  describe(sigma, choice.width === 1 ? "1 pixel" : `${choice.width} pixels`);
  const shown = await drawn(choice);
  if (!same(choice, chosen())) return; // another choice came meanwhile
  const answers = answered(choice);
  parts.forEach((part, i) => show(part, shown[i], answers[i], label, blur));
  const right = answers.map((each) => each.filter(([said]) => said === label).length);
  const text = `The photograph shows: ${names[label]}. Of ${networks.length} networks, ${right[1]} recognise it after `
    + `the attack, ${right[0]} without it and ${right[2]} in the JPEG, each picture ${blur}.`;
  summary.textContent = text;
  say(`Attack at ${choice.percent} %. ${text}`);
});

form.addEventListener("input", draw);
form.addEventListener("submit", (event) => event.preventDefault());
draw();
