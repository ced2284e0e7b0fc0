// Runs before the first paint, so that a dark page does not flash white. A file, so that a strict content
// security policy needs no exception for it.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem("mantine-color-scheme-value");
  } catch {
    // Storage is forbidden: follow the system.
  }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const scheme = wanted === "light" || wanted === "dark" ? wanted : dark ? "dark" : "light";
  document.documentElement.setAttribute("data-mantine-color-scheme", scheme);
})();
