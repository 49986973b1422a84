// Cells of a list that may be edited become hosts of inplace.js; arrows move among them, Enter or F2 edits.
(function () {
  "use strict";
  function ready() { Array.prototype.forEach.call(document.querySelectorAll("table[data-cell-columns]:not([data-cells-ready])"), function (table) { table.setAttribute("data-cells-ready", ""); cells(table); }); }
  function cells(table) {
  var heads = Array.prototype.slice.call(table.tHead.rows[0].cells);
  Array.prototype.slice.call(table.tBodies[0].rows).forEach(function (row) {
    Array.prototype.slice.call(row.cells).forEach(function (cell, at) {
      if (cell.classList.contains("is-check")) return;
      cell.tabIndex = -1;
      if (row.dataset.href && heads[at] && heads[at].dataset.field) cell.dataset.value = heads[at].dataset.field;
    });
  });
  var WAYS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  table.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey || event.defaultPrevented) return;
    var cell = event.target.closest("td, th"), own = event.target === cell;
    if (!cell || event.target.closest(".tw-cell") || !(own || event.target.matches(".is-name a"))) return;
    var way = WAYS[event.key];
    if (way) {
      var row = table.tBodies[0].rows[cell.parentNode.sectionRowIndex + way[0]], next = row && row.cells[cell.cellIndex + way[1]];
      if (!next || next.classList.contains("is-check")) return;
      event.preventDefault();
      (next.querySelector(":scope.is-name a") || next).focus();
      next.scrollIntoView({ block: "nearest", inline: "nearest" });
    } else if (event.key === "Enter" && own && cell.dataset.value) {
      event.preventDefault();
      cell.dispatchEvent(new KeyboardEvent("keydown", { key: "F2", bubbles: true, cancelable: true }));
    }
  });
  }
  document.addEventListener("tw:fields", ready);
  ready();
})();
