"""A square in which a point is dragged, as a widget."""

import anywidget
import traitlets

from common.widgets import SIDE

START = (-0.12, -0.08)  # between a four and a nine


class Square(anywidget.AnyWidget):
    """The square [-1, 1]^2 with a point that the pointer drags.

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
    function render({ model, el }) {
      const canvas = Object.assign(document.createElement("canvas"), { width: SIDE, height: SIDE });
      canvas.style.touchAction = "none";
      const context = canvas.getContext("2d"), image = new Image();
      const draw = () => {
        context.drawImage(image, 0, 0, SIDE, SIDE);
        context.beginPath();
        context.arc((model.get("x") + 1) / 2 * SIDE, (1 - model.get("y")) / 2 * SIDE, 6, 0, 2 * Math.PI);
        context.strokeStyle = "#D55E00"; context.lineWidth = 3; context.stroke();
      };
      const move = (event) => {
        const box = canvas.getBoundingClientRect(), within = (t) => Math.max(-1, Math.min(1, t));
        model.set("x", within(2 * (event.clientX - box.left) / box.width - 1));
        model.set("y", within(1 - 2 * (event.clientY - box.top) / box.height));
        model.save_changes();
      };
      canvas.addEventListener("pointerdown", (event) => {
        canvas.setPointerCapture(event.pointerId);
        move(event);
      });
      canvas.addEventListener("pointermove", (event) => { if (event.buttons) move(event); });
      model.on("change:x", draw); model.on("change:y", draw);
      image.onload = draw;
      image.src = URL.createObjectURL(new Blob([model.get("background")], { type: "image/png" }));
      el.appendChild(canvas);
    }
    export default { render };
    """.replace("SIDE", str(SIDE))
    x = traitlets.Float(0.0).tag(sync=True)
    y = traitlets.Float(0.0).tag(sync=True)
    background = traitlets.Bytes().tag(sync=True)
