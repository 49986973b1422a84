// The table of rights by keyboard: arrows move, e r n set a field, Backspace takes its own word off, and with
// Shift the arrows carry the value along. Without script every cell is a plain input.
(function () {
  "use strict";
  var form = document.querySelector("[data-matrix]");
  if (!form) return;
  var KEYS = { e: "edit", r: "read", n: "none", Backspace: "", Delete: "" };
  var WAYS = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  function cells(table) {
    return Array.prototype.map.call(table.tBodies[0].rows, function (row) {
      return Array.prototype.map.call(row.cells, function (cell) { return cell.querySelector("[data-cell]"); }).slice(1);
    });
  }
  function next(control, way) {
    var grid = cells(control.closest("table"));
    for (var row = 0; row < grid.length; row += 1) {
      var column = grid[row].indexOf(control);
      if (column < 0) continue;
      row += way[0]; column += way[1];
      while (grid[row] && grid[row][column]) { // over what may not be changed
        if (!grid[row][column].disabled) return grid[row][column];
        row += way[0]; column += way[1];
      }
      return null;
    }
    return null;
  }
  function told(control) {
    if (control.tagName === "SELECT") control.dataset.level = control.selectedOptions[0].dataset.level;
    control.dispatchEvent(new Event("input", { bubbles: true }));
  }
  form.addEventListener("change", function (event) { if (event.target.matches("select[data-cell]")) told(event.target); });
  form.addEventListener("keydown", function (event) {
    var control = event.target;
    if (!control.matches("[data-cell]") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (WAYS[event.key]) {
      var other = next(control, WAYS[event.key]);
      event.preventDefault();
      if (!other) return;
      if (event.shiftKey) {
        if (control.type === "checkbox") other.checked = control.checked; else other.value = control.value;
        told(other);
      }
      other.focus();
    } else if (control.tagName === "SELECT" && event.key in KEYS) {
      event.preventDefault();
      control.value = KEYS[event.key];
      told(control);
    }
  });
})();
