"use strict";

/** Return the object that the page carries under `id`. */
const carried = (id) => JSON.parse(document.getElementById(id).textContent);

/** Return a function that calls `action` once in the next frame, however often it is called before. */
function onceAFrame(action) {
  let waiting = false;
  return () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; action(); });
  };
}

/** Return a function that calls `action` with its last arguments once no call has come for `pause` ms. */
function afterPause(pause, action) {
  let timer;
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => action(...given), pause); };
}

/** Take over the theme of the page that frames this one, where the browser lets us see it. */
function followTheme() {
  let framing;
  try { framing = parent.document.documentElement; } catch { return; }
  const adopt = () => { document.documentElement.dataset.theme = framing.dataset.theme ?? ""; };
  new MutationObserver(adopt).observe(framing, { attributeFilter: ["data-theme"] });
  adopt();
}

/** Make the frame around this page as high as its content, where the browser lets us see it. */
function fitFrame() {
  const fit = () => { frameElement.style.height = `${Math.ceil(document.body.getBoundingClientRect().height)}px`; };
  if (frameElement) new ResizeObserver(fit).observe(document.body);
}
if (parent !== window) {
  followTheme();
  fitFrame();
}
