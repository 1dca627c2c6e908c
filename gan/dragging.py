"""A square in which a point is dragged, as a widget."""

import anywidget
import traitlets

SIDE = 336  # pixels on the screen
START = (-0.12, -0.08)  # between a four and a nine


class Square(anywidget.AnyWidget):
    """The square [-1, 1]^2 with a point that the pointer drags and the arrow keys move.

    Parameters
    ----------
    background : bytes
        A PNG, stretched over the square.

    Attributes
    ----------
    x, y : float
        Of the point, to the right and upwards.
    """

    _esm = """
    const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
    function render({ model, el }) {
      const size = Math.round(SIDE * (window.devicePixelRatio || 1));
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: size, height: size, tabIndex: 0 });
      canvas.style.cssText = "touch-action: none; cursor: crosshair; width: SIDEpx; height: SIDEpx";
      canvas.setAttribute("role", "application");
      canvas.setAttribute("aria-label", "Square of the two numbers. Drag the point or press arrow keys.");
      canvas.addEventListener("focus", () => { canvas.style.outline = "3px solid #b34700"; });
      canvas.addEventListener("blur", () => { canvas.style.outline = ""; });
      const context = canvas.getContext("2d"), image = new Image();
      context.scale(size / SIDE, size / SIDE);
      const draw = () => {
        context.drawImage(image, 0, 0, SIDE, SIDE);
        for (const [colour, width] of [["black", 7], ["#ff7a1a", 3]]) {
          context.beginPath();
          context.arc((model.get("x") + 1) / 2 * SIDE, (1 - model.get("y")) / 2 * SIDE, 8, 0, 2 * Math.PI);
          context.strokeStyle = colour; context.lineWidth = width; context.stroke();
        }
      };
      const move = (x, y) => {
        const within = (t) => Math.max(-1, Math.min(1, t));
        model.set("x", within(x));
        model.set("y", within(y));
        model.save_changes();
      };
      const follow = (event) => {
        const box = canvas.getBoundingClientRect();
        move(2 * (event.clientX - box.left) / box.width - 1, 1 - 2 * (event.clientY - box.top) / box.height);
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        follow(event);
      });
      canvas.addEventListener("pointermove", (event) => { if (event.buttons) follow(event); });
      canvas.addEventListener("keydown", (event) => {
        const step = STEPS[event.key], length = event.shiftKey ? 0.1 : 0.02;
        if (!step) return;
        event.preventDefault(); event.stopPropagation();  // JupyterLab would go to another cell
        move(model.get("x") + length * step[0], model.get("y") + length * step[1]);
      });
      model.on("change:x", draw); model.on("change:y", draw);
      image.onload = draw;
      image.src = URL.createObjectURL(new Blob([model.get("background")], { type: "image/png" }));
      el.appendChild(canvas);
    }
    export default { render };
    """.replace("SIDE", str(SIDE))
    x = traitlets.Float(START[0]).tag(sync=True)
    y = traitlets.Float(START[1]).tag(sync=True)
    background = traitlets.Bytes().tag(sync=True)
