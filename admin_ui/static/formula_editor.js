// The editor of formulas: a textarea becomes a CodeMirror with completion, squiggles, a picker of fields and
// functions, rows where it is a condition, and a trial on a record. What a formula means is the server's to say;
// here it is only cut into tokens for colours. Without this script the textarea stands as it is.
(function () {
  "use strict";
  var script = document.currentScript, loading = null;
  var $ = function (selector, from) { return from.querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call(from.querySelectorAll(selector)); };
  function later(call, ms) { var timer; return function () { clearTimeout(timer); timer = setTimeout(call, ms); }; }
  function el(name, attributes, text) {
    var made = document.createElement(name);
    Object.keys(attributes || {}).forEach(function (key) { made.setAttribute(key, attributes[key]); });
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function library() {
    loading = loading || new Promise(function (done, failed) {
      var tag = el("script", { src: script.dataset.editor });
      tag.onload = function () { done(window.CodeMirror); };
      tag.onerror = failed;
      document.head.appendChild(tag);
    });
    return loading;
  }

  // ---- tokens: the same cuts as formula/lexer.py ----
  var TOKEN = /(\/\*[^]*?(?:\*\/|$))|("(?:[^"\\\r\n]|\\.)*"?|'(?:[^'\\\r\n]|\\.)*'?)|(\d+(?:\.\d+)?|\.\d+)|(\$?[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*(?:[.:#]{1,2}[\w$\u0080-\uffff]+)*\.?)|(&&|\|\||<=|>=|<>|!=|==|[=<>+\-*\/^&!])|([(),])/g;
  var WIDE = /[\uff00-\uffef\u3000-\u303f\u2018-\u201d]/; // signs, no letters
  function tokens(text) {
    var found = [], match;
    TOKEN.lastIndex = 0;
    while ((match = TOKEN.exec(text))) {
      var kind = ["comment", "string", "number", "name", "operator", "bracket"][match.slice(1).findIndex(function (each) { return each !== undefined; })];
      if (kind === "name" && /^(true|false|null|not)$/i.test(match[0])) kind = "keyword";
      found.push({ kind: kind, text: match[0], from: match.index, to: match.index + match[0].length });
    }
    return found;
  }
  function language(cm) {
    var kinds = { comment: "blockComment", string: "string", number: "number", operator: "operator", keyword: "keyword", bracket: "paren", name: "variableName", "function": "function" };
    return cm.StreamLanguage.define({
      startState: function () { return { comment: false }; },
      token: function (stream, state) {
        if (state.comment || stream.match("/*")) { // comments go over lines
          state.comment = !stream.match(/^.*?\*\//);
          if (state.comment) stream.skipToEnd();
          return "blockComment";
        }
        if (stream.eatSpace()) return null;
        var rest = tokens(stream.string.slice(stream.pos))[0];
        if (!rest || rest.from > 0 || WIDE.test(rest.text[0])) { stream.next(); return null; }
        stream.pos += rest.text.length;
        return kinds[rest.kind === "name" && /^\s*\(/.test(stream.string.slice(stream.pos)) ? "function" : rest.kind];
      },
      tokenTable: { "function": cm.tags.function(cm.tags.variableName) }
    });
  }
  function colours(cm) {
    var t = cm.tags;
    return cm.syntaxHighlighting(cm.tagHighlighter([
      { tag: t.function(t.variableName), "class": "tok-function" }, { tag: t.variableName, "class": "tok-field" },
      { tag: t.string, "class": "tok-string" }, { tag: t.number, "class": "tok-number" }, { tag: t.operator, "class": "tok-operator" },
      { tag: t.keyword, "class": "tok-keyword" }, { tag: t.blockComment, "class": "tok-comment" }]));
  }

  // ---- one editor ----
  // box holds the textarea and [data-check]; of an editor that is no component's form it says data-kind, data-object
  // and data-key (what the condition is called in the document).
  function attach(box) {
    var area = $("textarea", box), template = document.getElementById("formula-tools"), form = area.form;
    if (box.dataset.attached || !template || !form && !box.dataset.kind) return;
    if (!box.dataset.kind && !form.dataset.component) return;
    box.dataset.attached = "1";
    listen(box, area);
    if (area.matches(":disabled")) return;
    var fx = template.content.firstElementChild.cloneNode(true);
    area.after(fx);
    library().then(function (cm) { new Editor(cm, box, area, fx); }).catch(function () { fx.remove(); });
  }

  // A copy of a row has a plain textarea again, before it gets an editor of its own.
  function plain(box) {
    var fx = $(".st-fx", box), told = $("[data-check]", box), area = $("textarea", box);
    if (told) { told.textContent = ""; box.appendChild(told); }
    if (fx) fx.remove();
    area.hidden = false; area.removeAttribute("tabindex");
    delete box.dataset.attached; delete box.dataset.edited;
  }

  // What the server is told about the formula, whatever it is asked.
  function question(box, area) {
    var form = area.form, data;
    if (box.dataset.kind) {
      data = new URLSearchParams({ kind: box.dataset.kind, object: box.dataset.object, check: box.dataset.key, text: area.value });
      data.set("_csrf", box.dataset.csrf || ($("[name=_csrf]", document) || {}).value || "");
    } else {
      data = new URLSearchParams(new FormData(form));
      data.set("check", area.name); data.set("object", form.dataset.object || ""); data.set("kind", form.dataset.component);
    }
    return data;
  }
  function ask(path, data) {
    return fetch("/studio/" + path, { method: "POST", body: data, headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer; });
  }

  // The check, which works on the textarea alone; who has an editor listens to "tw:checked".
  function listen(box, area) {
    var told = $("[data-check]", box), asked = 0;
    if (!told) { told = el("div", { "class": "st-check", role: "status", "data-check": "" }); box.appendChild(told); }
    var check = later(function () {
      var mine = ++asked;
      if (!area.value.trim()) { told.textContent = ""; box.dispatchEvent(new CustomEvent("tw:checked")); return; }
      ask("check", question(box, area)).then(function (answer) { return answer.text(); }).then(function (html) {
        if (mine !== asked) return;
        told.innerHTML = html; // the server escapes what people typed
        box.dispatchEvent(new CustomEvent("tw:checked"));
      }).catch(function () {});
    }, 300);
    area.addEventListener("input", check);
    if (area.value.trim()) check();
    told.addEventListener("click", function (event) {
      var button = event.target.closest("[data-put]");
      if (button) box.dispatchEvent(new CustomEvent("tw:put", { detail: place(area, button) }));
    });
    box.addEventListener("tw:put", function (event) {
      if (box.dataset.edited) return;
      area.setRangeText(event.detail.text, event.detail.from, event.detail.to, "end");
      area.focus();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    });
  }
  // The server counts from the first character that is no space.
  function place(area, mark) {
    var before = area.value.length - area.value.trimStart().length, from = before + +mark.dataset.from;
    return { from: from, to: Math.min(from + +mark.dataset.over, area.value.length), text: mark.dataset.put };
  }

  function Editor(cm, box, area, fx) {
    var self = this;
    this.cm = cm; this.box = box; this.area = area; this.fx = fx; this.known = {}; this.words = fx.dataset;
    this.view = new cm.EditorView({ state: this.state(), parent: $("[data-fx-code]", fx) });
    this.takePlace();
    this.syncing = false;
    ["input", "change"].forEach(function (name) { // somebody else wrote into the textarea: rows, an undo
      area.addEventListener(name, function () {
        if (!self.syncing && area.value !== self.text()) self.write(area.value);
      });
    });
    if (area.form) area.form.addEventListener("change", function () { self.known = {}; }); // other fields, other names
    box.addEventListener("tw:checked", function () { self.squiggle(); self.tryAgain(); });
    box.addEventListener("tw:put", function (event) { self.put(event.detail.text, event.detail.from, event.detail.to); });
    this.tools();
    this.squiggle();
  }
  Editor.prototype.text = function () { return this.view.state.doc.toString(); };
  Editor.prototype.write = function (text) { this.view.dispatch({ changes: { from: 0, to: this.view.state.doc.length, insert: text } }); };
  Editor.prototype.put = function (text, from, to, cursor) {
    this.view.dispatch({ changes: { from: from, to: to, insert: text }, selection: { anchor: cursor === undefined ? from + text.length : cursor }, scrollIntoView: true, userEvent: "input" });
    this.view.focus();
  };
  // At the cursor, with a space before it where two words would run together.
  Editor.prototype.insert = function (text, back) {
    var range = this.view.state.selection.main, before = this.view.state.sliceDoc(0, range.from);
    var full = (before && !/[\s(!,.]$/.test(before) ? " " : "") + text;
    this.put(full, range.from, range.to, range.from + full.length - (back || 0));
  };

  Editor.prototype.state = function () {
    var cm = this.cm, self = this, area = this.area, name = area.getAttribute("aria-label"), label = area.labels && area.labels[0];
    var attributes = { spellcheck: "false", autocapitalize: "none", autocorrect: "off" };
    if (area.id) attributes.id = area.id;
    if (label) { label.id = label.id || area.id + "-l"; attributes["aria-labelledby"] = label.id; }
    else if (name) attributes["aria-label"] = name;
    ["aria-describedby", "aria-invalid"].forEach(function (each) { if (area.hasAttribute(each)) attributes[each] = area.getAttribute(each); });
    return cm.EditorState.create({
      doc: area.value,
      extensions: [
        cm.history(), cm.EditorView.lineWrapping, cm.bracketMatching(), language(cm), colours(cm),
        cm.autocompletion({ override: [function (context) { return self.complete(context); }], icons: false, maxRenderedOptions: 60, interactionDelay: 0 }),
        cm.keymap.of([{ key: "Tab", run: function (view) { return cm.acceptCompletion(view) || cm.completionStatus(view.state) === "active"; } }, { key: "F8", run: cm.nextDiagnostic }, { key: "Mod-.", run: function () { return self.takeFix(); } }].concat(cm.defaultKeymap, cm.historyKeymap)),
        cm.EditorView.contentAttributes.of(attributes),
        cm.EditorView.updateListener.of(function (update) {
          if (update.docChanged) self.changed();
          if (update.docChanged || update.selectionSet || update.focusChanged) self.sign();
        }),
        cm.EditorView.domEventHandlers({
          blur: function () { area.dispatchEvent(new Event("change", { bubbles: true })); },
          keydown: function (event) { // what Esc closes inside stays inside
            if (event.key === "Escape" && cm.completionStatus(self.view.state)) event.stopPropagation();
          }
        })
      ]
    });
  };
  // The editor stands where the textarea stood; that goes on holding what the form posts.
  Editor.prototype.takePlace = function () {
    var area = this.area, view = this.view, label = area.labels && area.labels[0];
    area.hidden = true; area.tabIndex = -1;
    if (label) {
      label.removeAttribute("for");
      label.addEventListener("click", function () { view.focus(); });
    }
    area.removeAttribute("id");
    this.box.dataset.edited = "1";
    $("[data-fx-sign]", this.fx).after($("[data-check]", this.box)); // what is wrong stands right below
    if (document.activeElement === area) view.focus();
  };
  Editor.prototype.changed = function () {
    this.syncing = true;
    this.area.value = this.text();
    this.area.dispatchEvent(new Event("input", { bubbles: true }));
    this.syncing = false;
  };

  // ---- faults ----
  Editor.prototype.squiggle = function () {
    var self = this, size = this.view.state.doc.length, area = this.area;
    if (area.value !== this.text()) return;
    var found = all("[data-fault]", $("[data-check]", this.box)).map(function (line) {
      var button = $("[data-put]", line), at = place(area, line);
      var from = Math.min(at.from, size), to = Math.max(at.to, from);
      if (from === to && from === size && from > 0) from -= 1; // something is missing at the end
      else if (from === to) to = Math.min(to + 1, size);
      var fix = button && { name: button.textContent, apply: function () { self.put(button.dataset.put, at.from, at.to); } };
      return { from: from, to: to, severity: "warns" in line.dataset ? "warning" : "error", message: $("[data-said]", line).textContent, actions: fix ? [fix] : [] };
    });
    var told = JSON.stringify([area.value, found]);
    if (told === this.told) return; // drawn again it would shut what stands over it
    this.told = told;
    this.view.dispatch(this.cm.setDiagnostics(this.view.state, found));
  };
  Editor.prototype.takeFix = function () {
    var at = this.view.state.selection.main.head, first = null, here = null;
    this.cm.forEachDiagnostic(this.view.state, function (each, from, to) {
      if (!each.actions.length) return;
      first = first || each;
      if (from <= at && at <= to) here = here || each;
    });
    if (here || first) (here || first).actions[0].apply();
    return true;
  };

  // ---- completion ----
  // {names, functions} behind a path; asked for once, until another input of the form changes. within: the relation
  // whose children are spoken of.
  Editor.prototype.behind = function (path, within) {
    var known = this.known, data = question(this.box, this.area);
    data.set("path", path.join(".")); data.set("within", within || "");
    var key = data.get("within") + ":" + data.get("path");
    known[key] = known[key] || ask("complete", data).then(function (answer) { return answer.json(); }).catch(function () { delete known[key]; return { names: [], functions: [] }; });
    return known[key];
  };
  function fits(find, word) { return find.indexOf(word) >= 0; }
  function rank(name, label, find, word) { // the nearer the better
    name = name.toLowerCase(); label = label.toLowerCase();
    if (name === word || label === word) return 0;
    if (name.indexOf(word) === 0 || label.indexOf(word) === 0) return 1;
    return find.split(" ").some(function (each) { return each.indexOf(word) === 0; }) ? 2 : 3;
  }
  Editor.prototype.complete = function (context) {
    var self = this, pos = context.pos;
    var token = tokens(context.state.doc.toString()).filter(function (each) { return each.from < pos && pos <= each.to; })[0];
    if (token && (token.kind === "string" || token.kind === "comment" || token.kind === "number")) return null;
    if (token && token.kind !== "name" && token.kind !== "keyword") token = null;
    if (!token && !context.explicit) return null;
    var typed = token ? context.state.sliceDoc(token.from, pos) : "", steps = typed.toLowerCase().split("."), word = steps.pop();
    return this.within(pos).then(function (within) { return self.behind(steps, within); }).then(function (found) {
      if (context.aborted) return null;
      var options = found.names.filter(function (each) { return fits(each.find, word); }).map(function (each) {
        return { label: each.name, displayLabel: each.label, detail: each.name, type: "field", boost: -rank(each.name, each.label, each.find, word), info: function () { return self.aboutName(each, steps); } };
      });
      (found.functions || []).filter(function (each) { return word && fits(each.name.toLowerCase(), word); }).forEach(function (each) {
        options.push({ label: each.name, detail: each.usage, type: "function", boost: -rank(each.name, "", each.name.toLowerCase(), word) - 0.5, info: function () { return self.aboutFunction(each); }, apply: function (view, _, from, to) { self.putCall(each, from, to); } });
      });
      options.sort(function (a, b) { return b.boost - a.boost; });
      options.forEach(function (each) { delete each.boost; });
      return options.length ? { from: pos - word.length, options: options, filter: false } : null;
    });
  };
  Editor.prototype.putCall = function (each, from, to) {
    var text = each.name + "()", after = this.view.state.sliceDoc(to, to + 1) === "(";
    if (after) this.put(each.name, from, to);
    else this.put(text, from, to, from + text.length - (each.usage ? 1 : 0));
  };
  Editor.prototype.aboutName = function (each, steps) {
    var made = el("div");
    made.append(el("b", {}, each.label), el("p", { "class": "tw-2" }, each.type), el("p", { "class": "tw-hint tw-mono" }, steps.concat(each.name).join(".")));
    return made;
  };
  Editor.prototype.aboutFunction = function (each) {
    var made = el("div");
    made.append(el("b", { "class": "tw-mono" }, each.name + "(" + each.usage + ")"), el("p", {}, each.says));
    if (each.example) { var line = el("p", { "class": "tw-hint" }, this.words.example + " "); line.appendChild(el("code", { "class": "tw-mono" }, each.example)); made.appendChild(line); }
    return made;
  };
  // The calls that are open at a place, the innermost last: function, argument, and what the first argument begins with.
  Editor.prototype.calls = function (pos) {
    var open = [], before = null;
    tokens(this.text()).forEach(function (each) {
      if (each.to > pos || each.kind === "comment") return;
      var call = open[open.length - 1];
      if (call && call.first === null) call.first = each.kind === "name" ? each.text : "";
      if (each.text === "(") open.push({ name: before && before.kind === "name" ? before.text.toUpperCase() : "", at: 0, first: null });
      else if (each.text === ")") open.pop();
      else if (each.text === "," && call) call.at++;
      before = each;
    });
    return open;
  };
  // The relation whose children are spoken of at a place: behind the first argument of a function about children.
  Editor.prototype.within = function (pos) {
    var calls = this.calls(pos).filter(function (each) { return each.at > 0 && each.first; });
    if (!calls.length) return Promise.resolve("");
    return this.behind([]).then(function (found) {
      var over = (found.functions || []).filter(function (each) { return each.over; }).map(function (each) { return each.name; });
      var relations = found.names.filter(function (each) { return each.children; }).map(function (each) { return each.name; });
      var call = calls.filter(function (each) { return over.indexOf(each.name) >= 0 && relations.indexOf(each.first.toLowerCase()) >= 0; }).pop();
      return call ? call.first : "";
    });
  };
  // The signature of the call that the cursor stands in, its argument marked.
  Editor.prototype.sign = function () {
    var line = $("[data-fx-sign]", this.fx);
    if (!this.view.hasFocus) { line.hidden = true; return; }
    var call = this.calls(this.view.state.selection.main.head).pop();
    if (!call || !call.name) { line.hidden = true; return; }
    this.behind([]).then(function (found) {
      var known = (found.functions || []).filter(function (each) { return each.name === call.name; })[0];
      line.hidden = !known;
      if (!known) return;
      var parts = known.usage ? known.usage.split(/,\s*/) : [], repeats = parts[parts.length - 1] === "...";
      var at = repeats ? Math.min(call.at, parts.length - 1) : call.at;
      line.replaceChildren(known.name + "(");
      parts.forEach(function (part, n) { line.append(n ? ", " : "", n === at ? el("mark", {}, part) : part); });
      line.append(") ", el("span", { "class": "tw-3" }, known.says));
    });
  };

  // ---- the tools ----
  Editor.prototype.tools = function () {
    var self = this, fx = this.fx, rows = $("[data-fx-rows]", fx);
    all("[data-fx-pick]", fx).forEach(function (button) { button.addEventListener("click", function () { self.pick(button); }); });
    $("[data-fx-tidy]", fx).addEventListener("click", function () {
      ask("tidy", new URLSearchParams({ _csrf: question(self.box, self.area).get("_csrf"), text: self.text() })).then(function (answer) { return answer.json(); }).then(function (answer) {
        if (answer.text !== self.text()) self.write(answer.text);
        self.view.focus();
      }).catch(function () {});
    });
    rows.hidden = !(this.box.dataset.rows && window.tabwrightConditions && this.about());
    if (this.area.form) this.area.form.addEventListener("change", function () { rows.hidden = !(self.box.dataset.rows && window.tabwrightConditions && self.about()); });
    rows.addEventListener("click", function () { self.openRows(rows); });
    $("[data-fx-try]", fx).addEventListener("click", function (event) { self.openTrial(event.currentTarget); });
    this.trialTools();
  };
  // The object whose fields the condition names: the form's own, the one that a lookup leads to, or whose records
  // hang on this one ("deal.account" are deals).
  Editor.prototype.about = function () {
    if (this.box.dataset.kind) return this.box.dataset.object;
    if (!this.area.form) return ""; // its row was taken away
    var inputs = this.area.form.elements, target = inputs.namedItem("/options/target"), relation = inputs.namedItem("/options/relation");
    if (this.box.dataset.rows === "target") return target && target.value;
    return this.box.dataset.rows === "relation" ? relation && relation.value.split(".")[0] : this.area.form.dataset.object;
  };
  Editor.prototype.openRows = function (button) {
    var self = this, panel = $("[data-fx-builder]", this.fx);
    function shut() { panel.hidden = true; panel.replaceChildren(); button.setAttribute("aria-expanded", "false"); button.focus(); }
    if (!panel.hidden) { shut(); return; }
    button.setAttribute("aria-expanded", "true");
    window.tabwrightConditions.edit(panel, {
      href: "/studio/filter/" + this.about(), where: this.text(), csrf: question(this.box, this.area).get("_csrf"), unsaid: this.words.unsaid, offline: this.words.offline, shut: shut,
      apply: function (formula) { self.write(formula); shut(); }
    });
  };

  // A list of names or functions to choose from, by mouse or by the arrow keys.
  Editor.prototype.pick = function (button) {
    var self = this, picker = $("[data-fx-picker]", this.fx), what = button.dataset.fxPick, input = $("input", picker), list = $("ul", picker);
    var at = -1, path = [], shown = [], up = $("[data-fx-up]", picker);
    var open = button.getAttribute("aria-expanded") === "true";
    all("[data-fx-pick]", this.fx).forEach(function (each) { each.setAttribute("aria-expanded", "false"); });
    function shut() { picker.hidden = true; button.setAttribute("aria-expanded", "false"); }
    if (open) { shut(); return; }
    button.setAttribute("aria-expanded", "true");
    picker.hidden = false; picker.setAttribute("aria-label", button.textContent.trim());
    list.id = list.id || "fx" + Math.random().toString(36).slice(2); list.setAttribute("aria-label", button.textContent.trim());
    input.setAttribute("aria-controls", list.id); input.value = "";
    function mark(n) {
      at = n;
      all('[role="option"]', list).forEach(function (each, i) { each.setAttribute("aria-selected", String(i === n)); if (i === n) { each.scrollIntoView({ block: "nearest" }); input.setAttribute("aria-activedescendant", each.id); } });
      if (n < 0) input.removeAttribute("aria-activedescendant");
      var each = shown[n];
      $("[data-fx-says]", picker).replaceChildren(each ? what === "names" ? self.aboutName(each, path) : self.aboutFunction(each) : "");
    }
    function fill() {
      self.within(self.view.state.selection.main.head).then(function (within) { return self.behind(path, within); }).then(function (found) {
        var word = input.value.trim().toLowerCase();
        shown = (found[what] || []).filter(function (each) { return !word || fits(what === "names" ? each.find : each.name.toLowerCase() + " " + each.says.toLowerCase(), word); });
        if (word) shown.sort(function (a, b) { return rank(a.name, a.label || "", a.find || "", word) - rank(b.name, b.label || "", b.find || "", word); });
        list.replaceChildren.apply(list, shown.map(function (each, n) {
          var item = el("li", { role: "option", id: list.id + "-" + n, "aria-selected": "false", "data-n": n }, each.label || each.name);
          item.appendChild(el("small", { "class": "tw-mono" }, what === "names" ? each.name : each.usage));
          if (each.leads) item.appendChild(el("span", { "class": "st-fxinto", "data-fx-into": "", title: list.dataset.into }, "›"));
          return item;
        }));
        if (!shown.length) list.appendChild(el("li", { "class": "tw-hint", role: "option", "aria-disabled": "true" }, self.words.none));
        up.hidden = !path.length; $("[data-fx-at]", picker).textContent = path.length ? path.join(".") + "." : "";
        mark(shown.length ? 0 : -1);
      });
    }
    function into(each) { path.push(each.name); input.value = ""; fill(); input.focus(); }
    function out() { path.pop(); input.value = ""; fill(); input.focus(); }
    function take(each) {
      shut();
      if (what === "names") self.insert(path.concat(each.name).join("."));
      else self.insert(each.name + "()", each.usage ? 1 : 0);
    }
    input.oninput = fill;
    input.onkeydown = function (event) {
      var end = input.selectionStart === input.value.length;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") { event.preventDefault(); if (shown.length) mark((at + (event.key === "ArrowDown" ? 1 : shown.length - 1)) % shown.length); }
      else if (event.key === "Enter") { event.preventDefault(); if (shown[at]) take(shown[at]); }
      else if (event.key === "ArrowRight" && end && shown[at] && shown[at].leads) { event.preventDefault(); into(shown[at]); }
      else if ((event.key === "ArrowLeft" || event.key === "Backspace") && !input.value && path.length) { event.preventDefault(); out(); }
      else if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); shut(); button.focus(); }
    };
    list.onmousedown = function (event) { event.preventDefault(); };
    list.onclick = function (event) {
      var item = event.target.closest("[data-n]"), each = item && shown[+item.dataset.n];
      if (each && event.target.closest("[data-fx-into]")) into(each); else if (each) take(each);
    };
    list.onmousemove = function (event) { var item = event.target.closest("[data-n]"); if (item && +item.dataset.n !== at) mark(+item.dataset.n); };
    up.onclick = out;
    $("[data-fx-shut]", picker).onclick = function () { shut(); button.focus(); };
    fill(); input.focus();
  };

  // ---- the trial ----
  Editor.prototype.openTrial = function (button) {
    var panel = $("[data-fx-trial]", this.fx);
    panel.hidden = !panel.hidden;
    button.setAttribute("aria-expanded", String(!panel.hidden));
    if (panel.hidden) return;
    this.tryNow();
    $("[data-fx-find]", panel).focus();
  };
  Editor.prototype.tryAgain = function () { if (!$("[data-fx-trial]", this.fx).hidden) this.tryNow(); };
  Editor.prototype.tryNow = function () {
    var self = this, data = question(this.box, this.area), mine = this.tried = (this.tried || 0) + 1;
    data.set("find", $("[data-fx-find]", this.fx).value); data.set("record", this.record || "");
    ask("trial", data).then(function (answer) { return answer.text(); }).then(function (html) {
      if (mine === self.tried) $("[data-fx-found]", self.fx).innerHTML = html; // the server escapes what people typed
    }).catch(function () {});
  };
  Editor.prototype.trialTools = function () {
    var self = this, panel = $("[data-fx-trial]", this.fx), find = $("[data-fx-find]", panel);
    var soon = later(function () { self.record = ""; self.tryNow(); }, 250);
    find.addEventListener("input", function (event) { event.stopPropagation(); soon(); });
    find.addEventListener("change", function (event) { event.stopPropagation(); });
    find.addEventListener("keydown", function (event) { if (event.key === "Enter") event.preventDefault(); });
    panel.addEventListener("click", function (event) {
      var record = event.target.closest("[data-record]"), step = event.target.closest("[data-select]"), put = event.target.closest("[data-put]");
      if (record) {
        self.record = record.dataset.record;
        all("[data-record]", panel).forEach(function (each) { each.setAttribute("aria-pressed", String(each === record)); });
        self.tryNow();
      } else if (put) { var at = place(self.area, put); self.put(at.text, at.from, at.to); }
      else if (step) {
        var before = self.area.value.length - self.area.value.trimStart().length, from = before + +step.dataset.select;
        self.view.dispatch({ selection: { anchor: from, head: from + +step.dataset.over }, scrollIntoView: true });
        self.view.focus();
      }
    });
  };

  // ---- a formula of an editor that redraws itself: the editor opens by itself, and what it leaves is written back ----
  // on: kind, object, key, text, title, csrf, apply(text)
  function edit(on) {
    var dialog = document.getElementById("formula-dialog"), body = $(".tw-dialog-body", dialog), opener = document.activeElement;
    var box = el("div", { "class": "st-formula", "data-kind": on.kind, "data-object": on.object, "data-key": on.key, "data-rows": "object", "data-csrf": on.csrf || "" });
    var area = el("textarea", { "class": "form-control tw-mono", rows: 6, "aria-label": on.title, spellcheck: "false" });
    area.value = on.text;
    box.appendChild(area);
    body.replaceChildren(box);
    $("h2", dialog).textContent = on.title;
    function shut() { dialog.close(); body.replaceChildren(); if (opener && opener.isConnected) opener.focus(); }
    dialog.onclick = function (event) {
      var button = event.target.closest("button");
      if (!button) return;
      if (button.hasAttribute("data-fx-cancel")) shut();
      else if (button.hasAttribute("data-fx-apply")) { var text = area.value.trim(); shut(); on.apply(text); }
    };
    dialog.oncancel = function (event) { event.preventDefault(); shut(); }; // Esc, where nothing inside took it
    dialog.showModal();
    attach(box);
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-fx-open]"), holder = button && button.closest("[data-fx-of]"), input = holder && $("textarea, input.tw-mono", holder);
    if (!input) return;
    edit({
      kind: holder.dataset.kind, object: holder.dataset.object, key: holder.dataset.key, text: input.value, title: holder.dataset.fxOf,
      apply: function (text) {
        input.value = text;
        ["input", "change"].forEach(function (name) { input.dispatchEvent(new Event(name, { bubbles: true })); });
      }
    });
  });
  document.documentElement.classList.add("has-fx");

  window.tabwrightFormula = { attach: attach, edit: edit, plain: plain };
})();
