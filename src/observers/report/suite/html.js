const cases = [...document.querySelectorAll(".case")];
const buttons = [...document.querySelectorAll("#sums button")];
const show = () => {
  const shown = new Set(buttons.filter((b) => b.ariaPressed === "true").map((b) => b.dataset.verdict));
  const wanted = search.value.trim().toLowerCase();
  for (const one of cases) {
    one.hidden = !shown.has(one.dataset.verdict) || !one.textContent.toLowerCase().includes(wanted);
  }
};
for (const button of buttons) {
  button.addEventListener("click", () => {
    button.ariaPressed = button.ariaPressed === "true" ? "false" : "true";
    show();
  });
}
search.addEventListener("input", show);
