// The interactive viewer: NiiVue shows the volumes in SCAN, which the script next to this page defines.
(async () => {
  const canvas = document.querySelector("#viewer canvas"), controls = document.querySelector("#viewer form");
  const place = document.getElementById("place"), legend = document.querySelector("#viewer .legend");
  const add = (name, control) => { const label = document.createElement("label"); label.append(name, control); controls.append(label); return control; };
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const choose = (name, choices, act) => {
    const select = add(name, make("select", {}));
    for (const [value, words] of choices) select.append(make("option", {value, textContent: words}));
    select.addEventListener("change", () => act(select.value));
  };
  const tick = (name, checked, act) => {
    const box = add(name, make("input", {type: "checkbox", checked}));
    box.addEventListener("change", () => act(box.checked));
  };
  try {
    const viewer = new Niivue({
      isRadiologicalConvention: true, multiplanarLayout: 2, multiplanarShowRender: 1, sliceType: 3, backColor: [0, 0, 0, 1],
      show3Dcrosshair: true, crosshairColor: [1, 1, 1, 0.7], crosshairWidth: 0.5, fontColor: [1, 1, 1, 1], isCornerOrientationText: true, dragAndDropEnabled: false, logLevel: "error",
      isNearestInterpolation: false, sagittalNoseLeft: true, loadingText: "",
    });
    const tissue = (name, value) => Object.entries(SCAN.layers[name]).find(([, [index]]) => index === value)?.[0] ?? "background";
    viewer.onLocationChange = at => {
      const [x, y, z] = [...at.mm].map(part => part.toFixed(0));
      const values = at.values.map(({name, value}) => name in SCAN.layers ? `${name}: ${tissue(name, value)}`
        : SCAN.overlays.includes(name) ? `${name} ${(value / 252).toFixed(2)}` : `${name} ${value}`);
      place.textContent = `${x}, ${y}, ${z} mm. ${values.join(", ")}`;
    };
    await viewer.attachToCanvas(canvas, true);
    const load = async name => {
      const bytes = Uint8Array.from(atob(SCAN.volumes[name]), letter => letter.charCodeAt(0));
      await viewer.loadFromArrayBuffer(bytes.buffer, name + ".nii.gz");
      const volume = viewer.volumes.at(-1);
      volume.name = name;
      return volume;
    };
    let shown = await load(SCAN.images[0]);
    const layers = {};
    for (const [name, classes] of Object.entries(SCAN.layers)) {
      const colors = {R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""]};
      for (const [tissue, [index, color]] of Object.entries(classes)) {
        const parts = [1, 3, 5].map(start => parseInt(color.slice(start, start + 2), 16));
        ["R", "G", "B"].forEach((part, which) => colors[part].push(parts[which]));
        colors.A.push(255); colors.I.push(index); colors.labels.push(tissue);
      }
      layers[name] = await load(name);
      layers[name].setColormapLabel(colors);
      layers[name].opacity = name === "prediction" ? 0.5 : 0;
      const items = Object.entries(classes).map(([tissue, [, color]]) => {
        const item = make("li", {}), swatch = make("i", {});
        swatch.style.background = color;
        item.append(swatch, name === "difference" ? `difference: ${tissue}` : tissue);
        return item;
      });
      // Truth and prediction share the tissue classes; list each class once.
      const known = new Set([...legend.children].map(item => item.textContent));
      legend.append(...items.filter(item => !known.has(item.textContent)));
    }
    for (const name of SCAN.overlays) {
      layers[name] = await load(name);
      layers[name].colormap = "inferno";
      [layers[name].cal_min, layers[name].cal_max] = [1, 252];
      layers[name].colormapType = 1;
      layers[name].opacity = 0;
    }
    choose("Modality", SCAN.images.map(name => [name, name]), async name => {
      const old = shown;
      shown = await load(name);
      viewer.setVolume(shown, 0);
      viewer.removeVolume(old);
      viewer.createOnLocationChange();
    });
    for (const [name, volume] of Object.entries(layers)) {
      const slider = add(name, make("input", {type: "range", min: 0, max: 1, step: 0.05, value: volume.opacity}));
      slider.addEventListener("input", () => viewer.setOpacity(viewer.volumes.indexOf(volume), slider.valueAsNumber));
    }
    // The voxels of a label map that have a neighbor of another class.
    const rims = (labels, [, width, height]) => labels.map((value, at) =>
      [1, width, width * height].every(step => labels[at - step] === value && labels[at + step] === value) ? 0 : value);
    const filled = new Map(Object.keys(SCAN.layers).map(name => [layers[name], layers[name].img]));
    tick("outlines only", false, on => {
      for (const [volume, labels] of filled) volume.img = on ? rims(labels, volume.hdr.dims) : labels;
      viewer.updateGLVolume();
    });
    tick("crosshair", true, on => { viewer.setCrosshairWidth(on ? 0.5 : 0); });
    const views = [[3, "three planes and 3-D"], [0, "axial"], [1, "coronal"], [2, "sagittal"], [4, "3-D"]];
    choose("View", views, value => viewer.setSliceType(+value));
    controls.addEventListener("submit", event => event.preventDefault());
    const steps = {ArrowLeft: [1, 0, 0], ArrowRight: [-1, 0, 0], ArrowUp: [0, 1, 0], ArrowDown: [0, -1, 0], PageUp: [0, 0, 1], PageDown: [0, 0, -1]};
    canvas.addEventListener("keydown", event => {
      if (!(event.key in steps)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const at = viewer.frac2mm(viewer.scene.crosshairPos);
      viewer.scene.crosshairPos = viewer.mm2frac(steps[event.key].map((step, axis) => at[axis] + step));
      viewer.createOnLocationChange();
      viewer.drawScene();
    }, true);
    viewer.scene.crosshairPos = viewer.mm2frac(SCAN.focus_mm);
    viewer.updateGLVolume();
    viewer.createOnLocationChange();
    canvas.viewer = viewer;
  } catch (error) {
    place.textContent = `The viewer could not start (${error.message}). It requires WebGL 2 and the files next to this page.`;
  }
})();
