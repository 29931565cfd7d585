const items = [...document.querySelectorAll(".item")];
const steps = [...document.querySelectorAll(".step")];
const found = document.querySelector("#found");
const filter = () => {
  const wanted = search.value.trim().toLowerCase();
  let count = 0;
  for (const item of items) {
    item.hidden = wanted !== "" && !item.textContent.toLowerCase().includes(wanted);
    if (!item.hidden) count += 1;
  }
  for (const step of steps) {
    const shown = [...step.querySelectorAll(".item")].some((item) => !item.hidden);
    step.hidden = wanted !== "" && !shown;
    if (wanted !== "" && shown) step.open = true;
  }
  found.textContent = wanted === "" ? "" : `${count} of ${items.length}`;
};
search.addEventListener("input", filter);
// What the terminal knows at an exchange: the last value of every element up to it.
for (const button of document.querySelectorAll("button.whole")) {
  button.addEventListener("click", () => {
    const known = new Map();
    for (const change of document.querySelectorAll("tr.change")) {
      const isLater = change.compareDocumentPosition(button) & Node.DOCUMENT_POSITION_PRECEDING;
      if (isLater) continue;
      known.set(change.dataset.element, change.cells[2].textContent);
    }
    const table = document.createElement("table");
    for (const [element, value] of [...known].sort()) {
      const row = table.insertRow();
      row.insertCell().textContent = element;
      row.insertCell().textContent = value;
    }
    button.replaceWith(table);
  });
}
const heads = () => items.filter((item) => item.tagName === "DETAILS" && !item.hidden);
const move = (by, only) => {
  const all = heads().filter((item) => !only || item.matches(only));
  const at = all.findIndex((item) => item.contains(document.activeElement));
  const next = all[at < 0 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + by, 0), all.length - 1)];
  if (next) openStep(next);
};
const openStep = (item) => {
  item.closest(".step").open = true;
  item.querySelector("summary").focus();
  item.scrollIntoView({ block: "nearest" });
};
addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") move(1);
  if (event.key === "k") move(-1);
  if (event.key === "f") move(1, ".failing");
  if (event.key === "e") for (const one of [...steps, ...heads()]) one.open = true;
  if (event.key === "c") for (const one of [...steps, ...heads()]) one.open = false;
});
