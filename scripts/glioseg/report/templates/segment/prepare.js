// From scans to the image of the network, as `glioseg.preprocess` makes it. Volumes are float32 in LPS order, the last
// axis fastest; a box is [[low, high], …] in voxels, half-open.

const lengthsOf = box => box.map(([low, high]) => high - low);
const product = lengths => lengths.reduce((all, length) => all * length, 1);

// Half to even, as in Python.
const rounded = value => { const up = Math.round(value); return Math.abs(value % 1) === 0.5 && up % 2 ? up - 1 : up; };

// The background: the value of more than half of the voxels on the six outer faces; null if there is none.
function backgroundOf(volume, [X, Y, Z]) {
  const faces = act => {
    for (let y = 0; y < Y; y++) for (let z = 0; z < Z; z++) for (const x of [0, X - 1]) act(volume[(x * Y + y) * Z + z]);
    for (let x = 0; x < X; x++) for (let z = 0; z < Z; z++) for (const y of [0, Y - 1]) act(volume[(x * Y + y) * Z + z]);
    for (let x = 0; x < X; x++) for (let y = 0; y < Y; y++) for (const z of [0, Z - 1]) act(volume[(x * Y + y) * Z + z]);
  };
  // The vote of Boyer and Moore leaves the value of the majority, if there is one.
  let candidate = 0, votes = 0, count = 0, all = 0;
  faces(value => { if (!votes) candidate = value; votes += value === candidate ? 1 : -1; });
  faces(value => { count += value === candidate; all++; });
  return 2 * count > all ? candidate : null;
}

// 1 in each voxel that differs from the background; everywhere if there is none.
function brainOf(volume, background) {
  const brain = new Uint8Array(volume.length);
  if (background === null) return brain.fill(1);
  for (let at = 0; at < volume.length; at++) brain[at] = volume[at] === background ? 0 : 1;
  return brain;
}

// The smallest box around all voxels of a mask; the whole array if there are none.
function boxAround(mask, [X, Y, Z]) {
  const seen = [new Uint8Array(X), new Uint8Array(Y), new Uint8Array(Z)];
  let at = 0;
  for (let x = 0; x < X; x++) for (let y = 0; y < Y; y++) for (let z = 0; z < Z; z++) {
    if (mask[at++]) seen[0][x] = seen[1][y] = seen[2][z] = 1;
  }
  return seen.map(line => line.includes(1) ? [line.indexOf(1), line.lastIndexOf(1) + 1] : [0, line.length]);
}

function cut(volume, [, Y, Z], box) {
  const [lengthX, lengthY, lengthZ] = lengthsOf(box), part = new volume.constructor(lengthX * lengthY * lengthZ);
  let to = 0;
  for (let x = box[0][0]; x < box[0][1]; x++) for (let y = box[1][0]; y < box[1][1]; y++) {
    const from = (x * Y + y) * Z + box[2][0];
    part.set(volume.subarray(from, from + lengthZ), to);
    to += lengthZ;
  }
  return part;
}

// Put a volume into a larger one of another shape, at a corner.
function place(part, shape, whole, [, Y, Z], corner) {
  let from = 0;
  for (let x = 0; x < shape[0]; x++) for (let y = 0; y < shape[1]; y++, from += shape[2]) {
    whole.set(part.subarray(from, from + shape[2]), ((x + corner[0]) * Y + y + corner[1]) * Z + corner[2]);
  }
  return whole;
}

// Float32 values, rounded to half precision, in which images are stored. Adding a large number leaves so many bits.
const HALF = Float64Array.from({length: 256}, (_, power) => 1.5 * 2 ** 52 * 2 ** (Math.max(power - 127, -14) - 10));
function toHalf(values) {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let at = 0; at < values.length; at++) {
    const large = HALF[(bits[at] >>> 23) & 255];
    values[at] = (values[at] + large) - large;
  }
  return values;
}

function insideOf(volume, brain) {
  let count = 0;
  for (let at = 0; at < brain.length; at++) count += brain[at];
  const values = new Float32Array(count);
  count = 0;
  for (let at = 0; at < brain.length; at++) if (brain[at]) values[count++] = volume[at];
  return values;
}

