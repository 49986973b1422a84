// The board: cards are moved by drag, by the key M and by their menu; arrows go from card to card.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var moving = window.tabwrightMoving, board = $("[data-board]");
  if (!board || !moving) return;
  var moves = board.hasAttribute("data-moves"), types = JSON.parse(board.dataset.types), calm = matchMedia("(prefers-reduced-motion: reduce)").matches;

  function lanes() { return all("[data-lane]", board); }
  function laneOf(item) { return item.closest("[data-lane]"); }
  function focusCard(item) { if (item) $(".tw-kcard", item).focus(); }
  function fits(item, lane) {
    var allowed = types[item.dataset.type];
    return lane.hasAttribute("data-takes") && (!allowed || allowed.indexOf(lane.dataset.lane) >= 0);
  }
  function dress(from) {
    all("[data-move-card]", from).forEach(function (button) { button.hidden = !moves; });
    all("[data-peek-card]", from).forEach(function (button) { button.hidden = !window.tabwrightPeek; });
  }

  // Heads (counts, totals, limits) are taken over from the server, so they are never guessed.
  function refreshHeads() {
    moving.fresh().then(function (page) {
      lanes().forEach(function (lane) {
        var twin = page.querySelector('[data-lane="' + CSS.escape(lane.dataset.lane) + '"]');
        if (twin) $("[data-lane-head]", lane).replaceWith($("[data-lane-head]", twin));
      });
    }).catch(function () {});
  }

  // The card already stands in ``lane``; it goes back before ``next`` in ``from`` where the move is refused.
  function settle(item, lane, from, next) {
    var given = { by: board.dataset.by, colours: board.dataset.colours, cards: board.dataset.fields }, card = $(".tw-kcard", item);
    given["set." + board.dataset.by] = lane.dataset.lane;
    card.classList.add("is-pending");
    moving.move(item.dataset.card, item.dataset.revision, given, function (answer) {
      card.classList.remove("is-pending");
      if (!answer) {
        var list = $("[data-cards]", from);
        list.insertBefore(item, next && next.parentNode === list ? next : null);
        focusCard(item); return;
      }
      if (answer.card) {
        var made = document.createElement("ol");
        made.innerHTML = answer.card; // the server escapes what people typed
        var twin = made.firstElementChild;
        item.replaceWith(twin); item = twin; dress(item);
      } else item.remove();
      focusCard(item); refreshHeads();
    });
  }
  function moveTo(item, lane) {
    var from = laneOf(item), next = item.nextElementSibling;
    if (from === lane) return;
    $("[data-cards]", lane).prepend(item);
    settle(item, lane, from, next);
  }

  // ---- by drag ----
  if (moves && window.Sortable) {
    lanes().forEach(function (lane) {
      var next = null;
      window.Sortable.create($("[data-cards]", lane), {
        group: { name: "board", put: function (to, from, item) { return fits(item, to.el.closest("[data-lane]")); } },
        sort: false, animation: calm ? 0 : 120, delay: 180, delayOnTouchOnly: true, ghostClass: "tw-kghost", filter: "button", preventOnFilter: false,
        onStart: function (event) { next = event.item.nextElementSibling; board.classList.add("is-dragging"); },
        onMove: function (event) { lanes().forEach(function (each) { each.classList.toggle("is-over", each.contains(event.to)); }); },
        onEnd: function (event) {
          board.classList.remove("is-dragging");
          lanes().forEach(function (each) { each.classList.remove("is-over"); });
          if (event.to !== event.from) settle(event.item, laneOf(event.to), lane, next);
        }
      });
    });
  }

  // ---- by key and by menu ----
  function menu(item) {
    closeMenu();
    var here = laneOf(item), card = $(".tw-kcard", item), box = document.createElement("div"), list = document.createElement("ul");
    box.className = "tw-menu tw-kmenu"; box.setAttribute("role", "dialog"); box.setAttribute("aria-label", board.dataset.move);
    var title = document.createElement("p"); title.className = "tw-menu-title"; title.textContent = board.dataset.move; box.appendChild(title);
    list.setAttribute("role", "listbox"); list.setAttribute("aria-label", board.dataset.move); list.tabIndex = 0; box.appendChild(list);
    lanes().forEach(function (lane, number) {
      var option = document.createElement("li"), note = document.createElement("small");
      option.setAttribute("role", "option"); option.id = "to" + number; option.setAttribute("aria-selected", "false");
      option.appendChild($("h2 > *", lane).cloneNode(true)); note.className = "tw-end"; option.appendChild(note);
      note.textContent = lane === here ? board.dataset.here : fits(item, lane) ? "" : board.dataset.unfit;
      if (note.textContent) option.setAttribute("aria-disabled", "true");
      option.lane = lane; list.appendChild(option);
    });
    var hint = document.createElement("p"); hint.className = "tw-hint"; hint.textContent = board.dataset.hint; box.appendChild(hint);
    item.appendChild(box); item.classList.add("has-menu");
    var open = all('[role="option"]:not([aria-disabled])', list), at = 0;
    function mark(index) {
      at = (index + open.length) % open.length;
      open.forEach(function (option, n) { option.setAttribute("aria-selected", String(n === at)); });
      list.setAttribute("aria-activedescendant", open[at].id); open[at].scrollIntoView({ block: "nearest" });
    }
    function take(option) { closeMenu(); if (option) moveTo(item, option.lane); }
    if (open.length) mark(0);
    list.focus();
    list.addEventListener("keydown", function (event) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); if (open.length) mark(at + (event.key === "ArrowDown" ? 1 : -1)); }
      else if (event.key === "Enter" || event.key === " ") { event.preventDefault(); event.stopPropagation(); take(open[at]); }
      else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); closeMenu(); card.focus(); }
      else if (event.key === "Tab") { closeMenu(); card.focus(); }
    });
    list.addEventListener("click", function (event) {
      var option = event.target.closest('[role="option"]:not([aria-disabled])');
      if (option) take(option);
    });
  }
  function closeMenu() { all(".tw-kmenu", board).forEach(function (box) { box.parentNode.classList.remove("has-menu"); box.remove(); }); }
  document.addEventListener("click", function (event) { if (!event.target.closest(".tw-kmenu, [data-move-card]")) closeMenu(); });

  board.addEventListener("click", function (event) {
    var button = event.target.closest("[data-move-card]");
    if (button) { menu(button.closest("[data-card]")); return; }
    var more = event.target.closest("[data-more]");
    if (more) loadMore(more);
  });
  board.addEventListener("keydown", function (event) {
    if (!event.target.classList.contains("tw-kcard") || event.ctrlKey || event.metaKey || event.altKey) return;
    var item = event.target.closest("[data-card]"), lane = laneOf(item), found = null;
    if (event.key === "m" || event.key === "M") { if (moves) { event.preventDefault(); event.stopPropagation(); menu(item); } return; }
    if (event.key === "Enter") { event.preventDefault(); $("h3 a", item).click(); return; }
    if (event.key === "ArrowDown") found = item.nextElementSibling;
    else if (event.key === "ArrowUp") found = item.previousElementSibling;
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      var place = all("[data-card]", lane).indexOf(item), way = event.key === "ArrowRight" ? 1 : -1, columns = lanes();
      for (var n = columns.indexOf(lane) + way; columns[n] && !found; n += way) {
        var cards = all("[data-card]", columns[n]);
        found = cards[Math.min(place, cards.length - 1)] || null;
      }
    } else return;
    event.preventDefault();
    focusCard(found);
  });

  function loadMore(button) {
    button.disabled = true;
    fetch(button.dataset.more, { headers: { "Accept": "application/json" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(function (found) {
        var list = $("[data-cards]", laneOf(button)), last = list.lastElementChild;
        list.insertAdjacentHTML("beforeend", found.cards); // the server escapes what people typed
        dress(list);
        focusCard(last && last.nextElementSibling);
        if (found.more) { button.dataset.more = found.more; button.disabled = false; } else button.remove();
      }).catch(function () { button.disabled = false; moving.tell(board.dataset.failed); });
  }

  all("[data-limits]").forEach(function (form) {
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      var texts = all("[data-limit]", form).filter(function (each) { return Number(each.value) > 0 && each.dataset.limit; })
        .map(function (each) { return each.dataset.limit + ":" + Number(each.value); });
      var to = new URL(location.href); to.searchParams.set("limits", texts.join(",")); location.href = to;
    });
  });
  dress(board);
  window.addEventListener("load", function () { dress(board); });
})();
