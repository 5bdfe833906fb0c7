// The mean prediction over windows of the image, as `glioseg.predict.sliding_window` computes it.

function startsOf(line, size, overlap) {
  if (!line.includes(1)) return [];
  const low = line.indexOf(1), high = line.lastIndexOf(1) + 1;
  if (high - low <= size) return [Math.min(Math.max(Math.floor((low + high - size) / 2), 0), line.length - size)];
  const count = Math.ceil((high - low - size) / (size * (1 - overlap))) + 1;
  return Array.from({length: count}, (_, at) => at === count - 1 ? high - size : rounded(low + at * ((high - size - low) / (count - 1))));
}

// The lowest corners of windows that cover a brain: slabs along y, in each of them blocks along z, and then along x.
function cornersOf(brain, [X, Y, Z], patch, overlap) {
  if (!brain.includes(1)) brain = brain.map(() => 1);
  const corners = [], seen = (length, act) => { const line = new Uint8Array(length); act(line); return line; };
  const alongY = seen(Y, line => { for (let at = 0; at < brain.length; at++) if (brain[at]) line[Math.floor(at / Z) % Y] = 1; });
  for (const y of startsOf(alongY, patch[1], overlap)) {
    const slab = seen(X * Z, flat => {
      for (let x = 0; x < X; x++) for (let row = y; row < y + patch[1]; row++) for (let z = 0; z < Z; z++) {
        if (brain[(x * Y + row) * Z + z]) flat[x * Z + z] = 1;
      }
    });
    const alongZ = seen(Z, line => slab.forEach((inside, at) => { if (inside) line[at % Z] = 1; }));
    for (const z of startsOf(alongZ, patch[2], overlap)) {
      const alongX = seen(X, line => { for (let x = 0; x < X; x++) line[x] = slab.subarray(x * Z + z, x * Z + z + patch[2]).includes(1) ? 1 : 0; });
      for (const x of startsOf(alongX, patch[0], overlap)) corners.push([x, y, z]);
    }
  }
  return corners;
}

// A Gaussian with a standard deviation of an eighth of the window, and its peak at 1; never 0.
function gaussian(patch) {
  const [along, across, up] = patch.map(size => Array.from({length: size}, (_, at) => Math.exp(-0.5 * ((at - (size - 1) / 2) / (size / 8)) ** 2)));
  const weights = new Float64Array(product(patch));
  let at = 0, peak = 0;
  for (const x of along) for (const y of across) for (const z of up) { weights[at] = x * y * z; peak = Math.max(peak, weights[at++]); }
  return Float32Array.from(weights, weight => Math.max(weight / peak, 1e-4));
}

// All combinations of axes, the empty one first.
const combinations = axes => axes.reduce((all, axis) => [...all, ...all.map(some => [...some, axis])], [[]]);

// A copy of channels (K, X, Y, Z), mirrored along some axes.
function mirrored(values, channels, [X, Y, Z], axes) {
  if (!axes.length) return values;
  const copy = new Float32Array(values.length), [fx, fy, fz] = [0, 1, 2].map(axis => axes.includes(axis));
  let to = 0;
  for (let k = 0; k < channels; k++) for (let x = 0; x < X; x++) for (let y = 0; y < Y; y++) {
    const row = ((k * X + (fx ? X - 1 - x : x)) * Y + (fy ? Y - 1 - y : y)) * Z;
    for (let z = 0; z < Z; z++) copy[to++] = values[row + (fz ? Z - 1 - z : z)];
  }
  return copy;
}

// Mean probabilities, one array per output, on the image's grid. run(model, patch) promises the output of a patch and
// may be called as often as there are `lanes` before it answers; said(done, all) hears of the progress.
async function predict({channels, size}, how, run, lanes, said) {
  const {patch} = how, outputs = how.outputs.length, whole = size.map((length, axis) => Math.max(length, patch[axis]));
  const low = size.map((length, axis) => Math.floor(Math.max(patch[axis] - length, 0) / 2)), brain = new Uint8Array(product(size));
  for (const channel of channels) {
    const inside = brainOf(channel, backgroundOf(channel, size));
    for (let at = 0; at < brain.length; at++) brain[at] |= inside[at];
  }
  const padded = values => place(values, size, new values.constructor(product(whole)), whole, low);
  const image = channels.map(padded), corners = cornersOf(padded(brain), whole, patch, how.overlap), weight = gaussian(patch);
  const total = Array.from({length: outputs}, () => new Float32Array(product(whole))), weights = new Float32Array(product(whole));
  const boxOf = corner => corner.map((start, axis) => [start, start + patch[axis]]);
  // Call act(index in the window, index in the image) for the first voxel of each row.
  const eachRow = (corner, act) => {
    let from = 0;
    for (let x = corner[0]; x < corner[0] + patch[0]; x++) for (let y = corner[1]; y < corner[1] + patch[1]; y++, from += patch[2]) {
      act(from, (x * whole[1] + y) * whole[2] + corner[2]);
    }
  };
  for (const corner of corners) eachRow(corner, (from, to) => { for (let z = 0; z < patch[2]; z++) weights[to + z] += weight[from + z]; });
  const jobs = [];
  for (let model = 0; model < how.models; model++) for (const axes of combinations(how.flips)) for (const corner of corners) jobs.push({model, axes, corner});
  const add = ({axes, corner}, values) => {
    const turned = mirrored(values, outputs, patch, axes), voxels = weight.length;
    total.forEach((sum, k) => eachRow(corner, (from, to) => {
      for (let z = 0; z < patch[2]; z++) sum[to + z] += Math.fround(weight[from + z] * turned[k * voxels + from + z]);
    }));
  };
  // Outputs are added in the order of the windows, so that every run gives the same sums.
  const ready = new Map();
  let next = 0, done = 0;
  await Promise.all(Array.from({length: lanes}, async () => {
    while (next < jobs.length) {
      const at = next++, {model, axes, corner} = jobs[at], window = new Float32Array(image.length * weight.length);
      image.forEach((channel, k) => window.set(cut(channel, whole, boxOf(corner)), k * weight.length));
      ready.set(at, await run(model, mirrored(window, image.length, patch, axes)));
      for (; ready.has(done); ready.delete(done++)) add(jobs[done], ready.get(done));
      said(done, jobs.length);
    }
  }));
  const passes = jobs.length / corners.length, inner = low.map((start, axis) => [start, start + size[axis]]);
  total.forEach((sum, k) => {
    for (let at = 0; at < sum.length; at++) {
      if (weights[at] > 0) sum[at] /= Math.fround(weights[at] * passes);
      else if (how.targets === "classes" && k === 0) sum[at] = 1;
    }
  });
  return total.map(sum => cut(sum, whole, inner));
}