function meanAndDeviation(values) {
  if (!values.length) return [0, 1];
  let sum = 0, squares = 0;
  for (const value of values) sum += value;
  const mean = sum / values.length;
  for (const value of values) squares += (value - mean) ** 2;
  return [Math.fround(mean), Math.fround(Math.sqrt(squares / values.length)) || 1];
}

// The 0.5th and the 99.5th percentile.
function usualRange(values) {
  const sorted = values.slice().sort();
  return [0.005, 0.995].map(share => {
    const at = share * (sorted.length - 1), low = Math.floor(at);
    return sorted.length ? Math.fround(sorted[low] + (at - low) * (sorted[Math.min(low + 1, sorted.length - 1)] - sorted[low])) : 0;
  });
}

function zscoreBy(values, inside) {
  const [mean, deviation] = meanAndDeviation(inside);
  return value => Math.fround(Math.fround(value - mean) / deviation);
}

function scaled(low, high) {
  const span = Math.fround(high - low) || 1;
  return value => Math.fround(Math.fround(value - low) / span);
}

// Name -> function that changes a volume in place, given the mask of its brain and its shape.
const withinBrain = choose => (volume, brain) => {
  const change = choose(insideOf(volume, brain));
  for (let at = 0; at < volume.length; at++) volume[at] = brain[at] ? change(volume[at]) : 0;
};
const clip = (value, low, high) => Math.min(Math.max(value, low), high);
const NORMALIZATIONS = {
  zscore: withinBrain(values => zscoreBy(values, values)),
  zscore_robust: withinBrain(values => {
    const [low, high] = usualRange(values), change = zscoreBy(values, values.filter(value => value >= low && value <= high));
    return value => change(clip(value, low, high));
  }),
  percentile: withinBrain(values => {
    const [low, high] = usualRange(values), change = scaled(low, high);
    return value => clip(change(value), 0, 1);
  }),
  minmax: volume => {
    let low = Infinity, high = -Infinity;
    for (const value of volume) { if (value < low) low = value; if (value > high) high = value; }
    const change = scaled(low, high);
    for (let at = 0; at < volume.length; at++) volume[at] = change(volume[at]);
  },
  minmax_slice: (volume, brain, [, , Z]) => {
    for (let z = 0; z < Z; z++) {
      let low = Infinity, high = -Infinity;
      for (let at = z; at < volume.length; at += Z) { if (volume[at] < low) low = volume[at]; if (volume[at] > high) high = volume[at]; }
      const change = scaled(low, high);
      for (let at = z; at < volume.length; at += Z) volume[at] = change(volume[at]);
    }
  },
};

// For each voxel along an axis of the new grid: the voxel below it, the one above, and the share of the latter.
function linear(length, spacing, target, count) {
  return Array.from({length: count}, (_, at) => {
    const place = clip((at + 0.5) * target / spacing - 0.5, 0, length - 1), low = Math.floor(place);
    return [low, Math.min(low + 1, length - 1), place - low];
  });
}

const sameGrid = (shape, spacing, target, size) =>
  shape.every((length, axis) => length === size[axis] && Math.abs(spacing[axis] - target[axis]) <= 1e-3 + 1e-5 * target[axis]);

// Linear interpolation; the outer faces of both grids coincide. The volume itself if nothing changes.
function resample(volume, shape, spacing, target, size) {
  if (sameGrid(shape, spacing, target, size)) return volume;
  const [along, across, up] = shape.map((length, axis) => linear(length, spacing[axis], target[axis], size[axis]));
  const found = new Float32Array(product(size)), [, Y, Z] = shape;
  let to = 0;
  for (const [x0, x1, fx] of along) for (const [y0, y1, fy] of across) {
    const rows = [(x0 * Y + y0) * Z, (x0 * Y + y1) * Z, (x1 * Y + y0) * Z, (x1 * Y + y1) * Z];
    for (const [z0, z1, fz] of up) {
      const [a, b, c, d] = [volume[rows[0] + z0], volume[rows[1] + z0], volume[rows[2] + z0], volume[rows[3] + z0]];
      const [e, f, g, h] = [volume[rows[0] + z1], volume[rows[1] + z1], volume[rows[2] + z1], volume[rows[3] + z1]];
      const low = a + fz * (e - a), back = b + fz * (f - b), left = c + fz * (g - c), both = d + fz * (h - d);
      const near = low + fy * (back - low), far = left + fy * (both - left);
      found[to++] = near + fx * (far - near);
    }
  }
  return found;
}

