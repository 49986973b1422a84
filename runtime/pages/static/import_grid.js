// The rows of an import that want to be put right: moves like a spreadsheet, saves what was typed row by row.
// The server answers with the rows as it shows them. Without scripts the same form is sent by its button.
(function () {
  "use strict";
  var form = document.querySelector("form[data-grid]");
  if (!form) return;
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var CELL = "[data-column]", card = form.closest(".tw-badrows"), body = $("tbody", form);
  var steps = [], anchor = null, busy = false, timer = 0;
  card.classList.add("is-live");

  function rowOf(input) { return input.closest("tr"); }
  function keyOf(input) { return rowOf(input).dataset.row + "." + input.dataset.column; }
  function inputAt(key) { return $('[name="cell.' + key + '"]', form); }
  function cells(row) { return all(CELL, row).filter(function (each) { return each.offsetParent && !each.disabled; }); }
  function inColumn(input) { return all('[data-column="' + input.dataset.column + '"]', body).filter(function (each) { return each.offsetParent && !each.disabled; }); }
  function was(input) { return input.defaultValue; } // what the server has
  function dirty(input) { return input.value !== was(input); }
  function say(text) { $("[data-grid-said]", form).textContent = text; }

  // ---- saving ----
  function soon() { clearTimeout(timer); timer = setTimeout(send, 120); }
  function put(changes, keep) { // [[input, text], ...] as one step that can be undone
    var step = changes.filter(function (each) { return each[0].value !== each[1] || dirty(each[0]); })
      .map(function (each) { var before = was(each[0]); each[0].value = each[0].dataset.put = each[1]; return [keyOf(each[0]), before]; });
    if (!step.length) return;
    if (keep !== false) steps.push(step);
    soon();
  }
  function send(extra) {
    if (busy) { if (extra) setTimeout(function () { send(extra); }, 150); return; }
    var sent = {}, data = new URLSearchParams(), touched = all(CELL, body).filter(dirty);
    if (!touched.length && !extra) return;
    ["_csrf", "show", "page"].forEach(function (name) { data.set(name, form.elements.namedItem(name).value); });
    touched.forEach(function (input) { sent[keyOf(input)] = input.value; data.set(input.name, input.value); rowOf(input).classList.add("is-saving"); });
    if (extra) data.set(extra[0], extra[1]);
    busy = true; say(form.dataset.saving);
    fetch(form.getAttribute("action"), { method: "POST", body: data, headers: { "Accept": "application/json" }, credentials: "same-origin" })
      .then(function (answer) { return answer.json().then(function (said) { heard(answer, said, sent); }); })
      .catch(function () { failed(form.dataset.failed); });
  }
  function failed(text) { busy = false; all("tr.is-saving", body).forEach(function (row) { row.classList.remove("is-saving"); }); say(text); }
  function heard(answer, said, sent) {
    if (!answer.ok) { failed(said.detail || form.dataset.failed); return; }
    if (said.reload) { location.reload(); return; }
    busy = false;
    all("tr.is-saving", body).forEach(function (row) { row.classList.remove("is-saving"); });
    Object.keys(said.rows).forEach(function (number) { replace(number, said.rows[number], sent); });
    $("[data-grid-counts]").innerHTML = said.counts;
    $("[data-grid-tabs]").innerHTML = said.tabs;
    all("[data-grid-ready]").forEach(function (each) { each.textContent = said.ready; });
    say(said.said);
    if (all(CELL, body).some(dirty)) soon();
  }
  function replace(number, html, sent) { // what was typed meanwhile, and where one stands, stay
    var old = $("#row-" + number, body), made = document.createElement("tbody"), focused = document.activeElement;
    if (!old) return;
    made.innerHTML = html; // of our own server, which escapes what people typed
    var fresh = made.rows[0], at = old.contains(focused) && focused.dataset.column, from = null, to = null;
    if (at) { try { from = focused.selectionStart; to = focused.selectionEnd; } catch (error) { from = null; } }
    all(CELL, old).forEach(function (input) {
      var next = $('[data-column="' + input.dataset.column + '"]', fresh), key = number + "." + input.dataset.column;
      if (next && dirty(input) && input.value !== sent[key]) next.value = input.value;
    });
    old.replaceWith(fresh);
    var next = at && $('[data-column="' + at + '"]', fresh);
    if (next && !next.disabled) {
      next.focus({ preventScroll: true });
      if (from !== null) next.setSelectionRange(from, to);
    } else if (old.contains(focused) || !document.contains(focused)) {
      var button = $("button", fresh.lastElementChild);
      if (button) button.focus({ preventScroll: true });
    }
  }
  form.addEventListener("change", function (event) {
    if (event.target.matches(CELL) && dirty(event.target) && event.target.dataset.put !== event.target.value) put([[event.target, event.target.value]]);
  });
  form.addEventListener("submit", function (event) {
    event.preventDefault();
    var by = event.submitter;
    if (by && by.name) send([by.name, by.value]); else send();
  });
  window.addEventListener("beforeunload", function (event) { if (busy || all(CELL, body).some(dirty)) { send(); event.preventDefault(); } });

  // ---- moving ----
  function go(input) { if (input) { input.focus(); if (input.select) input.select(); input.scrollIntoView({ block: "nearest", inline: "nearest" }); } }
  function below(input, step) { var found = inColumn(input); return found[found.indexOf(input) + step]; }
  function beside(input, step) { var found = cells(rowOf(input)); return found[found.indexOf(input) + step]; }
  function fault(input, step) {
    var found = all(CELL, body).filter(function (each) { return each.offsetParent && !each.disabled; }), at = found.indexOf(input) + step;
    while (found[at] && found[at].getAttribute("aria-invalid") !== "true") at += step;
    return found[at];
  }
  function picked(input) {
    var found = inColumn(input), first = anchor && anchor.dataset.column === input.dataset.column ? found.indexOf(anchor) : -1, last = found.indexOf(input);
    return first < 0 ? [input] : found.slice(Math.min(first, last), Math.max(first, last) + 1);
  }
  function show(input) {
    all(".is-picked", body).forEach(function (each) { each.classList.remove("is-picked"); });
    if (input && anchor) picked(input).forEach(function (each) { each.closest("td").classList.add("is-picked"); });
  }
  form.addEventListener("keydown", function (event) {
    var input = event.target, command = event.ctrlKey || event.metaKey;
    if (!input.matches(CELL) || event.isComposing || event.altKey) return;
    var end = input.selectionStart === input.selectionEnd, next = null, lines = input.tagName === "TEXTAREA";
    if (event.key === "Enter" && !(lines && !command)) {
      event.preventDefault();
      if (dirty(input)) put([[input, input.value]]);
      go(below(input, event.shiftKey ? -1 : 1));
    } else if (event.key === "Escape" && dirty(input)) {
      event.preventDefault(); input.value = was(input);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !lines) {
      var step = event.key === "ArrowDown" ? 1 : -1;
      if (command) { event.preventDefault(); go(fault(input, step)); return; }
      if (!event.shiftKey && input.list) return; // the browser offers what the cell may say
      event.preventDefault();
      if (event.shiftKey) anchor = anchor && anchor.dataset.column === input.dataset.column ? anchor : input;
      next = below(input, step); go(next); show(next || input);
    } else if (event.key === "ArrowLeft" && end && input.selectionStart === 0 && !event.shiftKey) {
      next = beside(input, -1); if (next) { event.preventDefault(); go(next); }
    } else if (event.key === "ArrowRight" && end && input.selectionEnd === input.value.length && !event.shiftKey) {
      next = beside(input, 1); if (next) { event.preventDefault(); go(next); }
    } else if (command && event.key.toLowerCase() === "d") {
      event.preventDefault(); // the first of those picked, or the one above, down to here
      var chosen = picked(input), top = chosen.length > 1 ? chosen[0] : below(input, -1);
      if (top) put(chosen.filter(function (each) { return each !== top; }).map(function (each) { return [each, top.value]; }));
    } else if (command && event.key.toLowerCase() === "z" && !event.shiftKey && !dirty(input) && steps.length) {
      event.preventDefault();
      var step_ = steps.pop().filter(function (each) { return inputAt(each[0]); });
      put(step_.map(function (each) { return [inputAt(each[0]), each[1]]; }), false);
      if (step_.length) go(inputAt(step_[0][0]));
    }
  });
  form.addEventListener("focusin", function (event) {
    if (anchor && event.target.matches(CELL) && event.target.dataset.column !== anchor.dataset.column) { anchor = null; show(null); }
  });
  form.addEventListener("mousedown", function (event) { // a range by the mouse: click, then click with shift
    var input = event.target.closest(CELL), now = document.activeElement;
    if (!input) return;
    if (event.shiftKey && now.matches(CELL) && now.dataset.column === input.dataset.column) anchor = anchor || now; else anchor = null;
    setTimeout(function () { show(anchor ? input : null); }, 0);
  });

  // ---- a block of a spreadsheet ----
  function table(text) { // tabs and lines; quotes around cells that hold either
    var rows = [[""]], quoted = false;
    for (var i = 0; i < text.length; i++) {
      var row = rows[rows.length - 1], char = text[i];
      if (quoted) {
        if (char === '"' && text[i + 1] === '"') { row[row.length - 1] += '"'; i++; }
        else if (char === '"') quoted = false; else row[row.length - 1] += char;
      } else if (char === '"' && row[row.length - 1] === "") quoted = true;
      else if (char === "\t") row.push("");
      else if (char === "\n") rows.push([""]);
      else if (char !== "\r") row[row.length - 1] += char;
    }
    if (rows.length > 1 && rows[rows.length - 1].join("") === "") rows.pop();
    return rows;
  }
  form.addEventListener("paste", function (event) {
    var input = event.target.closest(CELL), text = event.clipboardData && event.clipboardData.getData("text/plain");
    if (!input || !text || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    var rows = table(text), lines = all("tr", body).slice(rowOf(input).sectionRowIndex), done = [];
    rows.forEach(function (values, down) {
      var line = lines[down], there = line && all(CELL, line), first = there && there.findIndex(function (each) { return each.dataset.column === input.dataset.column; });
      values.forEach(function (value, right) {
        var cell = there && there[first + right];
        if (cell && !cell.disabled) done.push([cell, value.trim()]);
      });
    });
    put(done);
  });

  // ---- what a cell may say, like what is typed ----
  var asked = 0;
  form.addEventListener("input", function (event) {
    var list = event.target.list, number = ++asked;
    if (!list || !list.dataset.asks) return;
    setTimeout(function () {
      if (number !== asked) return;
      fetch(list.dataset.asks + "&text=" + encodeURIComponent(event.target.value), { headers: { "Accept": "application/json" }, credentials: "same-origin" })
        .then(function (answer) { return answer.ok ? answer.json() : []; })
        .then(function (found) {
          if (number !== asked) return;
          list.replaceChildren.apply(list, found.map(function (text) { var option = document.createElement("option"); option.value = text; return option; }));
        }).catch(function () {});
    }, 200);
  });

  var whole = $("[data-grid-all]", form);
  if (whole) whole.addEventListener("change", function () { card.classList.toggle("is-all", whole.checked); });
})();
