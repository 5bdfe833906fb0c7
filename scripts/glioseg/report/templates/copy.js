// A button below each table copies the rows that are shown, as tab-separated text.
for (const table of document.querySelectorAll("table.sort, table.confusion")) {
  const button = document.createElement("button");
  button.type = "button"; button.className = "copy"; button.textContent = "Copy table";
  const text = cell => [...cell.childNodes].map(node => node.textContent.trim()).filter(Boolean).join(" ").replace(/\s+/g, " ");
  button.addEventListener("click", () => {
    const rows = [...table.rows].filter(row => !row.hidden && !row.parentElement.hidden);
    const area = document.createElement("textarea");
    area.value = rows.map(row => [...row.cells].map(text).join("\t")).join("\n");
    // Works from disk and in old browsers, unlike the Clipboard API.
    area.setAttribute("readonly", ""); area.style.position = "fixed"; area.style.opacity = 0;
    document.body.append(area); area.select();
    const done = document.execCommand("copy");
    area.remove(); button.focus();
    button.textContent = done ? "Copied" : "Not copied";
    setTimeout(() => { button.textContent = "Copy table"; }, 2000);
  });
  (table.closest(".scroll") ?? table).after(button);
}
