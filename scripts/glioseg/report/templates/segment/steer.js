// How a reader moves in a viewer: arrows and page keys move the crosshair by 1 mm, and the wheel changes slices only with
// the focus, so that the page scrolls otherwise. moved: called before the viewer draws the new place.
function steer(viewer, canvas, moved = () => {}) {
  const steps = {ArrowLeft: [1, 0, 0], ArrowRight: [-1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1]};
  canvas.addEventListener("keydown", event => {
    if (!(event.key in steps)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const at = viewer.frac2mm(viewer.scene.crosshairPos);
    viewer.scene.crosshairPos = viewer.mm2frac(steps[event.key].map((step, axis) => at[axis] + step));
    moved();
    viewer.drawScene();
  }, true);
  canvas.parentElement.addEventListener("wheel", event => {
    if (document.activeElement !== canvas) event.stopPropagation();
  }, {capture: true});
}
