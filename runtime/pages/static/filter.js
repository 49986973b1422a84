// The filter builder: rows are the server's; here they are added, taken away, counted and applied.
(function () {
  "use strict";
  var panel = document.getElementById("filter-panel");
  var toggle = document.querySelector("[data-filter-toggle]");
  if (!panel || !toggle) return;
  var href = panel.dataset.href, base = panel.dataset.base, csrf = panel.dataset.csrf;
  var all = function (selector, from) { return Array.prototype.slice.call(from.querySelectorAll(selector)); };
  var element = function (html) { var t = document.createElement("template"); t.innerHTML = html.trim(); return t.content.firstElementChild; };
  var loaded = false, latest = 0, timer, formula = null;

  function get(url) {
    return fetch(url, { credentials: "same-origin", headers: { "HX-Request": "true" } }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    });
  }
  function open(on) {
    panel.hidden = !on;
    toggle.setAttribute("aria-expanded", String(on));
    if (!on) { toggle.focus(); return; }
    if (loaded) { focusFirst(); return; }
    loaded = true;
    get(href + "?where=" + encodeURIComponent(panel.dataset.where)).then(function (html) {
      panel.innerHTML = html; // made by the server, which escapes what people typed
      tidy(); focusFirst(); count();
    }).catch(function () { loaded = false; open(false); });
  }
  function focusFirst() { var first = panel.querySelector("select, input, button"); if (first) first.focus(); }
  toggle.addEventListener("click", function () { open(panel.hidden); });
  all("[data-filter-open]", document).forEach(function (each) { each.addEventListener("click", function () { open(true); }); });

  // ---- the condition that stands in the rows ----
  function values(row) {
    return all("[data-value]", row).filter(function (el) { return el.type !== "checkbox" || el.checked; })
      .map(function (el) { return el.value.trim(); });
  }
  function filled(row) {
    var given = values(row);
    return !row.querySelector(".tw-filter-values").children.length || given.length > 0 && given.every(Boolean);
  }
  function read(group, onlyFilled) {
    var here = Array.prototype.filter.call(group.querySelector(":scope > [data-parts]").children, function (part) {
      return part.hasAttribute("data-group") || !onlyFilled || filled(part);
    });
    var parts = here.map(function (part) {
      if (part.hasAttribute("data-group")) return read(part, onlyFilled);
      return { field: part.querySelector("[data-field]").value, is: part.querySelector("[data-operator]").value, values: values(part) };
    });
    var made = {};
    made[group.querySelector(":scope > .tw-filter-head [data-join]").value] = parts;
    return made;
  }
  function root() { return panel.querySelector("[data-builder] > [data-group]"); }
  function rows() { return all("[data-row]", panel); }
  function tidy() {
    rows().forEach(function (row) {
      all("[data-value]", row).forEach(function (el) { el.removeAttribute("aria-invalid"); });
    });
  }
  function ask(onlyFilled, then) {
    var mine = ++latest, body = new URLSearchParams();
    if (!root()) return;
    body.set("condition", JSON.stringify(read(root(), onlyFilled)));
    fetch(href, { method: "POST", body: body, credentials: "same-origin", headers: { "X-CSRF-Token": csrf, "X-CSRFToken": csrf } })
      .then(function (answer) { return answer.json().then(function (json) { return { ok: answer.ok, json: json }; }); })
      .then(function (answer) { if (mine === latest) then(answer); })
      .catch(function () {});
  }
  function show(answer, strict) {
    var status = panel.querySelector("[data-count]");
    formula = answer.ok ? answer.json.where : null;
    var faults = answer.ok ? [] : answer.json.faults || [];
    rows().filter(function (row) { return strict || filled(row); }).forEach(function (row, index) {
      var fault = faults.filter(function (each) { return each.row === index + 1; })[0];
      var line = row.querySelector("[data-row-fault]"), input = row.querySelector("[data-value]");
      var tell = fault && (strict || row.dataset.touched);
      line.hidden = !tell;
      line.textContent = tell ? fault.text : "";
      if (input) { if (tell) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid"); }
    });
    status.textContent = answer.ok ? answer.json.count : strict && faults.length && !faults[0].row ? faults[0].text : "";
  }
  function count() { clearTimeout(timer); timer = setTimeout(function () { ask(true, function (answer) { show(answer, false); }); }, 250); }
  function go(where) {
    var url = new URL(base, location.href);
    url.searchParams.set("where", where);
    location.assign(url);
  }

  // ---- what people do ----
  panel.addEventListener("change", function (event) {
    var row = event.target.closest("[data-row]");
    if (row && event.target.matches("[data-field], [data-operator]")) { renew(row, event.target.matches("[data-operator]")); return; }
    if (row) row.dataset.touched = "1";
    if (event.target.matches('[type="checkbox"][data-value]')) chosen(event.target.closest("[data-multi]"));
    count();
  });
  panel.addEventListener("input", function (event) { if (!event.target.matches("[data-token-input]")) count(); });
  panel.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.matches("input[data-value]")) { event.preventDefault(); apply(); }
    if (event.key === "Escape" && !event.defaultPrevented && !panel.querySelector("details[open]")) { event.preventDefault(); open(false); }
  });
  panel.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-add-row")) addRow(button.closest("[data-group]"));
    else if (button.hasAttribute("data-add-group")) addGroup(button.closest("[data-group]"));
    else if (button.hasAttribute("data-remove")) removePart(button.parentElement.closest("[data-row]") || button.closest("[data-group]"));
    else if (button.hasAttribute("data-token-remove")) { var tokens = button.closest("[data-tokens]"); button.closest(".tw-chip").remove(); tokens.querySelector("[data-token-input]").focus(); count(); }
    else if (button.hasAttribute("data-close")) open(false);
    else if (button.hasAttribute("data-clear")) go("");
    else if (button.hasAttribute("data-as-formula")) asFormula();
    else if (button.hasAttribute("data-apply")) apply();
  });
  function apply() {
    if (!root()) { open(false); return; }
    ask(false, function (answer) {
      show(answer, true);
      if (answer.ok) { go(answer.json.where); return; }
      var bad = panel.querySelector('[aria-invalid="true"]');
      if (bad) bad.focus();
    });
  }
  function asFormula() {
    var box = document.querySelector("[data-formula-box]");
    box.hidden = false;
    if (formula !== null) box.querySelector("input[name=where]").value = formula;
    open(false);
    box.querySelector("input[name=where]").focus();
  }
  function addRow(group) {
    get(href + "/row").then(function (html) {
      var row = element(html);
      group.querySelector(":scope > [data-parts]").appendChild(row);
      row.querySelector("select").focus();
    });
  }
  function addGroup(group) {
    var made = panel.querySelector("template[data-new-group]").content.firstElementChild.cloneNode(true);
    var depth = Number(group.dataset.depth) + 1;
    made.dataset.depth = depth;
    if (depth > 3) made.querySelector("[data-add-group]").remove();
    group.querySelector(":scope > [data-parts]").appendChild(made);
    addRow(made);
  }
  function removePart(part) {
    var next = part.nextElementSibling || part.previousElementSibling || part.parentElement.parentElement;
    part.remove();
    var focus = next && next.querySelector("select, button");
    if (focus) focus.focus();
    count();
  }
  function renew(row, keep) {
    var query = new URLSearchParams();
    query.set("field", row.querySelector("[data-field]").value);
    if (keep) { query.set("is", row.querySelector("[data-operator]").value); values(row).forEach(function (value) { query.append("value", value); }); }
    get(href + "/row?" + query).then(function (html) {
      var made = element(html);
      row.replaceWith(made);
      made.querySelector("[data-operator]").focus();
      count();
    });
  }

  // ---- several of a picklist ----
  function chosen(multi) {
    var place = multi.querySelector("[data-chosen]");
    place.replaceChildren.apply(place, all("[data-value]:checked", multi).map(function (box) {
      var chip = document.createElement("span");
      chip.className = "tw-chip"; chip.dataset.c = box.dataset.colour;
      chip.textContent = box.parentElement.textContent.trim();
      return chip;
    }));
  }

  // ---- several records ----
  panel.addEventListener("input", function (event) {
    if (event.target.matches("[data-token-input]")) lookUp(event.target);
  });
  panel.addEventListener("focusin", function (event) { if (event.target.matches("[data-token-input]")) lookUp(event.target); });
  panel.addEventListener("focusout", function (event) {
    var box = event.target.closest("[data-tokens]");
    if (box) setTimeout(function () { if (!box.contains(document.activeElement)) close(box); }, 150);
  });
  function close(box) { var menu = box.querySelector(".tw-menu"); if (menu) menu.remove(); box.querySelector("[data-token-input]").setAttribute("aria-expanded", "false"); }
  function lookUp(input) {
    var box = input.closest("[data-tokens]"), mine = box.dataset.asked = String(Number(box.dataset.asked || 0) + 1);
    input.setAttribute("role", "combobox"); input.setAttribute("aria-autocomplete", "list");
    setTimeout(function () {
      if (box.dataset.asked !== mine) return;
      get(box.dataset.tokens + "?q=" + encodeURIComponent(input.value) + "&prefix=tk").then(function (html) {
        if (box.dataset.asked !== mine || document.activeElement !== input) return;
        close(box);
        var menu = document.createElement("div"), list = document.createElement("ul");
        menu.className = "tw-menu"; list.setAttribute("role", "listbox"); list.id = "tk-list";
        list.setAttribute("aria-label", input.getAttribute("aria-label"));
        list.innerHTML = html;
        menu.appendChild(list); box.appendChild(menu);
        input.setAttribute("aria-expanded", "true"); input.setAttribute("aria-controls", "tk-list");
      }).catch(function () {});
    }, 150);
  }
  function take(box, option) {
    var chip = document.createElement("span"), name = document.createElement("span"), hidden = document.createElement("input");
    var remove = document.createElement("button");
    chip.className = "tw-chip is-plain"; name.className = "tw-cut"; name.textContent = option.dataset.name;
    hidden.type = "hidden"; hidden.value = option.dataset.id.replace(/-/g, ""); hidden.setAttribute("data-value", "");
    remove.type = "button"; remove.setAttribute("data-token-remove", ""); remove.setAttribute("aria-label", "× " + option.dataset.name); remove.textContent = "×";
    chip.append(name, hidden, remove);
    box.querySelector("[data-chosen]").appendChild(chip);
    var input = box.querySelector("[data-token-input]");
    input.value = ""; close(box); input.focus(); count();
  }
  panel.addEventListener("mousedown", function (event) {
    var option = event.target.closest('[data-tokens] [role="option"]');
    if (option) { event.preventDefault(); take(option.closest("[data-tokens]"), option); }
  });
  panel.addEventListener("keydown", function (event) {
    if (!event.target.matches("[data-token-input]")) return;
    var box = event.target.closest("[data-tokens]"), options = all('[role="option"]', box);
    var at = options.findIndex(function (each) { return each.getAttribute("aria-selected") === "true"; });
    if ((event.key === "ArrowDown" || event.key === "ArrowUp") && options.length) {
      event.preventDefault();
      if (at >= 0) options[at].setAttribute("aria-selected", "false");
      at = (at + (event.key === "ArrowDown" ? 1 : options.length - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % options.length;
      options[at].setAttribute("aria-selected", "true");
      event.target.setAttribute("aria-activedescendant", options[at].id);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (at >= 0) take(box, options[at]); else if (!event.target.value) apply();
    } else if (event.key === "Escape" && box.querySelector(".tw-menu")) { event.preventDefault(); close(box); }
    else if (event.key === "Backspace" && !event.target.value) {
      var last = all(".tw-chip", box).pop();
      if (last) { last.remove(); count(); }
    }
  });
})();
