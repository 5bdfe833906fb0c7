// Read and write single NIfTI files. A scan is {name, shape, affine, forms, turn, lps, spacing, voxels}: its voxels are
// float32 in LPS order (to the left, to the back, to the top of the head), the last axis fastest, as a network takes them.

const TYPES = {
  2: Uint8Array, 4: Int16Array, 8: Int32Array, 16: Float32Array, 64: Float64Array, 256: Int8Array, 512: Uint16Array,
  768: Uint32Array, 1024: BigInt64Array, 1280: BigUint64Array,
};
const INTENT_LABEL = 1002, MILLIMETERS = 2, UINT8 = 2;
const SMALLEST_MM = 0.1, LARGEST_MM = 20, HEAD_VOXELS = 256, AFFINE_TOLERANCE_MM = 0.5;

// The fields of a header that are used here. Offsets and types differ between NIfTI-1 and NIfTI-2.
function readHeader(name, buffer) {
  const wrong = found => new Error(`${name}: expected a NIfTI file, .nii or .nii.gz, found ${found}; convert it, or copy it again`);
  if (buffer.byteLength < 348) throw wrong(`${buffer.byteLength} bytes`);
  const view = new DataView(buffer);
  const little = [348, 540].includes(view.getInt32(0, true)), size = view.getInt32(0, little);
  if (size !== 348 && size !== 540) throw wrong("another kind of file");
  const second = size === 540;
  if (buffer.byteLength < size) throw wrong("a file that ends early");
  const real = second ? at => view.getFloat64(at, little) : at => view.getFloat32(at, little);
  const reals = (at, count) => Array.from({length: count}, (_, i) => real(at + i * (second ? 8 : 4)));
  const dims = Array.from({length: 8}, (_, i) => second ? Number(view.getBigInt64(16 + 8 * i, little)) : view.getInt16(40 + 2 * i, little));
  if (dims[0] < 1 || dims[0] > 7) throw wrong(`a header with ${dims[0]} dimensions`);
  const code = at => second ? view.getInt32(at, little) : view.getInt16(at, little);
  return {
    size, little, dims,
    type: view.getInt16(second ? 12 : 70, little),
    start: second ? Number(view.getBigInt64(168, little)) : view.getFloat32(108, little),
    slope: real(second ? 176 : 112), offset: real(second ? 184 : 116),
    pixdim: reals(second ? 104 : 76, 4),
    qform: code(second ? 344 : 252), sform: code(second ? 348 : 254),
    quaternion: reals(second ? 352 : 256, 3), origin: reals(second ? 376 : 268, 3),
    rows: [0, 1, 2].map(row => reals((second ? 400 : 280) + row * (second ? 32 : 16), 4)),
    unit: (second ? view.getInt32(500, little) : view.getUint8(123)) & 7,
  };
}

// A file of several volumes, such as one of the Decathlon, does not say which of them shows a modality.
function insistOnOneVolume(name, {dims}) {
  const volumes = dims.slice(4, dims[0] + 1).reduce((product, length) => product * Math.max(length, 1), 1);
  if (volumes > 1) throw new Error(`${name}: expected one volume, found ${volumes}; export each volume as a file of its own`);
}

// The sform, or else the qform, or else the voxel size alone: three rows of four numbers (mm).
function affineOf(header) {
  if (header.sform) return header.rows;
  const sizes = header.pixdim.slice(1).map(Math.abs);
  if (!header.qform) {
    return sizes.map((size, axis) => [0, 1, 2, 3].map(column =>
      (axis ? 1 : -1) * size * (column === axis ? 1 : column === 3 ? -(Math.max(header.dims[axis + 1], 1) - 1) / 2 : 0)));
  }
  const [b, c, d] = header.quaternion, a = Math.sqrt(Math.max(0, 1 - b * b - c * c - d * d));
  if (header.pixdim[0] === -1) sizes[2] *= -1;
  const scale = 2 / (a * a + b * b + c * c + d * d);
  return [
    [1 - scale * (c * c + d * d), scale * (b * c - a * d), scale * (b * d + a * c)],
    [scale * (b * c + a * d), 1 - scale * (b * b + d * d), scale * (c * d - a * b)],
    [scale * (b * d - a * c), scale * (c * d + a * b), 1 - scale * (b * b + c * c)],
  ].map((row, axis) => [...row.map((value, column) => value * sizes[column]), header.origin[axis]]);
}

