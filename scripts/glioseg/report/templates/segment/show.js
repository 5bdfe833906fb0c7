// The viewer: an image of the scan, and the segmentation on it.

function viewerIn(canvas) {
  const viewer = new Niivue({
    isRadiologicalConvention: true, multiplanarLayout: 2, multiplanarShowRender: 1, sliceType: 3, backColor: [0, 0, 0, 1],
    show3Dcrosshair: true, crosshairColor: [1, 1, 1, 0.7], crosshairWidth: 0.5, fontColor: [1, 1, 1, 1], isCornerOrientationText: true,
    dragAndDropEnabled: false, logLevel: "error", isNearestInterpolation: false, sagittalNoseLeft: true, loadingText: "",
  });
  let started, labels;
  steer(viewer, canvas);
  const load = async (buffer, name) => {
    await viewer.loadFromArrayBuffer(buffer, name);
    return viewer.volumes.at(-1);
  };
  // Label value -> [name, color]; transparent elsewhere.
  const tableOf = tissues => {
    const table = {R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""]};
    for (const [value, [name, color]] of Object.entries(tissues)) {
      ["R", "G", "B"].forEach((part, at) => table[part].push(parseInt(color.slice(1 + 2 * at, 3 + 2 * at), 16)));
      table.A.push(255); table.I.push(+value); table.labels.push(name);
    }
    return table;
  };
  return {
    async show(file, segmentation, {tissues, focus, opacity}) {
      await (started ??= viewer.attachToCanvas(canvas, true));
      for (const volume of [...viewer.volumes]) viewer.removeVolume(volume);
      await load(await file.arrayBuffer(), file.name);
      labels = await load(segmentation.slice(0), "segmentation.nii");
      labels.setColormapLabel(tableOf(tissues));
      labels.opacity = opacity;
      if (focus) viewer.scene.crosshairPos = viewer.mm2frac(focus, 0, true);
      viewer.updateGLVolume();
    },
    async changeImage(file) {
      const old = viewer.volumes[0], image = await load(await file.arrayBuffer(), file.name);
      viewer.setVolume(image, 0);
      viewer.removeVolume(old);
    },
    fade(opacity) { viewer.setOpacity(viewer.volumes.indexOf(labels), opacity); },
    niivue: viewer,
  };
}
