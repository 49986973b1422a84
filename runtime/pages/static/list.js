// The list's own menus: columns are put in order by buttons; with a formula that has no rows, the box shows.
(function () {
  "use strict";
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  all("[data-columns]").forEach(function (form) {
    var list = form.querySelector("[data-column-list]");
    all("[data-up], [data-down]", list).forEach(function (button) { button.hidden = false; });
    list.addEventListener("click", function (event) {
      var button = event.target.closest("[data-up], [data-down]");
      if (!button) return;
      var item = button.closest("[data-column]"), up = button.hasAttribute("data-up");
      var other = up ? item.previousElementSibling : item.nextElementSibling;
      if (!other || other.querySelector("input[disabled]")) return;
      if (up) list.insertBefore(item, other); else list.insertBefore(other, item);
      button.focus();
    });
  });
  // Without script the formula is the way to filter; with it the builder is, and the box waits.
  all("[data-formula-box]").forEach(function (box) { box.hidden = !box.hasAttribute("data-shown"); });
})();
