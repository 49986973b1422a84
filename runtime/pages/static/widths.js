// Columns of a list: their width by a handle at the right edge of each head (drag, arrow keys, double-click fits),
// their order by dragging a head. Widths are kept for this person and view; an order is a part of the address.
(function () {
  "use strict";
  var table = document.querySelector("table[data-widths]");
  if (!table || !table.tHead) return;
  var NARROW = 48, WIDE = 1200, STEP = 16, BIG = 64;
  var all = function (selector, from) { return Array.prototype.slice.call((from || table).querySelectorAll(selector)); };
  var heads = all("thead th[data-path]"), sized = table.classList.contains("is-sized"), timer;

  // ---- widths ----
  function columns() { return Array.prototype.slice.call(table.tHead.rows[0].cells); }
  function widthOf(head) { return Math.round(head.getBoundingClientRect().width); }
  // From now on each column has the width that it is given; at first those that it has.
  function freeze() {
    if (sized) return;
    var widths = columns().map(widthOf), group = document.createElement("colgroup");
    widths.forEach(function (width) { var col = document.createElement("col"); col.width = String(width); group.appendChild(col); });
    heads.forEach(function (head) { head.removeAttribute("width"); });
    group.appendChild(document.createElement("col")); // takes what is left over
    table.insertBefore(group, table.tHead);
    table.classList.add("is-sized"); sized = true;
  }
  function cols() { return all("colgroup > col"); }
  function colOf(head) { return cols()[columns().indexOf(head)]; }
  function clamp(width) { return Math.min(WIDE, Math.max(NARROW, Math.round(width))); }
  function set(head, width) {
    freeze();
    colOf(head).width = String(clamp(width));
    head.querySelector("[data-handle-of]").setAttribute("aria-valuenow", String(clamp(width)));
  }
  function keep() {
    clearTimeout(timer);
    timer = setTimeout(send, 400);
  }
  function send() {
    clearTimeout(timer); timer = null;
    var widths = {}, body = new URLSearchParams();
    heads.forEach(function (head) { widths[head.dataset.path] = clamp(Number(colOf(head).width)); });
    body.set("view", table.dataset.view); body.set("widths", JSON.stringify(widths));
    fetch(table.dataset.widths, { method: "POST", body: body, credentials: "same-origin", keepalive: true, headers: { "X-CSRFToken": table.dataset.csrf } })
      .then(function (answer) { if (answer.ok) table.dataset.kept = JSON.stringify(widths); }).catch(function () {});
  }
  window.addEventListener("pagehide", function () { if (timer) send(); });
  // As wide as the widest of what it shows: what it would be if nobody had said.
  function fit(head) {
    freeze();
    var at = columns().indexOf(head), widest = 0;
    table.classList.add("is-fitting");
    Array.prototype.forEach.call(table.rows, function (row) {
      var cell = row.cells[at];
      if (cell && cell.colSpan === 1) widest = Math.max(widest, inner(cell));
    });
    table.classList.remove("is-fitting");
    set(head, Math.min(widest + 2, 640)); keep();
  }
  function inner(cell) {
    var range = document.createRange(), style = getComputedStyle(cell);
    range.selectNodeContents(cell);
    return range.getBoundingClientRect().width + parseFloat(style.paddingLeft) + parseFloat(style.paddingRight);
  }
  function handle(head) {
    var grip = document.createElement("span"), label = (head.textContent || "").trim();
    grip.className = "tw-grip"; grip.tabIndex = 0; grip.dataset.handleOf = head.dataset.path;
    grip.setAttribute("role", "separator"); grip.setAttribute("aria-orientation", "vertical");
    grip.setAttribute("aria-valuemin", String(NARROW)); grip.setAttribute("aria-valuemax", String(WIDE));
    grip.setAttribute("aria-valuenow", String(widthOf(head)));
    grip.setAttribute("aria-label", table.dataset.handle.replace("{}", label)); grip.title = grip.getAttribute("aria-label");
    grip.addEventListener("pointerdown", function (event) {
      if (event.button) return;
      event.preventDefault(); event.stopPropagation(); grip.focus();
      var from = event.clientX, was = widthOf(head), moved = false;
      grip.setPointerCapture(event.pointerId);
      grip.classList.add("is-on");
      function move(at) { if (moved || Math.abs(at.clientX - from) > 2) { moved = true; set(head, was + at.clientX - from); } }
      function end() {
        grip.classList.remove("is-on");
        grip.removeEventListener("pointermove", move); grip.removeEventListener("pointerup", end); grip.removeEventListener("pointercancel", end);
        if (moved) keep();
      }
      grip.addEventListener("pointermove", move); grip.addEventListener("pointerup", end); grip.addEventListener("pointercancel", end);
    });
    grip.addEventListener("dblclick", function (event) { event.preventDefault(); fit(head); });
    grip.addEventListener("click", function (event) { event.stopPropagation(); });
    grip.addEventListener("keydown", function (event) {
      var step = event.shiftKey ? BIG : STEP;
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") { event.preventDefault(); set(head, widthOf(head) + (event.key === "ArrowLeft" ? -step : step)); keep(); }
      else if (event.key === "Enter") { event.preventDefault(); fit(head); }
    });
    head.appendChild(grip);
  }
  heads.forEach(handle);
  // A handle lies over the edge of its head and the next one, so that it is wide enough to take hold of.
  heads.forEach(function (head, index) { head.style.zIndex = String(2 + heads.length - index); });

  // ---- order: the name stays first; without a pointer it is the menu of the columns that puts them in order ----
  var dragged = null;
  function clear() { heads.forEach(function (head) { head.classList.remove("is-before", "is-after"); }); }
  heads.slice(1).forEach(function (head) {
    head.draggable = true;
    all("a", head).forEach(function (link) { link.draggable = false; });
    head.addEventListener("dragstart", function (event) {
      if (event.target.closest && event.target.closest("[data-handle-of]")) { event.preventDefault(); return; }
      dragged = head; event.dataTransfer.effectAllowed = "move"; event.dataTransfer.setData("text/plain", head.dataset.path);
    });
    head.addEventListener("dragend", function () { dragged = null; clear(); });
    head.addEventListener("dragover", function (event) {
      if (!dragged || dragged === head) return;
      event.preventDefault(); clear();
      head.classList.add(after(event, head) ? "is-after" : "is-before");
    });
    head.addEventListener("drop", function (event) {
      if (!dragged || dragged === head) return;
      event.preventDefault();
      put(dragged.dataset.path, head.dataset.path, after(event, head));
    });
  });
  function after(event, head) { var box = head.getBoundingClientRect(); return event.clientX > box.left + box.width / 2; }
  function put(path, beside, behind) {
    var now = table.dataset.columnsNow.split(","), nameOf = function (text) { return text.split(":")[0]; };
    var moving = now.filter(function (text) { return nameOf(text) === path; })[0];
    var rest = now.filter(function (text) { return text !== moving; });
    var at = rest.map(nameOf).indexOf(beside);
    if (!moving || at < 0) return;
    rest.splice(behind ? at + 1 : at, 0, moving);
    var url = new URL(table.dataset.columnsHref, location.href);
    url.searchParams.set("columns", rest.join(","));
    location.assign(url);
  }
})();
