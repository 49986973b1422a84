// Runs before the first paint: who chose "like the system" gets the system's theme.
(function () {
  "use strict";
  var root = document.documentElement;
  if (!root.hasAttribute("data-theme-auto")) return;
  var dark = matchMedia("(prefers-color-scheme: dark)");
  function set() { root.setAttribute("data-bs-theme", dark.matches ? "dark" : "light"); }
  set();
  dark.addEventListener("change", set);
})();
