// Conditions in rows, wherever they stand ([data-builder]): rows are the server's; here they are added, taken away
// and read. A change tells the page by the event "tw:conditions".
(function () {
  "use strict";
  var all = function (selector, from) { return Array.prototype.slice.call(from.querySelectorAll(selector)); };
  var element = function (html) { var t = document.createElement("template"); t.innerHTML = html.trim(); return t.content.firstElementChild; };
  var builderOf = function (el) { return el.closest("[data-builder]"); };

  function get(url) {
    return fetch(url, { credentials: "same-origin", headers: { "HX-Request": "true" } }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    });
  }
  function changed(el) { var at = builderOf(el); if (at) at.dispatchEvent(new CustomEvent("tw:conditions", { bubbles: true })); }

  // ---- what stands in the rows ----
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
  function root(builder) { return builder.querySelector(":scope > [data-group]"); }
  function rows(builder) { return all("[data-row]", builder); }
  // The faults of the server stand at their rows; with ``strict`` also at rows that nobody has touched.
  function tell(builder, faults, strict) {
    rows(builder).filter(function (row) { return strict || filled(row); }).forEach(function (row, index) {
      var fault = faults.filter(function (each) { return each.row === index + 1; })[0];
      var line = row.querySelector("[data-row-fault]"), input = row.querySelector("[data-value]");
      var shows = fault && (strict || row.dataset.touched);
      line.hidden = !shows;
      line.textContent = shows ? fault.text : "";
      if (input) { if (shows) input.setAttribute("aria-invalid", "true"); else input.removeAttribute("aria-invalid"); }
    });
  }

  // ---- what people do ----
  document.addEventListener("change", function (event) {
    if (!builderOf(event.target)) return;
    var row = event.target.closest("[data-row]");
    if (row && event.target.matches("[data-field], [data-operator]")) { renew(row, event.target.matches("[data-operator]")); return; }
    if (row) row.dataset.touched = "1";
    if (event.target.matches('[type="checkbox"][data-value]')) chosen(event.target.closest("[data-multi]"));
    changed(event.target);
  });
  document.addEventListener("input", function (event) {
    if (!builderOf(event.target)) return;
    if (event.target.matches("[data-token-input]")) lookUp(event.target); else changed(event.target);
  });
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button || !builderOf(button)) return;
    if (button.hasAttribute("data-add-row")) addRow(button.closest("[data-group]"));
    else if (button.hasAttribute("data-add-group")) addGroup(button.closest("[data-group]"));
    else if (button.hasAttribute("data-remove")) removePart(button.parentElement.closest("[data-row]") || button.closest("[data-group]"));
    else if (button.hasAttribute("data-token-remove")) { var tokens = button.closest("[data-tokens]"); button.closest(".tw-chip").remove(); tokens.querySelector("[data-token-input]").focus(); changed(tokens); }
  });
  function addRow(group) {
    return get(builderOf(group).dataset.href + "/row").then(function (html) {
      var row = element(html);
      group.querySelector(":scope > [data-parts]").appendChild(row);
      row.querySelector("select").focus();
    });
  }
  function addGroup(group) {
    var holder = builderOf(group).parentElement.closest("section, form, dialog");
    var made = holder.querySelector("template[data-new-group]").content.firstElementChild.cloneNode(true);
    var depth = Number(group.dataset.depth) + 1;
    made.dataset.depth = depth;
    if (depth > 3) made.querySelector("[data-add-group]").remove();
    group.querySelector(":scope > [data-parts]").appendChild(made);
    addRow(made);
  }
  function removePart(part) {
    var at = builderOf(part), next = part.nextElementSibling || part.previousElementSibling || part.parentElement.parentElement;
    part.remove();
    var focus = next && next.querySelector("select, button");
    if (focus) focus.focus();
    changed(at.firstElementChild || at);
  }
  // The row as it is for another field or comparison. The arrows of a keyboard go through every choice between:
  // only the last answer counts, and the focus stays where it is.
  function renew(row, keep) {
    var query = new URLSearchParams(), mine = row.dataset.asked = String(Number(row.dataset.asked || 0) + 1);
    query.set("field", row.querySelector("[data-field]").value);
    if (keep) { query.set("is", row.querySelector("[data-operator]").value); values(row).forEach(function (value) { query.append("value", value); }); }
    get(builderOf(row).dataset.href + "/row?" + query).then(function (html) {
      if (row.dataset.asked !== mine) return;
      var made = element(html);
      swap(row, made, keep);
      changed(made);
    });
  }
  // What was typed into the row while the server answered goes along.
  function swap(row, made, keep) {
    var at = ["[data-field]", "[data-operator]"].filter(function (each) { return row.querySelector(each) === document.activeElement; })[0];
    var next = at && made.querySelector(at), fresh = keep ? typed(made) : [];
    typed(row).forEach(function (input, nth) {
      if (!fresh[nth] || fresh[nth].type !== input.type) return;
      fresh[nth].value = input.value;
      if (input === document.activeElement) next = fresh[nth];
    });
    row.replaceWith(made);
    if (next) next.focus();
  }
  function typed(row) {
    return all("[data-value]", row).filter(function (each) { return !each.matches("select, [type='checkbox'], [type='radio'], [type='hidden']"); });
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
  document.addEventListener("focusin", function (event) {
    if (builderOf(event.target) && event.target.matches("[data-token-input]")) lookUp(event.target);
  });
  document.addEventListener("focusout", function (event) {
    var box = builderOf(event.target) && event.target.closest("[data-tokens]");
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
    input.value = ""; close(box); input.focus(); changed(box);
  }
  document.addEventListener("mousedown", function (event) {
    var option = event.target.closest('[data-builder] [data-tokens] [role="option"]');
    if (option) { event.preventDefault(); take(option.closest("[data-tokens]"), option); }
  });
  document.addEventListener("keydown", function (event) {
    if (!event.target.matches("[data-builder] [data-token-input]")) return;
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
      if (at >= 0) take(box, options[at]);
      else if (!event.target.value) builderOf(box).dispatchEvent(new CustomEvent("tw:apply", { bubbles: true }));
    } else if (event.key === "Escape" && box.querySelector(".tw-menu")) { event.preventDefault(); close(box); }
    else if (event.key === "Backspace" && !event.target.value) {
      var last = all(".tw-chip", box).pop();
      if (last) { last.remove(); changed(box); }
    }
  });

  // ---- one condition that an editor keeps as a formula: its rows in a box of their own ----
  // on: href (the builder's address), where (the formula), csrf, apply(formula), shut(), words unsaid and offline
  function edit(box, on) {
    function failed() { var line = document.createElement("p"); line.className = "tw-err"; line.textContent = on.offline; box.hidden = false; box.replaceChildren(line); }
    box.hidden = false; // from now on nothing is drawn over it
    get(on.href + "?where=" + encodeURIComponent(on.where)).then(function (html) {
      box.innerHTML = html; // the server escapes what people typed
      ["[data-as-formula]", "[data-clear]"].forEach(function (each) { box.querySelector(each).hidden = true; }); // the formula stands beside it
      var builder = box.querySelector("[data-builder]"), count = box.querySelector("[data-count]"), latest = 0;
      box.querySelector("[data-apply]").hidden = !root(builder);
      (box.querySelector("select") || box.querySelector("[data-close]")).focus();
      function ask(onlyFilled) {
        var body = new URLSearchParams({ _csrf: on.csrf, condition: JSON.stringify(read(root(builder), onlyFilled)) });
        return fetch(on.href, { method: "POST", body: body, credentials: "same-origin" })
          .then(function (answer) { return answer.json().then(function (json) { return { ok: answer.ok, json: json }; }); })
          .catch(function () { return { ok: false, json: { faults: [] }, away: true }; });
      }
      function show(answer, strict) { tell(builder, answer.ok ? [] : answer.json.faults || [], strict); count.textContent = answer.ok ? answer.json.count : answer.away ? on.offline : strict ? on.unsaid : ""; }
      function look() { var mine = ++latest; ask(true).then(function (answer) { if (mine === latest) show(answer, false); }); }
      function write() { latest++; ask(false).then(function (answer) { if (answer.ok) on.apply(answer.json.where); else show(answer, true); }); }
      function shut() { box.hidden = true; box.replaceChildren(); on.shut(); }
      builder.addEventListener("tw:conditions", look);
      builder.addEventListener("tw:apply", write);
      box.onclick = function (event) {
        var pressed = event.target.closest("button");
        if (pressed && pressed.hasAttribute("data-apply")) write();
        else if (pressed && pressed.hasAttribute("data-close")) shut();
      };
      box.onkeydown = function (event) {
        if (event.key === "Enter" && event.target.matches("input[data-value]")) { event.preventDefault(); write(); }
        else if (event.key === "Escape" && !event.defaultPrevented) { event.preventDefault(); shut(); }
      };
      if (root(builder)) look();
    }).catch(failed);
  }

  window.tabwrightConditions = { edit: edit, get: get, read: read, root: root, rows: rows, tell: tell, addRow: addRow };
})();