const sizesOf = affine => [0, 1, 2].map(column => Math.hypot(...affine.map(row => row[column])));

function insistOnGeometry(name, affine) {
  const sizes = sizesOf(affine), [p, q, r] = affine.map(row => row.slice(0, 3).map((value, column) => value / sizes[column]));
  if (![...sizes, ...affine.flat()].every(Number.isFinite) || Math.min(...sizes) <= 0) {
    throw new Error(`${name}: expected an affine in its header that places voxels, found one that is not finite or flat; convert the original DICOM again`);
  }
  if (Math.min(...sizes) < SMALLEST_MM || Math.max(...sizes) > LARGEST_MM) {
    throw new Error(`${name}: expected voxels of ${SMALLEST_MM} to ${LARGEST_MM} mm, found ${sizes.map(size => size.toPrecision(4)).join(" x ")} mm; convert the original DICOM again`);
  }
  const volume = p[0] * (q[1] * r[2] - q[2] * r[1]) - p[1] * (q[0] * r[2] - q[2] * r[0]) + p[2] * (q[0] * r[1] - q[1] * r[0]);
  if (!(Math.abs(volume) > 0.5)) throw new Error(`${name}: expected perpendicular axes, found skewed ones; convert the original DICOM again`);
}

// For each axis of a file: the axis of the head that is nearest, and whether it runs the other way than in LPS order.
function turnOf(affine) {
  const sizes = sizesOf(affine), taken = new Set(), turn = [];
  for (let column = 0; column < 3; column++) {
    const along = affine.map((row, axis) => taken.has(axis) ? -1 : Math.abs(row[column] / sizes[column]));
    const axis = along.indexOf(Math.max(...along));
    taken.add(axis);
    turn.push({axis, flipped: axis < 2 ? affine[axis][column] > 0 : affine[axis][column] < 0});
  }
  return turn;
}

// Where the voxels of a file, in its own order, are in an array in LPS order: the first one, and the step along each axis.
function stepsOf(turn, lps) {
  const strides = [lps[1] * lps[2], lps[2], 1];
  const first = turn.reduce((sum, {axis, flipped}) => sum + (flipped ? (lps[axis] - 1) * strides[axis] : 0), 0);
  return {first, steps: turn.map(({axis, flipped}) => flipped ? -strides[axis] : strides[axis])};
}

// Call act(index in the file, index in LPS order) for each voxel.
function eachVoxel({shape, turn, lps}, act) {
  const {first, steps} = stepsOf(turn, lps);
  let at = 0;
  for (let k = 0; k < shape[2]; k++) {
    for (let j = 0; j < shape[1]; j++) {
      let to = first + k * steps[2] + j * steps[1];
      for (let i = 0; i < shape[0]; i++, to += steps[0]) act(at++, to);
    }
  }
}

function valuesOf(name, buffer, header, count) {
  const Type = TYPES[header.type];
  if (!Type) throw new Error(`${name}: expected one real number per voxel, found voxels of the NIfTI type ${header.type}; convert the file`);
  const size = Type.BYTES_PER_ELEMENT, rest = buffer.byteLength - size * count;
  const start = header.start > header.size ? header.start : rest === header.size ? header.size : header.size + 4;
  if (buffer.byteLength - start < size * count) {
    throw new Error(`${name}: its header states ${size * count} bytes of voxels, found ${Math.max(buffer.byteLength - start, 0)}; copy the file again`);
  }
  const bytes = new Uint8Array(buffer.slice(start, start + size * count));
  if (!header.little) for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  return new Type(bytes.buffer);
}