const LARGEST_BRAIN_LITERS = 2.2, MOST_VOXELS = 2 ** 27, LEAST_DEVIATIONS = 1, LEAST_SPREAD = 0.02, THINNED = 70000;

// Of an image with a few voxels that are far too large, nothing is left after normalization: 99 % of the brain has nearly
// one value. head: the brain in all images; own: that in this one, whose deviation counts if only its voxels were changed.
function insistOnContrast(name, volume, head, own, withinBrain) {
  const inside = insideOf(volume, head), step = Math.max(1, Math.floor(inside.length / THINNED));
  const [low, high] = usualRange(inside.filter((_, at) => at % step === 0));
  const least = withinBrain ? LEAST_DEVIATIONS * meanAndDeviation(insideOf(volume, own))[1] : 0;
  if (high - low < Math.max(LEAST_SPREAD, least)) {
    throw new Error(`${name}: expected an image with contrast, found that 99 % of the brain lies within ${(high - low).toPrecision(2)} after normalization, as a few voxels are far too large; export it again`);
  }
}

// The image of a scan: {channels, size, crop, warnings}; a modality without a scan is a channel of zeros.
function prepare(scans, how) {
  const [first] = Object.values(scans), shape = first.lps, spacing = first.spacing, warnings = [];
  const found = {}, boxes = [], head = new Uint8Array(first.voxels.length);
  for (const [modality, {voxels, name}] of Object.entries(scans)) {
    const background = backgroundOf(voxels, shape), brain = brainOf(voxels, background);
    found[modality] = background;
    boxes.push(boxAround(brain, shape));
    for (let at = 0; at < head.length; at++) head[at] |= brain[at];
    const liters = brain.reduce((sum, inside) => sum + inside, 0) * product(spacing) / 1e6;
    if (background === null) warnings.push(`${name} has no constant background around the brain; expected a skull-stripped image: strip it first.`);
    else if (liters > LARGEST_BRAIN_LITERS) warnings.push(`${name} shows ${liters.toFixed(1)} liters, but a brain has at most ${LARGEST_BRAIN_LITERS}; expected a skull-stripped image: strip it first.`);
  }
  const hull = all => all[0].map((_, axis) => [Math.min(...all.map(box => box[axis][0])), Math.max(...all.map(box => box[axis][1]))]);
  const content = hull(boxes);
  const crop = how.crop === "brain" ? content : how.crop.map(([low, high], axis) => [Math.min(Math.max(low, 0), shape[axis]), Math.min(high, shape[axis])]);
  if (Math.min(...lengthsOf(crop)) <= 0) throw new Error(`${first.name}: expected a scan that reaches into the model's crop (${JSON.stringify(how.crop)} voxels), found ${shape.join(" x ")} voxels; export it on the grid of the training data`);
  // All other voxels are background. A margin of them stays, since the minimum of a volume may be there.
  const work = hull([content, crop]).map(([low, high], axis) => [Math.max(low - 1, 0), Math.min(high + 1, shape[axis])]);
  const target = [how.spacing_mm, how.spacing_mm, how.spacing_mm], kept = lengthsOf(crop);
  const size = kept.map((length, axis) => Math.max(1, rounded(length * spacing[axis] / target[axis])));
  if (product(size) > MOST_VOXELS) throw new Error(`${first.name}: its voxels would become ${size.join(" x ")} voxels of ${how.spacing_mm} mm, which are too many; check the spacing in its header`);
  const inner = crop.map(([low, high], axis) => [low - work[axis][0], high - work[axis][0]]), around = lengthsOf(work);
  const same = size.every((length, axis) => length === kept[axis]);
  const inHead = cut(head, shape, work);
  const channels = how.modalities.map(modality => {
    if (!(modality in scans)) return new Float32Array(product(size));
    const volume = cut(scans[modality].voxels, shape, work), own = brainOf(volume, found[modality]);
    NORMALIZATIONS[how.normalization](volume, own, around);
    insistOnContrast(scans[modality].name, volume, inHead, own, !how.normalization.startsWith("minmax"));
    const part = cut(volume, around, inner);
    return toHalf(resample(same ? toHalf(part) : part, kept, spacing, target, size));
  });
  return {channels, size, crop, warnings};
}
