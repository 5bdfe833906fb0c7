// From probabilities to tissue classes on the grid of the scan, as `glioseg.predict` restores and postprocesses them.

// The class of each voxel, as its index in how.classes. Of equal probabilities, the first class wins.
function decide(probabilities, how) {
  const classes = new Uint8Array(probabilities[0].length), index = name => how.classes.indexOf(name);
  if (how.targets === "classes") {
    const indices = how.outputs.map(index);
    for (let at = 0; at < classes.length; at++) {
      let best = 0;
      for (let k = 1; k < indices.length; k++) if (probabilities[k][at] > probabilities[best][at]) best = k;
      classes[at] = indices[best];
    }
    return classes;
  }
  const found = (name, at) => probabilities[how.outputs.indexOf(name)][at] > Math.fround(how.thresholds[name]);
  const [edema, necrosis, enhancing, cavity] = ["edema", "necrosis", "enhancing", "cavity"].map(index), resected = how.outputs.includes("RC");
  for (let at = 0; at < classes.length; at++) {
    if (resected && found("RC", at)) classes[at] = cavity;
    if (!found("WT", at)) continue;
    classes[at] = !found("TC", at) ? edema : !found("ET", at) ? necrosis : enhancing;
  }
  return classes;
}

// Tumor that is connected, also by corners, and smaller than a volume becomes background.
function dropSmallComponents(classes, shape, voxelMl, how) {
  if (!how.smallest_component_ml) return;
  const tumor = how.classes.map(name => how.regions.WT.includes(name)), [X, Y, Z] = shape, seen = new Uint8Array(classes.length);
  for (let start = 0; start < classes.length; start++) {
    if (!tumor[classes[start]] || seen[start]) continue;
    const part = [start];
    seen[start] = 1;
    for (let next = 0; next < part.length; next++) {
      const z = part[next] % Z, y = Math.floor(part[next] / Z) % Y, x = Math.floor(part[next] / (Y * Z));
      for (let a = Math.max(x - 1, 0); a <= Math.min(x + 1, X - 1); a++) for (let b = Math.max(y - 1, 0); b <= Math.min(y + 1, Y - 1); b++) {
        for (let c = Math.max(z - 1, 0); c <= Math.min(z + 1, Z - 1); c++) {
          const at = (a * Y + b) * Z + c;
          if (!seen[at] && tumor[classes[at]]) { seen[at] = 1; part.push(at); }
        }
      }
    }
    if (part.length * voxelMl < how.smallest_component_ml) for (const at of part) classes[at] = how.classes.indexOf("background");
  }
}

// Enhancing tumor becomes necrosis if its total volume, or its share of the tumor core, is too small.
function dropSmallEnhancing(classes, voxelMl, how) {
  const enhancing = how.classes.indexOf("enhancing"), necrosis = how.classes.indexOf("necrosis");
  const core = how.classes.map(name => how.regions.TC.includes(name));
  const count = classes.reduce((sum, value) => sum + (value === enhancing), 0);
  const around = classes.reduce((sum, value) => sum + core[value], 0);
  const enough = !how.smallest_enhancing_ml || count >= how.least_share * around;
  if (count * voxelMl >= how.smallest_enhancing_ml && enough) return;
  for (let at = 0; at < classes.length; at++) if (classes[at] === enhancing) classes[at] = necrosis;
}

// Classes on the whole grid of a scan, in LPS order.
function restore(probabilities, {size, crop}, scan, how) {
  const target = [how.spacing_mm, how.spacing_mm, how.spacing_mm], kept = lengthsOf(crop);
  const parts = probabilities.map(values => resample(values, size, target, scan.spacing, kept));
  const whole = place(decide(parts, how), kept, new Uint8Array(product(scan.lps)), scan.lps, crop.map(([low]) => low));
  const voxelMl = product(scan.spacing) / 1000;
  dropSmallComponents(whole, scan.lps, voxelMl, how);
  dropSmallEnhancing(whole, voxelMl, how);
  return whole;
}

// The place in mm of the voxel in the middle of all tumor; null if there is none.
function middleOf(classes, {shape, affine, lps, turn}, how) {
  const tumor = how.classes.map(name => how.regions.WT.includes(name)), counts = shape.map(length => new Array(length).fill(0));
  let total = 0;
  eachVoxel({shape, turn, lps}, (from, to) => {
    if (!tumor[classes[to]]) return;
    total++;
    counts[0][from % shape[0]]++; counts[1][Math.floor(from / shape[0]) % shape[1]]++; counts[2][Math.floor(from / (shape[0] * shape[1]))]++;
  });
  if (!total) return null;
  const voxel = counts.map(line => { let seen = 0; return line.findIndex(count => (seen += count) >= total / 2); });
  return affine.map(row => row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]);
}

// Region -> its volume (ml).
function volumesOf(classes, scan, how) {
  const counts = new Array(how.classes.length).fill(0), voxelMl = product(scan.spacing) / 1000;
  for (const value of classes) counts[value]++;
  const sum = names => names.reduce((all, name) => all + counts[how.classes.indexOf(name)], 0) * voxelMl;
  return Object.fromEntries(Object.entries(how.regions).map(([name, tissues]) => [name, sum(tissues)]));
}
