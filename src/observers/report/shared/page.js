const search = document.querySelector("#search");
const openAt = (id) => {
  const target = id && document.getElementById(id);
  if (!target) return;
  for (let one = target; one; one = one.parentElement) {
    if (one.tagName === "DETAILS") one.open = true;
    one.hidden = false;
  }
  target.scrollIntoView({ block: "nearest" });
  (target.querySelector("summary") || target).focus();
};
addEventListener("hashchange", () => openAt(decodeURIComponent(location.hash.slice(1))));
// A link to where the page is already changes nothing in the address.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (link) openAt(decodeURIComponent(link.hash.slice(1)));
});
document.querySelector("#theme").addEventListener("click", () => {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
});
document.addEventListener("keydown", (event) => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { event.preventDefault(); search.focus(); }
});
openAt(decodeURIComponent(location.hash.slice(1)));
