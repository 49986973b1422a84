// Choosing rows of a list: ranges, the whole page, all that match; by keyboard too. The server counts again.
(function () {
  "use strict";
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var typing = function (el) { return el && (el.isContentEditable || /^(TEXTAREA|SELECT)$/.test(el.tagName) || el.tagName === "INPUT" && el.type !== "checkbox"); };

  // ---- the bar ----
  var bar = document.querySelector("[data-bulk]");
  if (bar) (function () {
    var boxes = all('input[form="bulk-form"][name="id"]'), page = document.querySelector("[data-bulk-page]");
    var every = bar.querySelector("[data-bulk-all]"), count = bar.querySelector("[data-bulk-count]"), clear = bar.querySelector("[data-bulk-clear]");
    var last = null;
    page.hidden = clear.hidden = false;
    page.parentNode.querySelector(".tw-sr").hidden = true;
    function update() {
      var chosen = boxes.filter(function (box) { return box.checked; }).length;
      boxes.forEach(function (box) { var row = box.closest("tr"); if (box.checked) row.setAttribute("aria-selected", "true"); else row.removeAttribute("aria-selected"); });
      page.checked = chosen === boxes.length && chosen > 0;
      page.indeterminate = chosen > 0 && chosen < boxes.length;
      if (every && chosen < boxes.length) every.checked = false;
      count.textContent = every && every.checked ? bar.dataset.all : bar.dataset.chosen.replace("{n}", chosen);
    }
    function range(from, to, on) {
      var a = boxes.indexOf(from), b = boxes.indexOf(to);
      boxes.slice(Math.min(a, b), Math.max(a, b) + 1).forEach(function (box) { box.checked = on; });
    }
    boxes.forEach(function (box) {
      box.addEventListener("click", function (event) {
        if (event.shiftKey && last && last !== box) range(last, box, box.checked);
        last = box; update();
      });
    });
    page.addEventListener("change", function () { boxes.forEach(function (box) { box.checked = page.checked; }); update(); });
    if (every) every.addEventListener("change", function () { if (every.checked) boxes.forEach(function (box) { box.checked = true; }); update(); });
    clear.addEventListener("click", function () { none(); var first = current() || boxes[0]; if (first) first.focus(); });
    function none() { boxes.forEach(function (box) { box.checked = false; }); if (every) every.checked = false; update(); }
    window.addEventListener("pageshow", update);

    // ---- rows by keyboard: j and k move, x ticks, shift-x a range ----
    function current() { var row = document.querySelector(".tw-table tr.is-cursor"); return row && row.querySelector('input[name="id"]'); }
    function go(box) {
      all("tr.is-cursor").forEach(function (row) { row.classList.remove("is-cursor"); });
      var row = box.closest("tr"), link = row.querySelector(".is-name a");
      row.classList.add("is-cursor");
      (link || box).focus();
      row.scrollIntoView({ block: "nearest" });
    }
    document.addEventListener("keydown", function (event) {
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return;
      var key = event.key.toLowerCase(), inRow = document.activeElement && document.activeElement.closest("tr");
      var at = inRow && inRow.querySelector('input[name="id"]') || current(), index = boxes.indexOf(at);
      if (document.body.classList.contains("has-peek") && key !== "x") return; // the panel has these keys
      if (key === "j" || key === "k") {
        var next = boxes[index < 0 ? 0 : Math.max(0, Math.min(boxes.length - 1, index + (key === "j" ? 1 : -1)))];
        if (next) { event.preventDefault(); go(next); }
      } else if (key === "x" && at) {
        event.preventDefault();
        if (event.shiftKey && last && last !== at) range(last, at, true); else at.checked = !at.checked;
        last = at; go(at); update();
      } else if (key === "escape" && boxes.some(function (box) { return box.checked; }) && !document.querySelector("details.tw-pop[open]")) none();
    });
    update();
  })();

  // ---- a bulk change that is being worked on: look again until it stands still ----
  function again() {
    var main = document.querySelector("[data-again]");
    if (!main) return;
    setTimeout(function () {
      fetch(location.href, { headers: { Accept: "text/html" }, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (html) {
          var fresh = new DOMParser().parseFromString(html, "text/html");
          if (!fresh.querySelector("[data-again]")) { location.reload(); return; }
          ["[role=status]", "progress"].forEach(function (part) {
            var here = main.querySelector(part), there = fresh.querySelector("[data-again] " + part);
            if (!here || !there) return;
            if (part === "progress") here.value = there.value; else here.textContent = there.textContent;
          });
          again();
        }).catch(function () { again(); });
    }, 1000);
  }
  again();
})();
