// The two kinds of workers. One runs networks, for the other one, which segments a scan and never waits for the page.

async function runNetworks({wasm, models, port}) {
  ort.env.wasm.wasmBinary = wasm;
  // Pages that are opened from disk may not share memory between threads, so each worker is one thread of its own.
  ort.env.wasm.numThreads = 1;
  const sessions = [];
  port.onmessage = async ({data: {model, values, shape}}) => {
    try {
      sessions[model] ??= await ort.InferenceSession.create(new Uint8Array(models[model]), {executionProviders: ["wasm"]});
      const {probabilities} = await sessions[model].run({image: new ort.Tensor("float32", values, shape)});
      const found = probabilities.data.slice();
      probabilities.dispose();
      port.postMessage({found}, [found.buffer]);
    } catch (error) {
      port.postMessage({error: `the network could not run (${error.message ?? error}); close other pages and programs, and try again`});
    }
  };
}

// Asks whichever network worker is free.
function runnerOf(ports, how) {
  const free = [...ports];
  return (model, values) => new Promise((resolve, reject) => {
    const port = free.pop();
    port.onmessage = ({data: {found, error}}) => {
      free.push(port);
      if (error) reject(new Error(error)); else resolve(found);
    };
    port.postMessage({model, values, shape: [1, how.modalities.length, ...how.patch]}, [values.buffer]);
  });
}

async function segmentScan({files, how, ports}) {
  const say = (words, share, count = "") => postMessage({words, share, count}), scans = {};
  for (const [modality, file] of Object.entries(files)) {
    say(`Reading ${file.name}`, 0);
    scans[modality] = await readScan(file.name, await file.arrayBuffer());
  }
  const all = Object.values(scans), [first] = all;
  insistOnOneGrid(all);
  for (const [at, scan] of all.entries()) {
    const same = all.slice(0, at).find(({voxels}) => voxels.every((value, voxel) => value === scan.voxels[voxel]));
    if (same) throw new Error(`${scan.name}: expected another image than ${same.name}, found the same voxels; replace the wrong file`);
  }
  say("Preparing the scan", 0);
  const image = prepare(scans, how);
  const probabilities = await predict(image, how, runnerOf(ports, how), ports.length, (done, jobs) => say("Segmenting", done / jobs, `window ${done} of ${jobs}`));
  say("Restoring the grid of the scan", 1);
  const classes = restore(probabilities, image, first, how);
  const labels = writeLabels(classes.map(index => how.values[index]), first);
  const packed = await through(new CompressionStream("gzip"), labels);
  postMessage({done: {labels, packed, warnings: image.warnings, volumes: volumesOf(classes, first, how), focus: middleOf(classes, first, how)}}, [labels, packed]);
}

onmessage = async ({data}) => {
  try {
    await (data.port ? runNetworks(data) : segmentScan(data));
  } catch (error) {
    postMessage({error: error.message ?? String(error)});
  }
};
