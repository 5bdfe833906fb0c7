// The interactive viewer: NiiVue shows the volumes in SCAN, which the script next to this page defines.
(async () => {
  const canvas = document.querySelector("#viewer canvas"), controls = document.querySelector("#viewer form");
  const place = document.getElementById("place"), legend = document.querySelector("#viewer .legend");
  const words = name => SCAN.regions[name] ? `probability of ${SCAN.regions[name]}` : name;
  const add = (name, control) => { const label = document.createElement("label"); label.append(name, control); controls.append(label); return control; };
  const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const choose = (name, choices, act) => {
    const select = add(name, make("select", {}));
    for (const [value, words] of choices) select.append(make("option", {value, textContent: words}));
    select.addEventListener("change", () => act(select.value));
    return select;
  };
  const tick = (name, checked, act) => {
    const box = add(name, make("input", {type: "checkbox", defaultChecked: checked, checked}));
    box.addEventListener("change", () => act(box.checked));
  };
  const press = (name, act) => {
    const button = make("button", {type: "button", textContent: name});
    button.addEventListener("click", act);
    controls.append(button);
  };
  try {
    const viewer = new Niivue({
      isRadiologicalConvention: true, multiplanarLayout: 2, multiplanarShowRender: 1, sliceType: 3, backColor: [0, 0, 0, 1],
      show3Dcrosshair: true, crosshairColor: [1, 1, 1, 0.7], crosshairWidth: 0.5, fontColor: [1, 1, 1, 1], isCornerOrientationText: true, dragAndDropEnabled: false, logLevel: "error",
      isNearestInterpolation: false, sagittalNoseLeft: true, loadingText: "",
    });
    const tissue = (name, value) => Object.entries(SCAN.layers[name]).find(([, [index]]) => index === value)?.[0] ?? (name === "difference" ? "none" : "background");
    // Map -> its classes without gaps; what is drawn of it may be only an outline.
    const filled = new Map();
    const classAt = (name, vox) => {
      const volume = layers[name], drawn = volume.img;
      volume.img = filled.get(volume);
      const value = volume.getValue(...vox);
      volume.img = drawn;
      return tissue(name, value);
    };
    // Greys stand for the scan's own values, which are known up to a step of grey and within the limits.
    const intensity = (name, value) => {
      const [low, high] = SCAN.windows[name];
      if (value === 0) return "outside the brain";
      if (value === 4 || value === 252) return value === 4 ? `at most ${digits(low, high - low)}` : `at least ${digits(high, high - low)}`;
      return `about ${digits(low + (value / 4 - 1) / 62 * (high - low), high - low)}`;
    };
    const digits = (value, range) => value.toFixed(Math.max(0, Math.ceil(2 - Math.log10(range))));
    viewer.onLocationChange = at => {
      const mm = [...at.mm], [x, y, z] = mm.map(part => part.toFixed(0));
      const slices = Object.entries(SCAN.slices).map(([plane, [a, b, c, d, count]]) =>
        `${plane} ${Math.round(a * mm[0] + b * mm[1] + c * mm[2] + d) + 1} of ${count}`);
      const values = at.values.map(({name, value, vox}) => name in SCAN.layers ? `${name}: ${classAt(name, vox)}`
        : SCAN.overlays.includes(name) ? `${words(name)} ${(value / 252).toFixed(2)}` : `${name} ${intensity(name, value)}`);
      place.textContent = `${x}, ${y}, ${z} mm; slice ${slices.join(", ")}. ${values.join(", ")}`;
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
    const contrast = [shown.cal_min, shown.cal_max];
    const layers = {}, WHITE = 9; // above every class
    for (const [name, classes] of Object.entries(SCAN.layers)) {
      const colors = {R: [0], G: [0], B: [0], A: [0], I: [0], labels: [""]};
      for (const [tissue, [index, color]] of Object.entries(classes)) {
        const parts = [1, 3, 5].map(start => parseInt(color.slice(start, start + 2), 16));
        ["R", "G", "B"].forEach((part, which) => colors[part].push(parts[which]));
        colors.A.push(255); colors.I.push(index); colors.labels.push(tissue);
      }
      if (name === "truth") {
        for (const part of "RGBA") colors[part].push(255);
        colors.I.push(WHITE); colors.labels.push("truth");
      }
      layers[name] = await load(name);
      layers[name].setColormapLabel(colors);
      layers[name].opacity = {truth: 1, prediction: 0.5}[name] ?? 0;
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
    const marks = {truth: "truth: outline with white dashes", prediction: "prediction: filled, or solid outline"};
    for (const name of Object.keys(SCAN.layers).filter(name => name in marks)) legend.append(make("li", {textContent: marks[name]}));
    const modality = choose("Modality", SCAN.images.map(name => [name, name]), async name => {
      const old = shown;
      shown = await load(name);
      viewer.setVolume(shown, 0);
      viewer.removeVolume(old);
      viewer.createOnLocationChange();
    });
    for (const [name, volume] of Object.entries(layers)) {
      const slider = add(words(name), make("input", {type: "range", min: 0, max: 1, step: 0.05, defaultValue: volume.opacity}));
      slider.addEventListener("input", () => viewer.setOpacity(viewer.volumes.indexOf(volume), slider.valueAsNumber));
    }
    // The voxels of a label map that have a neighbor of another class.
    const rims = (labels, [, width, height]) => labels.map((value, at) =>
      [1, width, width * height].every(step => labels[at - step] === value && labels[at + step] === value) ? 0 : value);
    for (const name of Object.keys(SCAN.layers)) filled.set(layers[name], layers[name].img);
    // The truth is an outline whose voxels are white and colored in turn, two by two.
    const dashed = (labels, dims) => rims(labels, dims).map((value, at) =>
      value && (at + Math.floor(at / dims[1]) + Math.floor(at / (dims[1] * dims[2]))) & 2 ? WHITE : value);
    const draw = outlines => {
      for (const [volume, labels] of filled) {
        volume.img = volume.name === "truth" ? dashed(labels, volume.hdr.dims) : outlines ? rims(labels, volume.hdr.dims) : labels;
      }
      viewer.updateGLVolume();
    };
    tick("outlines only", false, draw);
    draw(false);
    tick("crosshair", true, on => { viewer.setCrosshairWidth(on ? 0.5 : 0); });
    const views = [[3, "three planes and 3-D"], [0, "axial"], [1, "coronal"], [2, "sagittal"], [4, "3-D"]];
    choose("View", views, value => viewer.setSliceType(+value));
    // A link to #at=x,y,z shows this place, in mm.
    const asked = () => location.hash.match(/^#at=(-?[\d.]+),(-?[\d.]+),(-?[\d.]+)$/)?.slice(1).map(Number);
    const start = () => {
      viewer.scene.crosshairPos = viewer.mm2frac(asked() ?? SCAN.focus_mm, 0, true);
      viewer.updateGLVolume();
      viewer.createOnLocationChange();
    };
    press("Reset", () => {
      controls.reset();
      for (const control of controls.querySelectorAll("input, select")) {
        // Loading a modality that is shown already would take its time for nothing.
        if (control !== modality || shown.name !== control.value) control.dispatchEvent(new Event(control.type === "range" ? "input" : "change"));
      }
      [shown.cal_min, shown.cal_max] = contrast;
      viewer.setPan2Dxyzmm([0, 0, 0, 1]);
      viewer.setRenderAzimuthElevation(110, 10);
      viewer.setScale(1);
      start();
    });
    press("Save screenshot", () => viewer.saveScene(`${document.querySelector("h1").textContent}.png`));
    controls.addEventListener("submit", event => event.preventDefault());
    steer(viewer, canvas, () => viewer.createOnLocationChange());
    start();
    const reveal = () => { if (asked()) canvas.scrollIntoView({block: "center"}); };
    addEventListener("hashchange", () => { if (asked()) start(); reveal(); });
    reveal();
    canvas.viewer = viewer;
  } catch (error) {
    place.textContent = `The viewer could not start (${error.message}). It requires WebGL 2 and the files next to this page.`;
  }
})();