async function readScan(name, packed) {
  const buffer = await unpacked(name, packed), header = readHeader(name, buffer);
  const shape = [1, 2, 3].map(axis => header.dims[0] < axis ? 1 : header.dims[axis]);
  if (header.dims[0] < 3 || Math.min(...shape) < 1) throw new Error(`${name}: expected a 3-D volume, found the shape ${header.dims.slice(1, header.dims[0] + 1).join(" x ")}; export it again`);
  insistOnOneVolume(name, header);
  const affine = affineOf(header);
  insistOnGeometry(name, affine);
  const turn = turnOf(affine), lps = [], spacing = [], sizes = sizesOf(affine);
  turn.forEach(({axis}, column) => { lps[axis] = shape[column]; spacing[axis] = Math.round(sizes[column] * 1e6) / 1e6; });
  const count = shape[0] * shape[1] * shape[2], values = valuesOf(name, buffer, header, count), voxels = new Float32Array(count);
  const scaled = header.slope !== 0 && Number.isFinite(header.slope) && (header.slope !== 1 || header.offset !== 0);
  const slope = Math.fround(header.slope), offset = Math.fround(header.offset);
  let bad = 0, low = Infinity, high = -Infinity;
  eachVoxel({shape, turn, lps}, (from, to) => {
    let value = Math.fround(Number(values[from]));
    if (scaled) value = Math.fround(Math.fround(value * slope) + offset);
    if (!Number.isFinite(value)) bad++;
    if (value < low) low = value;
    if (value > high) high = value;
    voxels[to] = value;
  });
  if (bad) throw new Error(`${name}: expected finite voxels, found ${bad} that are NaN or infinite; export it again`);
  if (low === high) throw new Error(`${name}: expected an image, found ${low} in every voxel; export it again`);
  const finite = values => values.map(value => Number.isFinite(value) ? value : 0);
  const forms = {
    qform: header.qform, sform: header.sform, pixdim: finite(header.pixdim), quaternion: finite(header.quaternion),
    origin: finite(header.origin), rows: header.rows.map(finite), unit: header.unit || MILLIMETERS,
  };
  return {name, shape, affine, forms, turn, lps, spacing, voxels};
}

// All scans must be on the grid of the first one.
function insistOnOneGrid(scans) {
  const [first, ...others] = scans, words = shape => shape.join(" x ");
  for (const scan of others) {
    if (words(scan.shape) !== words(first.shape)) {
      throw new Error(`${scan.name}: expected ${words(first.shape)} voxels as in ${first.name}, found ${words(scan.shape)}; export all on the same grid, or register them first`);
    }
    const apart = Math.max(...first.affine.map((row, axis) => {
      const away = row.map((value, column) => Math.abs(value - scan.affine[axis][column]));
      return (away[0] + away[1] + away[2]) * HEAD_VOXELS + away[3];
    }));
    if (!(apart < AFFINE_TOLERANCE_MM)) {
      throw new Error(`${scan.name}: expected the grid of ${first.name}, found an affine that differs by up to ${apart.toPrecision(3)} mm; register the images to each other first`);
    }
  }
}

// A NIfTI-1 file of label values (uint8, LPS order) on the grid of a scan, at the place that its header states.
function writeLabels(labels, scan) {
  const start = 352, buffer = new ArrayBuffer(start + labels.length), view = new DataView(buffer), {forms} = scan;
  const put = (kind, at, values) => values.forEach((value, i) => view[`set${kind}`](at + i * (kind === "Int16" ? 2 : 4), value, true));
  put("Int32", 0, [348]);
  view.setUint8(39, 0);
  put("Int16", 40, [3, ...scan.shape, 1, 1, 1, 1]);
  put("Int16", 68, [INTENT_LABEL, UINT8, 8]);
  put("Float32", 76, [...forms.pixdim, 1, 1, 1, 1, start, 1, 0]);
  view.setUint8(123, forms.unit);
  put("Int16", 252, [forms.qform, forms.sform]);
  put("Float32", 256, [...forms.quaternion, ...forms.origin, ...forms.rows.flat()]);
  [..."n+1"].forEach((letter, i) => view.setUint8(344 + i, letter.charCodeAt(0)));
  const voxels = new Uint8Array(buffer, start);
  eachVoxel(scan, (to, from) => { voxels[to] = labels[from]; });
  return buffer;
}
