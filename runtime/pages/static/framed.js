// A record to look at: links to records show those to the same person, everything else does nothing and says so.
(function () {
  "use strict";
  var page = document.querySelector("[data-framed]"), said = document.querySelector("[data-framed-said]"), timer;
  function tell() {
    var line = document.createElement("div");
    line.className = "tw-toast"; line.textContent = page.dataset.nothing;
    said.replaceChildren(line);
    clearTimeout(timer); timer = setTimeout(function () { said.replaceChildren(); }, 4000);
  }
  page.addEventListener("click", function (event) {
    var link = event.target.closest("a[href]"), button = event.target.closest("button"), found;
    if (button) { event.preventDefault(); tell(); return; }
    if (!link || link.getAttribute("href").charAt(0) === "#") return;
    event.preventDefault();
    found = /^\/o\/([a-z0-9_]+)\/([0-9a-f-]{32,36})$/i.exec(link.getAttribute("href"));
    if (!found) { tell(); return; }
    window.top.location.assign(page.dataset.lead + "&" + new URLSearchParams({ object: found[1], record: found[2] }));
  });
  page.addEventListener("submit", function (event) { event.preventDefault(); tell(); });
})();
