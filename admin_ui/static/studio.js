// Progressive enhancement of Studio. Everything here also works without it.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  function later(call, ms) { var timer; return function () { clearTimeout(timer); timer = setTimeout(call, ms); }; }

  // ---- lists that are narrowed by typing ----
  all("[data-filter]").forEach(function (input) {
    var none = input.dataset.none && $(input.dataset.filter) ? document.createElement("p") : null;
    if (none) { none.className = "tw-hint st-none"; none.setAttribute("role", "status"); $(input.dataset.filter).after(none); }
    input.addEventListener("input", function () {
      var words = input.value.toLowerCase().split(/\s+/).filter(Boolean), box = $(input.dataset.filter);
      if (!box) return;
      all("[data-find]", box).forEach(function (each) {
        each.hidden = !words.every(function (word) { return each.dataset.find.indexOf(word) >= 0; });
      });
      all("[data-group]", box).forEach(function (group) { group.hidden = !$("[data-find]:not([hidden])", group); });
      if (none) none.textContent = $("[data-find]:not([hidden])", box) ? "" : input.dataset.none;
    });
    input.addEventListener("keydown", function (event) { if (event.key === "Enter") event.preventDefault(); });
  });

  // ---- rows: the last one is blank and makes another; buttons and Alt+arrows move ----
  function renumber(row, list, number) {
    var old = list.dataset.list + "/" + row.dataset.row, made = list.dataset.list + "/" + number;
    var oldId = "f" + old.replace(/[^\p{L}\p{N}]/gu, "-"), newId = "f" + made.replace(/[^\p{L}\p{N}]/gu, "-");
    all("[name]", row).concat(row.hasAttribute("name") ? [row] : []).forEach(function (el) {
      if (el.name.indexOf(old) === 0) el.name = made + el.name.slice(old.length);
    });
    all("[id]", row).forEach(function (el) { if (el.id.indexOf(oldId) === 0) el.id = newId + el.id.slice(oldId.length); });
    row.dataset.row = number;
  }
  function filled(row) {
    return all("input, select, textarea", row).some(function (el) {
      if (el.type === "checkbox" || el.type === "radio" || el.type === "hidden") return false;
      return el.value.trim() !== "";
    });
  }
  function grow(list) {
    var rows = all(":scope > [data-row]", $("[data-rows]", list)), last = rows[rows.length - 1];
    if (!last || !filled(last)) return;
    var fresh = (last.blank || last).cloneNode(true);
    all(".tw-combo", fresh).forEach(function (box) { box.replaceWith($("select", box)); });
    all("[data-formula]", fresh).forEach(window.tabwrightFormula.plain);
    var number = Math.max.apply(null, rows.map(function (row) { return +row.dataset.row; })) + 1;
    fresh.dataset.row = last.dataset.row;
    renumber(fresh, list, number);
    all("input, select, textarea", fresh).forEach(function (el) {
      if (el.type === "hidden") return;
      if (el.type === "checkbox") el.checked = el.defaultChecked;
      else if (el.type === "radio") el.checked = el.value === "";
      else if (el.tagName === "SELECT") el.selectedIndex = 0;
      else el.value = "";
    });
    all(".tw-err", fresh).forEach(function (el) { el.remove(); });
    last.after(fresh);
    enhance(fresh);
  }
  function move(row, by) {
    var list = row.parentNode, other = by < 0 ? row.previousElementSibling : row.nextElementSibling;
    if (!other || by > 0 && !other.nextElementSibling) return; // the blank row stays last
    if (by < 0) list.insertBefore(row, other); else list.insertBefore(other, row);
    row.dispatchEvent(new Event("change", { bubbles: true }));
  }
  document.addEventListener("input", function (event) {
    var list = event.target.closest && event.target.closest("[data-list]");
    if (list) grow(list);
  });
  document.addEventListener("change", function (event) {
    var list = event.target.closest && event.target.closest("[data-list]");
    if (list) grow(list);
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-move]");
    if (!button) return;
    var row = button.closest("[data-row]"), by = +button.dataset.move;
    if (by) { move(row, by); button.focus(); return; }
    var next = row.nextElementSibling || row.previousElementSibling, form = row.closest("form");
    row.remove();
    var field = next && $("input:not([type=hidden]), select", next);
    if (field) field.focus();
    if (form) form.dispatchEvent(new Event("change", { bubbles: true }));
  });
  document.addEventListener("keydown", function (event) {
    if (!event.altKey || event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    var row = event.target.closest && event.target.closest("[data-row]");
    if (!row || !row.nextElementSibling) return;
    event.preventDefault();
    var focused = document.activeElement;
    move(row, event.key === "ArrowUp" ? -1 : 1);
    focused.focus();
  });

  // ---- a long select becomes a searched one ----
  var made = 0;
  function combo(select) {
    if (select.options.length < 8 || select.disabled || select.closest(".tw-combo")) return;
    var box = document.createElement("div"), input = document.createElement("input");
    var menu = document.createElement("div"), list = document.createElement("ul"), id = "cb" + ++made, at = -1;
    box.className = "tw-combo"; input.className = select.className;
    input.type = "text"; input.autocomplete = "off"; input.setAttribute("role", "combobox");
    input.setAttribute("aria-expanded", "false"); input.setAttribute("aria-controls", id); input.setAttribute("aria-autocomplete", "list");
    var name = select.getAttribute("aria-label") || (select.labels[0] && select.labels[0].firstChild.textContent) || "";
    input.setAttribute("aria-label", name);
    if (select.hasAttribute("aria-describedby")) input.setAttribute("aria-describedby", select.getAttribute("aria-describedby"));
    if (select.hasAttribute("aria-invalid")) input.setAttribute("aria-invalid", "true");
    menu.className = "tw-menu"; menu.hidden = true; list.id = id; list.setAttribute("role", "listbox"); list.setAttribute("aria-label", name);
    menu.appendChild(list); select.replaceWith(box); box.append(select, input, menu);
    select.tabIndex = -1; select.setAttribute("aria-hidden", "true");
    (select.labels && select.labels[0] || {}).htmlFor = select.id + "-c"; input.id = select.id ? select.id + "-c" : id + "-i";
    function label() { var chosen = select.options[select.selectedIndex]; return chosen && chosen.value ? chosen.textContent : ""; }
    input.placeholder = (select.options[0] && !select.options[0].value) ? select.options[0].textContent : "";
    input.value = label();
    function show(open) { menu.hidden = !open; input.setAttribute("aria-expanded", String(open)); if (!open) { at = -1; input.removeAttribute("aria-activedescendant"); } }
    function options() { return all('[role="option"]', list); }
    function mark(index) {
      at = index;
      options().forEach(function (each, i) { each.setAttribute("aria-selected", String(i === at)); if (i === at) { each.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", each.id); } });
    }
    function fill() {
      var text = input.value.toLowerCase(), words = text === label().toLowerCase() ? [] : text.split(/\s+/).filter(Boolean);
      list.textContent = "";
      all("option", select).forEach(function (option, number) {
        var find = ((option.dataset.find || "") + " " + option.textContent).toLowerCase();
        if (!option.value || !words.every(function (word) { return find.indexOf(word) >= 0; })) return;
        var item = document.createElement("li"), note = document.createElement("small");
        item.setAttribute("role", "option"); item.id = id + "-" + number; item.dataset.index = number;
        item.textContent = option.textContent;
        if (option.dataset.note) { note.textContent = option.dataset.note; item.appendChild(note); }
        list.appendChild(item);
      });
      show(true);
      if (words.length && options().length) mark(0);
    }
    function take(item) { select.selectedIndex = +item.dataset.index; input.value = label(); show(false); select.dispatchEvent(new Event("change", { bubbles: true })); }
    input.addEventListener("input", function (event) { event.stopPropagation(); fill(); });
    input.addEventListener("click", fill);
    input.addEventListener("keydown", function (event) {
      var count = options().length;
      if (event.altKey) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        if (menu.hidden) { fill(); return; }
        if (count) mark((at + (event.key === "ArrowDown" ? 1 : count - 1) + count) % count);
      } else if (event.key === "Enter" && !menu.hidden) { event.preventDefault(); if (at >= 0) take(options()[at]); }
      else if (event.key === "Escape" && !menu.hidden) { event.preventDefault(); event.stopPropagation(); input.value = label(); show(false); }
    });
    input.addEventListener("blur", function () {
      setTimeout(function () {
        show(false);
        if (!input.value.trim() && select.value) { select.selectedIndex = 0; select.dispatchEvent(new Event("change", { bubbles: true })); }
        input.value = label();
      }, 150);
    });
    list.addEventListener("mousedown", function (event) { var item = event.target.closest('[role="option"]'); if (item) { event.preventDefault(); take(item); } });
  }

  // ---- icons: found by their words, the chosen one stands on the button ----
  function iconChosen(event) {
    if (!event.target.matches(".st-iconpick input")) return;
    $("[data-icon-now]", event.target.closest("fieldset")).innerHTML = $("span", event.target.parentNode).innerHTML;
  }
  document.addEventListener("change", iconChosen);
  document.addEventListener("tw:icon", iconChosen);
  document.addEventListener("input", function (event) {
    if (!event.target.matches("[data-icon-find]")) return;
    var box = event.target.closest(".st-iconbox"), wanted = event.target.value.toLowerCase().trim(), left = 0;
    all("[data-find]", box).forEach(function (each) { each.hidden = each.dataset.find.indexOf(wanted) < 0; if (!each.hidden) left++; });
    $("[data-icon-none]", box).hidden = left > 0;
  });

  // ---- the name follows the label until it is typed ----
  all("form[data-component]").forEach(function (form) {
    var inputs = all("[data-names]", form), shown = $("[data-name-shown]", form), typed = $("[name=local]", form);
    if (!inputs.length || !typed) return;
    var ask = later(function () {
      var query = new URLSearchParams({ kind: form.dataset.component, object: form.dataset.object || "" });
      inputs.forEach(function (input) { query.set(input.dataset.names, input.value); });
      fetch("/studio/name?" + query, { credentials: "same-origin" }).then(function (answer) { return answer.ok ? answer.text() : ""; })
        .then(function (name) { if (shown) shown.textContent = name; typed.placeholder = name || typed.placeholder; }).catch(function () {});
    }, 200);
    inputs.forEach(function (input) { input.addEventListener("input", ask); });
    if (shown && !shown.textContent && inputs.some(function (input) { return input.value; })) ask(); // a form that comes filled in
  });

  // ---- what depends on a choice (a field's options on its type, its preview on all) comes from the server ----
  all("form[data-whole]").forEach(function (form) {
    var asked = 0, due = false; // due: all of it was asked for and has not come yet, so that a later answer brings it
    var pressed = false; // pressed: the choice was made by mouse or finger, not by arrow keys
    form.addEventListener("pointerdown", function (event) { pressed = !!event.target.closest(".st-type"); });
    form.addEventListener("keydown", function () { pressed = false; });
    // A part as the server has it; what was typed into a formula meanwhile goes along.
    function renew(here, there) {
      var typed = all("[data-formula] textarea", here).map(function (area) { return { name: area.name, value: area.value, focus: area.closest("[data-formula]").contains(document.activeElement) }; });
      here.replaceChildren.apply(here, Array.prototype.slice.call(there.childNodes));
      typed.forEach(function (each) {
        var area = $('[data-formula] textarea[name="' + CSS.escape(each.name) + '"]', here);
        if (area && area.value !== each.value) area.value = each.value;
        if (area && each.focus) area.focus();
      });
    }
    function refresh(everything) {
      var whole = due = everything || due, mine = ++asked, data = new FormData(form);
      data.set("do", "refresh");
      fetch(location.href, { method: "POST", body: new URLSearchParams(data), headers: { "Accept": "text/html" }, credentials: "same-origin" })
        .then(function (answer) { return answer.text(); })
        .then(function (html) {
          if (mine !== asked) return;
          due = false;
          var fresh = new DOMParser().parseFromString(html, "text/html");
          (whole ? form.dataset.whole : form.dataset.soft).split(" ").forEach(function (part) {
            var here = $('[data-part="' + part + '"]', form), there = $('[data-part="' + part + '"]', fresh);
            if (here && there) { renew(here, there); enhance(here); }
          });
          // What the choice asks for stands below all the cards: nobody would know.
          // Only the form scrolls: scrollIntoView would push the head of the panel off the sheet too.
          if (whole && pressed) form.scrollTop += $('[data-part="options"]', form).getBoundingClientRect().top - form.getBoundingClientRect().top - 8;
        }).catch(function () {});
    }
    var soon = later(function () { refresh(false); }, 400), now = later(function () { refresh(true); }, 10);
    form.addEventListener("change", function (event) { if (event.target.matches("[data-swap]")) now(); else if (form.dataset.soft) soon(); });
    form.addEventListener("input", function (event) { if (form.dataset.soft && !event.target.matches("[data-swap], [data-filter]")) soon(); });
  });

  // ---- the panel: Esc leaves it, focus stays in it ----
  all("[data-panel]").forEach(function (panel) {
    var first = $("input:not([type=hidden])", panel);
    if (first && !$("[data-focus]", panel)) first.focus();
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape" && !event.defaultPrevented) location.href = panel.dataset.close;
    });
  });

  // ---- publish waits for every "I understand", and says how many are left ----
  all("form[data-plan]").forEach(function (form) {
    var left = $("[data-left]"), button = $("[data-publish]");
    if (!left || !button) return;
    function count() { return all("[data-ack]", form).filter(function (box) { return !box.checked; }).length; }
    function update() {
      var n = count();
      left.textContent = n ? (n === 1 ? left.dataset.one : left.dataset.many.replace("{n}", n)) : "";
      button.setAttribute("aria-disabled", String(n > 0));
    }
    form.addEventListener("change", update);
    form.addEventListener("submit", function (event) {
      if (!count()) return;
      event.preventDefault();
      all("[data-ack]", form).filter(function (box) { return !box.checked; })[0].focus();
    });
    update();
  });

  // ---- "/" and Ctrl+K find settings: pages.js focuses the search of the sidebar ----
  // ---- a rule is tried on records without leaving the form ----
  all("[data-try]").forEach(function (button) {
    button.addEventListener("click", function (event) {
      event.preventDefault();
      var told = $("[data-tried]", button.form);
      fetch(button.formAction, { method: "POST", body: new URLSearchParams(new FormData(button.form)), headers: { "Accept": "text/html" }, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (html) { told.innerHTML = html; }) // the server escapes what people typed
        .catch(function () { told.textContent = ""; });
    });
  });

  // ---- a job that is going on: look again until it is done ----
  if ($("[data-again]")) setTimeout(function () { location.reload(); }, 1500);

  function enhance(root) {
    all("select[data-search]", root).forEach(combo);
    all("[data-formula]", root).forEach(function (box) { window.tabwrightFormula.attach(box); });
  }
  enhance(document);
})();
