// What the page does with files: it recognizes them, has workers segment them, and shows the result.
(() => {
  const how = JSON.parse(document.getElementById("how").textContent), MOST_WORKERS = 4;
  const at = id => document.getElementById(id), make = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const drop = at("drop"), picker = at("picker"), table = at("files"), start = at("start"), cancel = at("cancel"), progress = at("progress");
  const status = at("status"), mistake = at("mistake"), result = at("result"), image = at("image"), opacity = at("opacity"), download = at("download");
  let chosen = [], running = [], viewer;

  // The content of a data block: compressed, as base64.
  const block = async id => {
    const text = atob(at(id).textContent.trim()), bytes = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place++) bytes[place] = text.charCodeAt(place);
    return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
  };
  let kept;
  const blocks = () => kept ??= (async () => {
    const models = [];
    for (let model = 0; model < how.models; model++) models.push(await block(`model-${model}`));
    return {wasm: await block("wasm"), models, code: URL.createObjectURL(new Blob([await block("worker")], {type: "text/javascript"}))};
  })();

  // Screen readers read the status aloud, so it changes with the step and not with each window.
  const say = words => { if (status.textContent !== words) status.textContent = words; };
  const fail = words => { mistake.textContent = words; mistake.hidden = !words; };

  // Modality -> file, as chosen, and why they cannot be segmented ("" if they can).
  const assigned = () => {
    const files = {};
    for (const {file, select} of chosen) {
      if (!select.value) continue;
      if (files[select.value]) return [files, `${file.name} and ${files[select.value].name} are both ${select.value}; expected one file for each modality: choose another for one of them`];
      files[select.value] = file;
    }
    const missing = how.modalities.filter(modality => !(modality in files));
    // The modalities in their order, which decides whose grid the segmentation has.
    const ordered = Object.fromEntries(how.modalities.filter(modality => modality in files).map(modality => [modality, files[modality]]));
    if (missing.length && !(how.missing === "zeros" && missing.length < how.modalities.length)) {
      return [ordered, `Expected a file for ${how.modalities.join(", ")}; ${missing.join(", ")} ${missing.length > 1 ? "are" : "is"} missing: add a file, or choose what each file shows`];
    }
    return [ordered, ""];
  };

  const refresh = () => {
    const [files, why] = assigned(), missing = how.modalities.filter(modality => !(modality in files));
    start.disabled = Boolean(why) || running.length > 0;
    cancel.hidden = !running.length;
    table.hidden = !chosen.length;
    if (!running.length) say(why || (missing.length ? `Ready, without ${missing.join(", ")}.` : "Ready."));
    return !why && !missing.length;
  };

  const remove = one => {
    chosen = chosen.filter(other => other !== one);
    one.select.closest("tr").remove();
  };

  // A file whose name tells no modality may be one that no choice makes usable.
  const look = async ({file}) => {
    try {
      insistOnOneVolume(file.name, readHeader(file.name, await beginningOf(file)));
    } catch (error) {
      fail(error.message);
    }
  };

  const add = files => {
    fail("");
    const before = chosen.slice();
    for (const file of files) {
      const modality = modalityOf(file.name, how.names);
      // A new file takes the place of an older one with its name, or for its modality.
      before.filter(one => one.file.name === file.name || (modality && one.select.value === modality)).forEach(remove);
      const select = make("select", {ariaLabel: `What ${file.name} shows`}), row = table.tBodies[0].insertRow();
      for (const [value, words] of [["", "not used"], ...how.modalities.map(modality => [modality, modality])]) select.append(make("option", {value, textContent: words}));
      select.value = how.modalities.includes(modality) ? modality : "";
      select.addEventListener("change", refresh);
      row.append(make("th", {scope: "row", textContent: file.name}), make("td", {}));
      row.lastChild.append(select);
      chosen.push({file, select});
    }
    if (refresh()) segment();
    else chosen.filter(({select}) => !select.value).forEach(look);
  };

  const stop = () => {
    for (const worker of running) worker.terminate();
    running = [];
    progress.hidden = true;
    at("count").textContent = "";
    refresh();
  };

  const segment = async () => {
    const [files, why] = assigned(), began = performance.now();
    if (why || running.length) return;
    fail("");
    Object.assign(result, {hidden: true, shown: false, seconds: 0});
    Object.assign(progress, {hidden: false, value: 0});
    start.disabled = true;
    say("Unpacking the model");
    const {wasm, models, code} = await blocks(), ports = [];
    const launch = message => {
      const worker = new Worker(code);
      worker.onmessage = ({data}) => finished(data);
      worker.onerror = event => finished({error: `a worker of the page ended (${event.message ?? "no reason given"}); reload the page and try again`});
      worker.postMessage(message, message.port ? [message.port] : message.ports);
      running.push(worker);
    };
    const finished = data => {
      if (data.words) { progress.value = data.share; at("count").textContent = data.count; say(data.words); return; }
      stop();
      if (data.error) { fail(data.error); say("Not segmented."); } else show(files, data.done, began);
    };
    for (let count = Math.max(1, Math.min(navigator.hardwareConcurrency || 1, MOST_WORKERS)); count; count--) {
      const {port1, port2} = new MessageChannel();
      ports.push(port1);
      launch({wasm, models, port: port2});
    }
    launch({files, how, ports});
    refresh();
  };

  const show = async (files, {labels, packed, warnings, volumes, focus}, began) => {
    const seconds = (performance.now() - began) / 1000, tissues = {};
    how.classes.forEach((name, index) => { if (how.colors[name] && how.values[index]) tissues[how.values[index]] ??= [name, how.colors[name]]; });
    say(`Segmented in ${seconds.toFixed(0)} s.`);
    at("volumes").tBodies[0].replaceChildren(...Object.entries(volumes).map(([region, ml]) => {
      const row = make("tr", {});
      row.append(make("th", {scope: "row", textContent: how.region_names[region]}), make("td", {className: "num", textContent: ml.toFixed(1)}));
      return row;
    }));
    at("warnings").replaceChildren(...warnings.map(words => make("li", {textContent: words})));
    at("warnings").hidden = !warnings.length;
    URL.revokeObjectURL(download.href);
    download.href = URL.createObjectURL(new Blob([packed], {type: "application/gzip"}));
    download.download = [commonStart(Object.values(files).map(file => file.name)), "segmentation.nii.gz"].filter(Boolean).join("_");
    at("legend").replaceChildren(...Object.entries(tissues).map(([value, [name, color]]) => {
      const item = make("li", {}), swatch = make("i", {});
      swatch.style.background = color;
      item.append(swatch, `${name}: label value ${value}`);
      return item;
    }));
    image.replaceChildren(...Object.keys(files).map(name => make("option", {value: name, textContent: name})));
    result.hidden = false;
    result.seconds = seconds;
    try {
      viewer ??= viewerIn(at("canvas"));
      await viewer.show(Object.values(files)[0], labels, {tissues, focus, opacity: opacity.valueAsNumber});
      image.onchange = () => viewer.changeImage(files[image.value]);
      opacity.oninput = () => viewer.fade(opacity.valueAsNumber);
      at("canvas").viewer = viewer.niivue;
    } catch (error) {
      fail(`The viewer could not start (${error.message}). It requires WebGL 2; the segmentation can be downloaded.`);
    }
    result.shown = true;
  };

  picker.addEventListener("change", () => { add(picker.files); picker.value = ""; });
  start.addEventListener("click", segment);
  cancel.addEventListener("click", () => { stop(); say("Canceled."); });
  at("clear").addEventListener("click", () => { chosen.forEach(remove); fail(""); refresh(); });
  // A file that misses the box would replace the page.
  for (const kind of ["dragover", "drop"]) addEventListener(kind, event => event.preventDefault());
  drop.addEventListener("dragover", () => drop.classList.add("over"));
  for (const kind of ["dragleave", "drop"]) drop.addEventListener(kind, () => drop.classList.remove("over"));
  addEventListener("drop", event => add(event.dataTransfer.files));
  refresh();
})();
