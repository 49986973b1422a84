// The calendar: entries are moved to another day by drag, or by the key M; a click on an empty day makes a record.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var moving = window.tabwrightMoving, root = $("[data-calendar]");
  if (!root || !moving) return;
  var moves = root.hasAttribute("data-moves"), calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function dayOf(item) { var place = item.closest("[data-day]"); return place && place.dataset.day; }
  function utc(day) { return Date.parse(day + "T00:00:00Z"); }
  function shift(text, days) { // the time of day stays
    return new Date(utc(text.slice(0, 10)) + days * 86400000).toISOString().slice(0, 10) + text.slice(10);
  }
  function focusCard(item) { if (item) $(".tw-calitem", item).focus(); }

  function refresh(id, day) {
    return moving.fresh().then(function (page) {
      all("[data-calbody]").forEach(function (part) {
        var twin = page.querySelector('[data-calbody="' + part.dataset.calbody + '"]');
        if (twin) part.replaceChildren.apply(part, Array.prototype.slice.call(twin.childNodes));
      });
      ready();
      var found = all('[data-card="' + id + '"]', root), best = found.filter(function (each) { return dayOf(each) === day; })[0] || found[0];
      if (best && best.closest("details")) best.closest("details").open = true;
      focusCard(best);
    });
  }
  // ``from`` is the day on which the entry was taken hold of; null where it had none.
  function moveTo(item, from, day, back) {
    var data = item.dataset, given = {};
    if (from && data.start) {
      var days = Math.round((utc(day) - utc(from)) / 86400000);
      given["set." + root.dataset.start] = shift(data.start, days);
      if (root.dataset.end && data.end) given["set." + root.dataset.end] = shift(data.end, days);
    } else given["set." + root.dataset.start] = day + (root.hasAttribute("data-times") ? "T09:00" : "");
    $(".tw-calitem", item).classList.add("is-pending");
    moving.move(data.card, data.revision, given, function (answer) {
      $(".tw-calitem", item).classList.remove("is-pending");
      if (!answer) { back(); focusCard(item); return; }
      refresh(data.card, day).catch(function () { location.reload(); });
    });
  }

  // ---- by drag ----
  function ready() {
    if (!moves || !window.Sortable) return;
    all("[data-cards]", root).forEach(function (list) {
      window.Sortable.create(list, {
        group: { name: "calendar", put: !list.hasAttribute("data-undated") }, sort: false, animation: calm ? 0 : 120, delay: 180, delayOnTouchOnly: true, ghostClass: "tw-kghost",
        onStart: function (event) { event.item.next = event.item.nextElementSibling; event.item.from = dayOf(event.from); root.classList.add("is-dragging"); },
        onMove: function (event) { all("[data-day]", root).forEach(function (day) { day.classList.toggle("is-over", day.contains(event.to)); }); },
        onEnd: function (event) {
          root.classList.remove("is-dragging");
          all(".is-over", root).forEach(function (day) { day.classList.remove("is-over"); });
          var day = dayOf(event.to), item = event.item;
          if (day && day !== item.from) moveTo(item, item.from, day, function () { event.from.insertBefore(item, item.next && item.next.parentNode === event.from ? item.next : null); });
        }
      });
    });
  }

  // ---- by key ----
  function closeMenu() { all(".tw-calto", root).forEach(function (box) { box.remove(); }); }
  function menu(item) {
    closeMenu();
    var form = document.createElement("form"), label = document.createElement("label"), input = document.createElement("input"), button = document.createElement("button");
    form.className = "tw-menu tw-kmenu tw-calto"; form.setAttribute("aria-label", root.dataset.move);
    label.className = "tw-label"; label.textContent = root.dataset.move; label.htmlFor = input.id = "to-day";
    input.type = "date"; input.required = true; input.className = "form-control form-control-sm"; input.value = dayOf(item) || "";
    button.className = "btn btn-primary btn-sm"; button.textContent = root.dataset.set;
    form.append(label, input, button); item.appendChild(form); input.focus();
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var day = input.value, from = dayOf(item);
      closeMenu(); focusCard(item);
      if (day && day !== from) moveTo(item, from, day, function () {});
    });
    form.addEventListener("keydown", function (event) {
      if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); closeMenu(); focusCard(item); }
    });
  }
  root.addEventListener("keydown", function (event) {
    if (!event.target.classList.contains("tw-calitem") || event.ctrlKey || event.metaKey || event.altKey) return;
    var item = event.target.closest("[data-card]"), found = null, items = all("[data-card]", root), at = items.indexOf(item);
    if (event.key === "m" || event.key === "M") { if (moves) { event.preventDefault(); event.stopPropagation(); menu(item); } return; }
    if (event.key === "Enter") { event.preventDefault(); $("h3 a", item).click(); return; }
    if (event.key === "ArrowDown" || event.key === "ArrowRight") found = items[at + 1];
    else if (event.key === "ArrowUp" || event.key === "ArrowLeft") found = items[at - 1];
    else return;
    event.preventDefault(); focusCard(found);
  });
  document.addEventListener("click", function (event) {
    if (!event.target.closest(".tw-calto")) closeMenu();
    var day = event.target.closest("[data-day]");
    if (!day || event.target.closest("a, button, [data-card], details") || String(getSelection())) return;
    var link = $("[data-new]", day);
    if (link) link.click();
  });
  ready();
})();
