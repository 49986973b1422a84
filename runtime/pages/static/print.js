// The button that opens the browser's own print dialog; sections that are folded are opened for paper.
"use strict";
for (const each of document.querySelectorAll(".tw-paper details")) each.open = true;
for (const each of document.querySelectorAll("[data-print]")) {
  each.hidden = false;
  each.addEventListener("click", () => window.print());
}
