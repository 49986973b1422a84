// The properties of what is chosen in the layout editor: a field, a section, a related list, the layout.
(function () {
  "use strict";
  var count = 0;
  function line(kit, title, input) {
    var id = "lp" + ++count;
    input.id = id;
    return kit.el("div", { class: "tw-f" }, kit.el("label", { for: id, text: title }), input);
  }
  function text(kit, title, focus, value, set) {
    return line(kit, title, kit.el("input", { class: "form-control form-control-sm", value: value || "", "data-focus": focus, maxlength: 200, autocomplete: "off", disabled: !kit.may, on: { change: function (event) { set(event.target.value.trim()); } } }));
  }
  function select(kit, title, focus, options, value, set) {
    var input = kit.el("select", { class: "form-select form-select-sm", "data-focus": focus, disabled: !kit.may, on: { change: function (event) { set(event.target.value); } } });
    options.forEach(function (each) { input.append(kit.el("option", { value: each[0], text: each[1], selected: String(each[0]) === String(value) })); });
    return line(kit, title, input);
  }
  function check(kit, title, focus, value, set) {
    return kit.el("label", { class: "tw-check st-checkline" }, kit.el("input", { type: "checkbox", class: "form-check-input", checked: !!value, "data-focus": focus, disabled: !kit.may, on: { change: function (event) { set(event.target.checked); } } }), kit.el("span", { text: title }));
  }
  function button(kit, title, focus, act, sign, css) {
    return kit.el("button", { type: "button", class: "btn btn-sm " + (css || ""), "data-focus": focus, on: { click: act } }, sign ? kit.icon(sign) : null, title);
  }
  function head(kit, sign, title, hint) {
    return kit.el("header", {}, kit.el("div", { class: "tw-row" }, kit.icon(sign), kit.el("h2", { class: "tw-h16", text: title })), hint ? kit.el("p", { class: "tw-hint", text: hint }) : null);
  }
  function labels(kit, target) {
    return ["zh", "en"].map(function (language) {
      return text(kit, kit.words["label_" + language], "label:" + language, (target.label || {})[language], function (value) { kit.changed(kit.model.setLabel(target, language, value)); });
    });
  }
  function columnWord(kit, n) { return kit.say(n === 1 ? "column" : "columns", { n: n }); }

  function ofField(kit, name) {
    var model = kit.model, entry = model.entry(name), known = kit.field(name), at = model.where(name), section = model.doc.sections[at[0]], el = kit.el, w = kit.words;
    var set = function (key) { return function (value) { kit.changed(model.set(entry, key, value)); }; };
    var spans = [];
    for (var n = 1; n <= model.columns(section); n++) spans.push([n, columnWord(kit, n)]);
    var own = kit.faultsAt("/sections/" + at[0] + "/fields/" + at[1]);
    var moves = [];
    model.doc.sections.forEach(function (each, s) {
      each.fields.forEach(function (other, f) { if (other.field !== name) moves.push([s + ":" + f, kit.say("before", { field: kit.field(other.field).label })]); });
      moves.push([s + ":" + each.fields.length, kit.say("at_end", { section: kit.sectionName(each) })]);
    });
    return [head(kit, known.icon, known.label, name + " · " + known.type),
      el("div", {}, kit.faultLine(own),
        known.wide ? el("p", { class: "tw-hint", text: w.wide }) : select(kit, w.span, "span", spans, entry.span || 1, function (value) { kit.changed(model.set(entry, "span", +value > 1 ? +value : null)); }),
        known.readOnly || known.system ? null : check(kit, w.required, "required", entry.required, set("required")),
        known.readOnly || known.system || entry.required || entry.read_only ? null : folded(kit, w.required_when, entry.required_when, condition(kit, entry, "required_when", w.required_when, w.required_when_hint, w.when_clear)),
        check(kit, w.read_only, "read_only", entry.read_only, set("read_only")),
        known.readOnly || known.system || entry.read_only ? null : folded(kit, w.read_only_when, entry.read_only_when, condition(kit, entry, "read_only_when", w.read_only_when, w.read_only_when_hint, w.when_clear)),
        known.values.length && !entry.read_only ? folded(kit, w.offered_when, entry.offered_when, offered(kit, entry, known)) : null,
        el("h3", { text: w.visible }), condition(kit, entry, "visible", w.visible, w.visible_hint, w.visible_clear),
        kit.may ? el("h3", { text: w.position }) : null,
        kit.may ? el("div", { class: "tw-row tw-gap-2" }, button(kit, w.up, "up", function () { kit.stepField(name, -1); }, "arrow-up"), button(kit, w.down, "down", function () { kit.stepField(name, 1); }, "arrow-down")) : null,
        kit.may ? moveTo(kit, name, moves) : null,
        kit.may ? button(kit, w.remove, "remove", function () { kit.removeField(name); }, "trash", "btn-quiet btn-sealtext") : null,
        known.href ? el("a", { class: "btn btn-quiet btn-sm", href: known.href, "data-focus": "settings" }, kit.icon("settings"), w.settings) : null)];
  }

  // Arrow keys walk through the places without going to any: the button goes.
  function moveTo(kit, name, places) {
    var chosen = select(kit, kit.words.move_to, "move", [["", "—"]].concat(places), "", function () {}), input = chosen.querySelector("select");
    var go = button(kit, kit.words.move, "move-go", function () {
      var to = input.value.split(":");
      if (!input.value) { input.focus(); return; }
      if (kit.changed(kit.model.put(name, +to[0], +to[1]))) kit.tell(name);
    }, "arrow-right");
    var row = kit.el("div", { class: "tw-row tw-gap-4" });
    input.replaceWith(row); row.append(input, go);
    return chosen;
  }

  // ---- a condition: a formula, and rows that say the same ----
  // ``at``: what it is called in the entry; ``inside``: the code that it is about, of a map of conditions.
  function condition(kit, entry, at, title, hint, clear, inside) {
    var el = kit.el, w = kit.words, box = el("div", { class: "lay-condition" }), first = at === "visible" && !inside;
    var focus = inside ? at + ":" + inside : at, now = (inside ? (entry[at] || {})[inside] : entry[at]) || "";
    function put(formula) { kit.changed(inside ? kit.model.setIn(entry, at, inside, formula) : kit.model.set(entry, at, formula)); }
    var area = el("textarea", { class: "form-control form-control-sm tw-mono", rows: inside ? 1 : 3, spellcheck: "false", "aria-label": title, "data-focus": focus, disabled: !kit.may, on: { change: function () { put(area.value.trim()); } } });
    area.value = now;
    var rows = el("div", { class: "lay-rows tw-builder", hidden: true });
    box.append(area);
    if (hint) box.append(el("p", { class: "tw-hint", text: hint }));
    if (!kit.may) return box;
    var open = first ? "as-rows" : "as-rows:" + focus;
    box.append(el("div", { class: "tw-row tw-wrap tw-gap-2" }, button(kit, w.as_rows, open, function () { openRows(kit, rows, area.value, put, open); }, "list"),
      button(kit, w.formula_open, first ? "formula" : "formula:" + focus, function () { openFormula(kit, area.value, at, title, put); }, "math-function"),
      now ? button(kit, clear, first ? "always" : "always:" + focus, function () { put(null); }, "x", "btn-quiet") : null), rows);
    return box;
  }
  function openFormula(kit, formula, at, title, apply) {
    window.tabwrightFormula.edit({ kind: "layout", object: kit.state.object, key: at, text: formula, title: title, csrf: kit.csrf, apply: function (text) { apply(text || null); } });
  }
  // A condition that few fields have stands folded, open where there is one.
  function folded(kit, title, open, inside) {
    return kit.el("details", { class: "lay-when", open: !!open }, kit.el("summary", { text: title }), inside);
  }
  function offered(kit, entry, known) {
    var all = kit.el("div", { class: "tw-stack tw-stack-2" }, kit.el("p", { class: "tw-hint", text: kit.words.offered_hint }));
    known.values.forEach(function (each) {
      all.append(kit.el("b", { class: "tw-13", text: each[1] }), condition(kit, entry, "offered_when", kit.say("offered_of", { value: each[1] }), "", kit.words.offered_clear, each[0]));
    });
    return all;
  }
  // The rows are those of every filter (conditions.js); applied, they are the formula.
  function openRows(kit, box, formula, apply, opener) {
    window.tabwrightConditions.edit(box, {
      href: "/studio/filter/" + kit.state.object, where: formula, csrf: kit.csrf, unsaid: kit.words.rows_unsaid, offline: kit.words.offline, apply: apply,
      shut: function () { var again = kit.box.querySelector('[data-focus="' + opener + '"]'); if (again) again.focus(); }
    });
  }

  function ofSection(kit, s) {
    var section = kit.model.doc.sections[s], el = kit.el, w = kit.words, columns = [1, 2, 3, 4].map(function (n) { return [n, columnWord(kit, n)]; });
    var body = el("div", {}, kit.faultLine(kit.faultsAt("/sections/" + s)));
    labels(kit, section).forEach(function (each) { body.append(each); });
    body.append(select(kit, w.columns_label, "columns", columns, kit.model.columns(section), function (value) { kit.changed(kit.model.setColumns(section, +value)); }),
      check(kit, w.collapsed, "collapsed", section.collapsed, function (value) { kit.changed(kit.model.set(section, "collapsed", value)); }));
    if (kit.may) body.append(moves(kit, "sections", s, kit.sectionName(section)), kit.model.doc.sections.length > 1 ? button(kit, w.remove_section, "remove", function () { kit.model.remove("sections", s); kit.choose("whole"); kit.changed(true); }, "trash", "btn-quiet btn-sealtext") : "");
    return [head(kit, "layout", kit.sectionName(section)), body];
  }
  // ---- a table of lines: its columns with their order, what they ask for, how many rows, sums ----
  function ofLines(kit, s) {
    var lines = kit.model.doc.sections[s].lines, known = kit.state.related[lines.relation] || { label: lines.relation, cells: [], icon: "table", through: "" }, el = kit.el, w = kit.words;
    var body = el("div", {}, kit.faultLine(kit.faultsAt("/sections/" + s + "/lines"))), model = kit.model;
    function set(key) { return function (value) { kit.changed(model.set(lines, key, value)); }; }
    function placed(name) { return lines.columns.map(function (each) { return each.field; }).indexOf(name); }
    var columns = el("fieldset", { class: "tw-f lay-columns" }, el("legend", { class: "tw-label", text: w.list_columns }));
    var order = lines.columns.map(function (each) { return each.field; }).concat(known.cells.map(function (one) { return one[0]; }).filter(function (one) { return placed(one) < 0; }));
    order.forEach(function (name) {
      var cell = known.cells.filter(function (one) { return one[0] === name; })[0], title = cell ? cell[1] : name, at = placed(name), entry = lines.columns[at];
      var row = el("div", { class: "lay-col" }, check(kit, title, "cell:" + name, at >= 0, function (value) {
        kit.changed(model.change(function () {
          if (value) lines.columns.push({ field: name }); else if (lines.columns.length > 1) lines.columns.splice(at, 1);
          if (!value && lines.totals) { lines.totals = lines.totals.filter(function (one) { return one !== name; }); if (!lines.totals.length) delete lines.totals; }
          if (value && lines.position === name) delete lines.position;
        }));
      }));
      if (kit.may && at >= 0) {
        var must = button(kit, "", "must:" + name, function () { kit.changed(model.set(entry, "required", !entry.required)); }, "checklist", "btn-quiet btn-icon");
        must.setAttribute("aria-label", w.required + " " + title); must.setAttribute("aria-pressed", String(!!entry.required)); must.title = w.required;
        row.append(must);
        if (cell && cell[2]) {
          var sum = button(kit, "", "sum:" + name, function () {
            kit.changed(model.change(function () {
              var totals = lines.totals || [], on = totals.indexOf(name);
              if (on < 0) lines.totals = totals.concat(name); else { totals.splice(on, 1); if (!totals.length) delete lines.totals; }
            }));
          }, "sum", "btn-quiet btn-icon");
          sum.setAttribute("aria-label", w.lines_total + " " + title); sum.setAttribute("aria-pressed", String((lines.totals || []).indexOf(name) >= 0)); sum.title = w.lines_total;
          row.append(sum);
        }
        if (at > 0) {
          var up = button(kit, "", "cellup:" + name, function () { kit.changed(model.change(function () { lines.columns.splice(at - 1, 0, lines.columns.splice(at, 1)[0]); })); }, "arrow-up", "btn-quiet btn-icon");
          up.setAttribute("aria-label", w.up + " " + title); row.append(up);
        }
      }
      columns.append(row);
    });
    var whole = known.cells.filter(function (one) { return one[3] && placed(one[0]) < 0; }).map(function (one) { return [one[0], one[1]]; });
    function number(title, key, least) {
      var made = text(kit, title, key, lines[key], function (value) { kit.changed(model.set(lines, key, /^\d+$/.test(value) && +value >= least ? +value : null)); });
      made.querySelector("input").inputMode = "numeric";
      return made;
    }
    body.append(columns, select(kit, w.lines_position, "position", [["", w.lines_unordered]].concat(whole), lines.position || "", set("position")), el("p", { class: "tw-hint", text: w.lines_position_hint }),
      number(w.lines_min, "min", 1), number(w.lines_max, "max", 1), el("h3", { text: w.visible }), condition(kit, lines, "visible", w.visible, w.visible_hint, w.visible_clear));
    if (kit.may) body.append(moves(kit, "sections", s, kit.sectionName(model.doc.sections[s])), button(kit, w.remove, "remove", function () {
      model.change(function (doc) { if (doc.sections[s].fields.length || doc.sections.length === 1) delete doc.sections[s].lines; else doc.sections.splice(s, 1); });
      kit.choose("whole"); kit.changed(true);
    }, "trash", "btn-quiet btn-sealtext"));
    return [head(kit, "table", kit.say("lines", { name: known.label }), known.through), body];
  }
  function moves(kit, list, at, name) {
    return kit.el("div", { class: "tw-row tw-gap-2 lay-moves" }, button(kit, kit.words.up, "up", function () { kit.stepPart(list, at, -1, name); }, "arrow-up"), button(kit, kit.words.down, "down", function () { kit.stepPart(list, at, 1, name); }, "arrow-down"));
  }
  function ofRelated(kit, r) {
    var each = kit.model.doc.related[r], known = kit.relatedOf(each), el = kit.el, w = kit.words, body = el("div", {}, kit.faultLine(kit.faultsAt("/related/" + r)));
    labels(kit, each).forEach(function (one) { body.append(one); });
    var given = each.columns || [], order = typeof each.order === "string" ? [each.order, "asc"] : (each.order || [])[0] || ["", "asc"];
    var set = el("fieldset", { class: "tw-f lay-columns" }, el("legend", { class: "tw-label", text: w.list_columns + (given.length ? "" : " " + w.none) }));
    var names = given.concat(known.fields.map(function (one) { return one[0]; }).filter(function (one) { return given.indexOf(one) < 0; }));
    names.forEach(function (path) {
      var found = known.fields.filter(function (one) { return one[0] === path; })[0], title = found ? found[1] : path, on = given.indexOf(path);
      var box = check(kit, title, "col:" + path, on >= 0, function (value) {
        var next = given.filter(function (one) { return one !== path; });
        if (value) next.push(path);
        kit.changed(kit.model.set(each, "columns", next.length ? next : null));
      });
      box.querySelector("input").addEventListener("keydown", function (event) {
        var by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
        if (!event.altKey || !by || on < 0 || on + by < 0 || on + by >= given.length) return;
        event.preventDefault();
        var next = given.slice(); next.splice(on, 1); next.splice(on + by, 0, path);
        kit.changed(kit.model.set(each, "columns", next));
      });
      var arrow = kit.may && on > 0 ? button(kit, "", "colup:" + path, function () { var next = given.slice(); next.splice(on, 1); next.splice(on - 1, 0, path); kit.changed(kit.model.set(each, "columns", next)); }, "arrow-up", "btn-quiet btn-icon") : null;
      if (arrow) arrow.setAttribute("aria-label", w.up + " " + title);
      set.append(el("div", { class: "lay-col" }, box, arrow));
    });
    var way = function (name, direction) { kit.changed(kit.model.set(each, "order", name ? [[name, direction]] : null)); };
    body.append(set, select(kit, w.sort, "sort", [["", w.none]].concat(known.fields), order[0], function (value) { way(value, order[1]); }));
    body.append(select(kit, w.related_rows, "rows", [5, 10, 20, 50].map(function (n) { return [n, String(n)]; }), each.rows || 5, function (value) { kit.changed(kit.model.set(each, "rows", +value === 5 ? null : +value)); }));
    if (order[0]) body.append(select(kit, w.position, "way", [["asc", w.ascending], ["desc", w.descending]], order[1], function (value) { way(order[0], value); }));
    if (kit.may) body.append(moves(kit, "related", r, known.label), button(kit, w.remove, "remove", function () { kit.model.remove("related", r); kit.choose("whole"); kit.changed(true); }, "trash", "btn-quiet btn-sealtext"));
    return [head(kit, known.icon, kit.say("related", { name: known.label }), known.through), body];
  }
  function ofWhole(kit) {
    var body = kit.el("div", {}), given = document.querySelector("template[data-types]");
    labels(kit, kit.model.doc).forEach(function (each) { body.append(each); });
    body.append(check(kit, kit.words.attachments, "attachments", kit.model.doc.attachments !== false, function (value) {
      kit.changed(kit.model.change(function (doc) { if (value) delete doc.attachments; else doc.attachments = false; }));
    }));
    body.append(given.content.cloneNode(true));
    var boxes = Array.prototype.slice.call(body.querySelectorAll("[data-type]"));
    boxes.forEach(function (each) {
      if (kit.model.types) each.checked = kit.model.types.indexOf(each.value) >= 0;
      each.disabled = !kit.may;
      each.dataset.focus = "type:" + each.value;
      each.addEventListener("change", function () {
        var chosen = boxes.filter(function (one) { return one.checked; }).map(function (one) { return one.value; });
        kit.changed(kit.model.change(function () { kit.model.types = chosen; }));
      });
    });
    return [head(kit, "layout", kit.words.whole, kit.state.name), body];
  }
  window.TabwrightLayout.props = function (kit) {
    var chosen = kit.chosen(), made;
    if (chosen.kind === "field" && kit.model.where(chosen.key)) made = ofField(kit, chosen.key);
    else if (chosen.kind === "section" && kit.model.doc.sections[chosen.key]) made = ofSection(kit, chosen.key);
    else if (chosen.kind === "lines" && (kit.model.doc.sections[chosen.key] || {}).lines) made = ofLines(kit, chosen.key);
    else if (chosen.kind === "related" && kit.model.doc.related[chosen.key]) made = ofRelated(kit, chosen.key);
    else made = ofWhole(kit);
    kit.box.replaceChildren.apply(kit.box, made);
  };
})();
