// The layout editor: palette, canvas, drag and keys, undo, saving as one goes. The server judges every save.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var root = $("[data-layout]");
  if (!root) return;
  var state = JSON.parse(root.dataset.state), w = state.words, may = state.mayChange;
  var model = new window.TabwrightLayout.Model(state);
  var chosen = { kind: "whole" }, faults = [], seen = state.seen, timer, saving = false, dirty = false, leaving = false, query = "";
  var paper = $("[data-paper]"), related = $("[data-related]"), pieces = $("[data-pieces]"), partsBox = $("[data-parts]");

  // ---- small makers: everything people typed goes in as text ----
  function say(key, params) {
    return w[key].replace(/\{(\w+)\}/g, function (whole, name) { return params && name in params ? params[name] : whole; });
  }
  function el(tag, attrs) {
    var made = document.createElement(tag);
    Object.keys(attrs || {}).forEach(function (key) {
      var value = attrs[key];
      if (value === null || value === undefined || value === false) return;
      if (key === "text") made.textContent = value; else if (key === "on") Object.keys(value).forEach(function (type) { made.addEventListener(type, value[type]); });
      else made.setAttribute(key, value === true ? "" : value);
    });
    Array.prototype.slice.call(arguments, 2).forEach(function (child) { if (child) made.append(child); });
    return made;
  }
  function icon(name, css) {
    var svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), use = document.createElementNS("http://www.w3.org/2000/svg", "use");
    svg.setAttribute("class", "icon " + (css || "")); svg.setAttribute("aria-hidden", "true");
    use.setAttribute("href", state.sprite + "#" + name); svg.append(use);
    return svg;
  }
  function labelOf(labels) { return labels && (labels[state.language] || labels.en || labels.zh) || ""; }
  function sectionName(section) { return labelOf(section.label) || (section.lines && state.related[section.lines.relation] || {}).label || state.heading; }
  function field(name) { return state.fields[name] || { label: name, type: "", icon: "forms", find: name }; }
  function relatedOf(each) { return state.related[each.field] || { label: each.field, fields: [], icon: "list", colour: "grey", through: "" }; }
  function announce(text) { $("[data-said]").textContent = text; }

  // ---- faults stand where they are ----
  function faultsAt(pointer) { return faults.filter(function (each) { return each.at === pointer || each.at.indexOf(pointer + "/") === 0; }); }
  function faultLine(found) {
    return found.length ? el("p", { class: "tw-err lay-err" }, icon("alert-circle"), el("span", { text: found.map(function (each) { return each.text; }).join(" ") })) : null;
  }

  // ---- the page from the model ----
  // What is under a pressed pointer is not drawn anew: its click, or its drag, would be lost. Nor is the page
  // while Tab goes from a control that was changed to the next one: the focus would go nowhere.
  var held = false, dragged = false, due = false;
  function soon() { setTimeout(function () { if (dragged) return; held = false; if (due) redraw(); }, 0); }
  function letGo() { held = dragged = false; if (due) soon(); }
  document.addEventListener("pointerdown", function () { held = true; }, true);
  document.addEventListener("keydown", function (event) { held = event.key === "Tab"; if (held) soon(); }, true);
  document.addEventListener("dragstart", function () { dragged = true; }, true);
  document.addEventListener("click", letGo, true);
  document.addEventListener("dragend", letGo, true);
  ["pointerup", "pointercancel"].forEach(function (name) { document.addEventListener(name, soon, true); });
  // What somebody is typing, or choosing in rows of conditions, is not drawn over: its change draws all of it.
  function redraw() {
    if (!(document.activeElement && document.activeElement.dataset.typed) && !$(".lay-rows:not([hidden])")) render();
  }
  function render() {
    due = held;
    if (held) return;
    var focus = remember();
    drawPieces(); drawSections(); drawRelated(); drawUndo(); window.TabwrightLayout.props(kit);
    if (may) makeSortable();
    if (focus) focus();
  }
  function remember() {
    var active = document.activeElement, key = active && active.dataset ? active.dataset.focus : null;
    if (!key) return null;
    var start = active.selectionStart;
    return function () {
      var found = $('[data-focus="' + CSS.escape(key) + '"]');
      if (!found) return;
      found.focus({ preventScroll: false });
      try { if (start !== undefined && start !== null) found.setSelectionRange(start, start); } catch (ignored) { /* not a text input */ }
    };
  }
  function drawPieces() {
    var names = Object.keys(state.fields).filter(function (name) { return !model.where(name) && ["id", "revision"].indexOf(name) < 0; });
    $("[data-left]").textContent = say("left", { n: names.length });
    var words = query.toLowerCase().split(/\s+/).filter(Boolean);
    var shown = names.filter(function (name) { return words.every(function (word) { return field(name).find.indexOf(word) >= 0; }); });
    pieces.replaceChildren.apply(pieces, shown.map(function (name) {
      var known = field(name);
      return el("button", { type: "button", class: "tw-piece", "data-field": name, "data-focus": "piece:" + name, disabled: !may, on: { click: function () { add(name); } } },
        icon("grip-vertical", "tw-grip"), icon(known.icon, "icon-14"), el("span", { class: "tw-cut", text: known.label }), el("small", { text: known.type }));
    }));
    if (!shown.length && words.length) pieces.append(el("p", { class: "tw-hint", text: w.all_placed }));
    if (!partsBox) return;
    var parts = [el("button", { type: "button", class: "tw-piece", "data-new-section": true, "data-focus": "new-section", on: { click: addSection } }, icon("plus", "icon-14"), el("span", { class: "tw-cut", text: w.another_section }))];
    var used = model.doc.related.map(function (each) { return each.field; });
    Object.keys(state.related).filter(function (key) { return used.indexOf(key) < 0; }).forEach(function (key) {
      var known = state.related[key];
      parts.push(el("button", { type: "button", class: "tw-piece", "data-new-related": key, "data-focus": "rel:" + key, on: { click: function () { addRelated(key); } } },
        icon("plus", "icon-14"), el("span", { class: "tw-cut", text: say("related", { name: known.label }) }), el("small", { class: "tw-cut", text: known.through })));
    });
    var tabled = model.doc.sections.map(function (each) { return each.lines && each.lines.relation; });
    Object.keys(state.related).filter(function (key) { return tabled.indexOf(key) < 0 && state.related[key].cells.length; }).forEach(function (key) {
      var known = state.related[key];
      parts.push(el("button", { type: "button", class: "tw-piece", "data-new-lines": key, "data-focus": "lines:" + key, on: { click: function () { addLines(key); } } },
        icon("table", "icon-14"), el("span", { class: "tw-cut", text: say("lines", { name: known.label }) }), el("small", { class: "tw-cut", text: known.through })));
    });
    partsBox.replaceChildren.apply(partsBox, parts);
  }
  function isChosen(kind, key) { return chosen.kind === kind && chosen.key === key; }
  function grip(name, key, step) {
    if (!may) return null;
    return el("button", { type: "button", class: "lay-grip", "data-grip": true, "data-focus": "grip:" + key, "aria-label": say("handle", { name: name }), title: say("handle", { name: name }), on: { keydown: function (event) { keys(event, step); } } }, icon("grip-vertical", "tw-grip"));
  }
  function keys(event, step) {
    var by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (!by || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    step(by);
  }
  function drawSections() {
    paper.replaceChildren.apply(paper, model.doc.sections.map(function (section, s) {
      var found = faultsAt("/sections/" + s), name = sectionName(section), columns = model.columns(section);
      var own = found.filter(function (each) { return each.at.indexOf("/sections/" + s + "/fields/") !== 0; });
      var slots = el("div", { class: "tw-slots", "data-columns": columns, "data-slots": s, "data-empty": section.fields.length || section.lines ? null : w.empty_section });
      section.fields.forEach(function (entry, f) { slots.append(slot(entry, s, f, columns)); });
      return el("section", { class: "tw-slotsec", "data-section": s, "aria-label": name },
        el("header", { class: isChosen("section", s) ? "is-chosen" : null }, grip(name, "section:" + s, function (by) { stepPart("sections", s, by, name); }),
          el("button", { type: "button", class: "lay-head", "aria-pressed": String(isChosen("section", s)), "data-focus": "section:" + s, on: { click: function () { choose("section", s); } } }, el("h2", { text: name }),
            el("span", { class: "tw-hint", text: say(columns === 1 ? "column" : "columns", { n: columns }) }), section.collapsed ? el("span", { class: "tw-tag", text: w.collapsed }) : null)),
        faultLine(own), slots, section.lines ? linesPart(section.lines, s) : null);
    }));
  }
  function linesPart(lines, s) {
    var known = state.related[lines.relation] || { label: lines.relation, cells: [], icon: "table" }, names = lines.columns.map(function (each) { return (known.cells.filter(function (one) { return one[0] === each.field; })[0] || [0, each.field])[1]; });
    return el("button", { type: "button", class: "lay-lines", "aria-pressed": String(isChosen("lines", s)), "data-focus": "table:" + s, on: { click: function () { choose("lines", s); } } },
      icon("table", "icon-14"), el("b", { text: say("lines", { name: known.label }) }), el("small", { text: names.join(" · ") }), lines.visible ? icon("eye-cog", "icon-14") : null);
  }
  function slot(entry, s, f, columns) {
    var known = field(entry.field), found = faultsAt("/sections/" + s + "/fields/" + f), span = known.wide ? columns : Math.min(entry.span || 1, columns);
    var marks = el("span", { class: "lay-marks tw-3" });
    if (entry.visible) marks.append(icon("eye-cog", "icon-14"), el("span", { class: "tw-sr", text: w.visible }));
    if (entry.required_when || entry.read_only_when || entry.offered_when) marks.append(icon("git-branch", "icon-14"), el("span", { class: "tw-sr", text: w.conditions }));
    if (entry.read_only || known.readOnly) marks.append(icon("lock", "icon-14"), el("span", { class: "tw-sr", text: w.read_only }));
    return el("div", { class: "tw-slot lay-slot" + (found.length ? " has-fault" : "") + (known.isNew ? " is-new" : ""), "data-field": entry.field, "data-span": span, "aria-pressed": null, "data-chosen": isChosen("field", entry.field) ? "true" : null },
      grip(known.label, "field:" + entry.field, function (by) { stepField(entry.field, by); }),
      el("button", { type: "button", class: "lay-pick", "aria-pressed": String(isChosen("field", entry.field)), "data-focus": "field:" + entry.field, on: { click: function () { choose("field", entry.field); } } },
        el("b", {}, el("span", { text: known.label }), entry.required || known.required ? el("span", { class: "tw-req", text: "*", title: w.required }) : null),
        el("small", { text: known.isNew ? w.new_field + " · " + known.type : known.type }), faultLine(found)), marks);
  }
  function drawRelated() {
    related.replaceChildren.apply(related, model.doc.related.map(function (each, r) {
      var known = relatedOf(each), name = labelOf(each.label) || known.label, found = faultsAt("/related/" + r);
      return el("section", { class: "tw-slotsec", "data-related-at": r, "aria-label": say("related", { name: name }) },
        el("header", { class: isChosen("related", r) ? "is-chosen" : null }, grip(name, "related:" + each.field, function (by) { stepPart("related", r, by, name); }),
          el("span", { class: "tw-objicon is-sm", "data-c": known.colour }, icon(known.icon)),
          el("button", { type: "button", class: "lay-head", "aria-pressed": String(isChosen("related", r)), "data-focus": "related:" + each.field, on: { click: function () { choose("related", r); } } },
            el("h2", { text: say("related", { name: name }) }), el("span", { class: "tw-hint", text: each.columns ? say(each.columns.length === 1 ? "column" : "columns", { n: each.columns.length }) : w.none }))), faultLine(found));
    }));
  }
  function drawUndo() {
    var undo = $("[data-undo]"), redo = $("[data-redo]");
    if (undo) undo.setAttribute("aria-disabled", String(!model.done.length));
    if (redo) redo.setAttribute("aria-disabled", String(!model.undone.length));
  }

  // ---- verbs of the page ----
  function changed(did) { if (did) { dirty = true; status(w.saving); later(); } render(); return did; }
  function choose(kind, key) { chosen = { kind: kind, key: key }; render(); }
  function place() { // where something new goes: after what is chosen, else at the end of the last section
    var at = chosen.kind === "field" ? model.where(chosen.key) : null;
    if (at) return [at[0], at[1] + 1];
    var s = chosen.kind === "section" && model.doc.sections[chosen.key] ? chosen.key : model.doc.sections.length - 1;
    return [s, model.doc.sections[s].fields.length];
  }
  function add(name) {
    var at = place(), next = pieces.querySelector('[data-field="' + CSS.escape(name) + '"]').nextElementSibling;
    model.put(name, at[0], at[1]);
    chosen = { kind: "field", key: name };
    changed(true); tell(name);
    var focus = next && $('[data-focus="' + CSS.escape(next.dataset.focus || "") + '"]') || $("[data-focus]", pieces);
    if (focus) focus.focus();
  }
  function tell(name) {
    var at = model.where(name);
    if (at) announce(say("moved", { name: field(name).label, section: sectionName(model.doc.sections[at[0]]), n: at[1] + 1, of: model.doc.sections[at[0]].fields.length }));
  }
  function stepField(name, by) { if (changed(model.step(name, by))) tell(name); }
  function stepPart(list, at, by, name) {
    if (!model.move(list, at, at + by)) return;
    if (chosen.kind === (list === "sections" ? "section" : "related") && chosen.key === at) chosen.key = at + by;
    changed(true);
    var key = list === "sections" ? "section:" + (at + by) : "related:" + model.doc.related[at + by].field;
    var focus = $('[data-focus="grip:' + CSS.escape(key) + '"]');
    if (focus) focus.focus();
    announce(say("moved_part", { name: name, n: at + by + 1, of: model.doc[list].length }));
  }
  function sectionPlace() { // where a new section goes: after the one in which one is, else at the end
    var at = chosen.kind === "field" ? (model.where(chosen.key) || [])[0] : chosen.kind === "section" || chosen.kind === "lines" ? chosen.key : undefined;
    return model.doc.sections[at] ? at + 1 : model.doc.sections.length;
  }
  function addSection() {
    var label = {};
    label[state.language] = w.new_section; // the other language is not guessed: it shows this one until it has its own
    var at = sectionPlace();
    model.change(function (doc) { doc.sections.splice(at, 0, { label: label, columns: 2, fields: [] }); });
    chosen = { kind: "section", key: at };
    changed(true);
    var input = $('[data-focus="label:' + state.language + '"]');
    if (input) { input.focus(); input.select(); }
  }
  function addLines(key) {
    var at = sectionPlace(), known = state.related[key], wanted = known.cells.filter(function (one) { return one[4] && one[0] !== "owner" && ["created_at", "created_by", "updated_at", "updated_by", "record_type"].indexOf(one[0]) < 0; }).slice(0, 5);
    model.change(function (doc) { doc.related = doc.related.filter(function (each) { return each.field !== key; }); /* one place is enough */ doc.sections.splice(at, 0, { columns: 2, fields: [], lines: { relation: key, columns: (wanted.length ? wanted : known.cells.slice(0, 1)).map(function (one) { return { field: one[0] }; }) } }); });
    chosen = { kind: "lines", key: at };
    changed(true);
    announce(say("lines", { name: known.label }));
  }
  function addRelated(key) {
    model.change(function (doc) { doc.related.push({ field: key }); });
    chosen = { kind: "related", key: model.doc.related.length - 1 };
    changed(true);
  }
  function removeField(name) {
    var at = model.where(name);
    if (!at) return;
    model.change(function (doc) { doc.sections[at[0]].fields.splice(at[1], 1); });
    announce(say("removed", { name: field(name).label }));
    chosen = { kind: "section", key: at[0] };
    changed(true);
    var focus = $('[data-focus="section:' + at[0] + '"]');
    if (focus) focus.focus();
  }

  // ---- drag: the order that the page shows after a drop is the order of the model ----
  function makeSortable() {
    var many = { animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140, ghostClass: "is-dropping" };
    function sortable(list, more) { if (window.Sortable) { if (list.sortable) list.sortable.destroy(); list.sortable = window.Sortable.create(list, Object.assign({}, many, more)); } }
    sortable(pieces, { group: { name: "fields", pull: true, put: true }, sort: false, draggable: "[data-field]", onEnd: dropped });
    all("[data-slots]", paper).forEach(function (list) { sortable(list, { group: "fields", draggable: "[data-field]", onEnd: dropped }); });
    sortable(paper, { handle: "header", draggable: "[data-section]", onEnd: function (event) { movedPart("sections", event); } });
    sortable(related, { handle: "header", draggable: "[data-related-at]", onEnd: function (event) { movedPart("related", event); } });
  }
  function movedPart(list, event) {
    letGo();
    var did = model.move(list, event.oldDraggableIndex, event.newDraggableIndex);
    if (did) chosen = { kind: list === "sections" ? "section" : "related", key: event.newDraggableIndex };
    changed(did);
  }
  function dropped(event) {
    letGo();
    var name = event.item.dataset.field, to = event.to.dataset.slots;
    if (to === undefined) { if (event.from !== event.to) removeField(name); else render(); return; }
    var order = all(":scope > [data-field]", event.to).map(function (each) { return each.dataset.field; });
    var at = order.indexOf(name), from = model.where(name), inside = from && from[0] === +to && from[1] < at;
    event.item.remove();
    var did = model.put(name, +to, inside ? at + 1 : at);
    chosen = { kind: "field", key: name };
    changed(did); tell(name);
  }

  // ---- saving ----
  function status(text, css) { var line = $("[data-status]"); line.textContent = text; line.className = "tw-13 lay-status " + (css || "tw-2"); }
  function later(ms) { clearTimeout(timer); timer = setTimeout(save, ms || 400); }
  function save() {
    if (saving) { later(); return; }
    var body = new URLSearchParams({ _csrf: root.dataset.csrf, seen: seen, document: JSON.stringify(model.document()) }), sent = model.snapshot();
    if (model.types) body.set("types", model.types.join(" "));
    saving = true; status(w.saving);
    fetch("/studio/layouts/" + state.name, { method: "POST", body: body, credentials: "same-origin", headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.json().then(function (json) { return { status: answer.status, json: json }; }); })
      .then(function (answer) { saving = false; judged(answer, sent); })
      .catch(function () { saving = false; status(w.offline, "tw-down"); later(4000); });
  }
  function judged(answer, sent) {
    var json = answer.json;
    faults = json.faults || [];
    if (faults.length) leaving = false; // what is not saved is not published
    if (answer.status === 200) {
      seen = json.seen; dirty = model.snapshot() !== sent;
      if (dirty) later(); else { status(w.saved); if (leaving) publishing.submit(); }
      var count = $("[data-draft-count]");
      if (count) count.textContent = json.count;
    } else if (answer.status === 409 && json.seen !== undefined && json.seen !== seen) {
      $("[data-conflict-text]").textContent = w.conflict;
      $("[data-conflict]").hidden = false;
      $("[data-conflict]").dataset.seen = json.seen;
      status(w.conflict, "tw-down");
    } else {
      if (!json.faults) { status(json.error && json.error.message || w.offline, "tw-down"); return; }
      status(say("faults", { n: faults.length }) + faults.filter(function (each) { return !each.at; }).map(function (each) { return " " + each.text; }).join(""), "tw-down");
    }
    redraw();
  }
  root.addEventListener("input", function (event) { if (event.target.matches("textarea, input:not([type=checkbox])")) event.target.dataset.typed = "1"; });
  root.addEventListener("change", function (event) { delete event.target.dataset.typed; }, true);
  $("[data-theirs]").addEventListener("click", function () { dirty = false; location.reload(); });
  $("[data-mine]").addEventListener("click", function () { seen = $("[data-conflict]").dataset.seen; $("[data-conflict]").hidden = true; save(); });
  window.addEventListener("beforeunload", function (event) { if (dirty) event.preventDefault(); });
  var publishing = $("[data-publish-form]");
  if (publishing) publishing.addEventListener("submit", function (event) { if (dirty) { event.preventDefault(); leaving = true; clearTimeout(timer); save(); } });

  // ---- undo, redo, width, search ----
  function turn(way) { var did = model[way](); if (did) { if (chosen.kind !== "whole") chosen = { kind: "whole" }; changed(true); } }
  document.addEventListener("keydown", function (event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || !may) return;
    if (event.target.matches("input:not([type=checkbox]), textarea")) return; // what is being typed is undone by the browser
    event.preventDefault();
    turn(event.shiftKey ? "redo" : "undo");
  });
  if ($("[data-undo]")) { $("[data-undo]").addEventListener("click", function () { turn("undo"); }); $("[data-redo]").addEventListener("click", function () { turn("redo"); }); }
  all("[data-width]").forEach(function (button) {
    button.addEventListener("click", function () {
      all("[data-width]").forEach(function (each) { each.setAttribute("aria-pressed", String(each === button)); });
      root.classList.toggle("is-phone", button.dataset.width === "phone");
    });
  });
  $("[data-whole]").addEventListener("click", function () { choose("whole"); });
  $("[data-find-field]").addEventListener("input", function (event) { query = event.target.value; drawPieces(); });

  var kit = {
    state: state, words: w, model: model, say: say, el: el, icon: icon, box: $("[data-props]"), may: may, field: field, relatedOf: relatedOf, sectionName: sectionName,
    chosen: function () { return chosen; }, choose: choose, changed: changed, faultsAt: faultsAt, faultLine: faultLine, removeField: removeField, stepField: stepField, stepPart: stepPart, tell: tell, csrf: root.dataset.csrf
  };
  render();
})();
