// Tables sort by a heading, within each of their groups, and show only rows that contain every word of the filter.
for (const button of document.querySelectorAll("table.sort th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = head.closest("table");
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => { const cell = row.cells[head.cellIndex]; return cell.dataset.value ?? cell.textContent.trim(); };
    const numeric = head.classList.contains("num");
    const compare = (a, b) => {
      const [x, y] = numeric ? [parseFloat(value(a)), parseFloat(value(b))] : [value(a), value(b)];
      // A dash comes last in both directions.
      if (numeric && (isNaN(x) || isNaN(y))) return isNaN(x) - isNaN(y);
      return (up ? 1 : -1) * (numeric ? x - y : x.localeCompare(y, undefined, {numeric: true}));
    };
    for (const body of table.tBodies) body.append(...[...body.rows].filter(row => !row.classList.contains("group")).sort(compare));
  });
}
for (const table of document.querySelectorAll("table.sort")) {
  const rows = [...table.tBodies].flatMap(body => [...body.rows]).filter(row => !row.classList.contains("group"));
  if (rows.length < 8) continue;
  const box = document.createElement("label"), input = document.createElement("input"), count = document.createElement("span");
  box.className = "filter"; input.type = "search"; count.setAttribute("aria-live", "polite");
  box.append("Filter", input, count);
  const frame = table.closest(".scroll") ?? table;
  frame.before(box);
  const group = row => row.parentElement.querySelector(".group")?.textContent ?? "";
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const row of rows) {
      const text = (group(row) + " " + [...row.cells].map(cell => cell.textContent).join(" ")).toLowerCase();
      row.hidden = !words.every(word => text.includes(word));
      shown += !row.hidden;
    }
    for (const body of table.tBodies) body.hidden = [...body.rows].every(row => row.hidden || row.classList.contains("group"));
    count.textContent = words.length ? `${shown} of ${rows.length} rows` : "";
  });
}
// On a phone each row of a table becomes a block of its own, in which every cell says its heading (page.css).
for (const table of document.querySelectorAll(".scroll table")) {
  const heads = [...table.tHead.rows[0].cells].map(head => head.textContent.trim());
  table.classList.add("stacks");
  for (const cell of table.querySelectorAll("tbody td")) cell.dataset.head = heads[cell.cellIndex];
}
// The tab key stops once per region of a plot; the arrow keys move between its points.
for (const group of document.querySelectorAll("svg [data-points]")) {
  const points = [...group.querySelectorAll("a")];
  points.forEach((point, place) => point.setAttribute("tabindex", place ? -1 : 0));
  group.addEventListener("keydown", event => {
    const step = {ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1}[event.key];
    const next = points[points.indexOf(event.target.closest("a")) + step];
    if (!step) return;
    event.preventDefault();
    if (next) { points.forEach(point => point.setAttribute("tabindex", -1)); next.setAttribute("tabindex", 0); next.focus(); }
  });
}
// A figure opens large: at least as wide as the window, and as wide as it was drawn, which a small screen scrolls.
for (const image of document.querySelectorAll("figure img")) {
  const button = Object.assign(document.createElement("button"), {type: "button", title: "Enlarge"});
  image.before(button);
  button.append(image);
  button.addEventListener("click", () => {
    const dialog = document.createElement("dialog"), large = document.createElement("img"), close = document.createElement("button");
    dialog.className = "large " + image.closest("figure").className;
    dialog.setAttribute("aria-label", "Figure");
    Object.assign(large, {src: image.src, alt: image.alt});
    Object.assign(close, {type: "button", textContent: "Close"});
    close.addEventListener("click", () => dialog.close());
    large.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.append(close, large);
    document.body.append(dialog);
    dialog.showModal();
  });
}
// Print collapsed tables as well, but not collapsed figures.
const collapsed = [...document.querySelectorAll("details")].filter(item => item.querySelector("table") && !item.open);
addEventListener("beforeprint", () => collapsed.forEach(item => { item.open = true; }));
addEventListener("afterprint", () => collapsed.forEach(item => { item.open = false; }));
