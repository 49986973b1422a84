// A value edited where it stands. A host is [data-value] below [data-href] (where it is saved); a list's cells
// say [data-place="list"] and [data-cell-columns] on the table. Without scripts the pencil leads to the edit page.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var forms = HTMLFormElement.prototype; // a field may be named "submit"
  var HOST = "[data-value]", moving = false, latest = 0;
  var CONTROLS = "input:not([type=hidden]):not([tabindex='-1']), select, textarea:not([tabindex='-1']), [contenteditable=true]";

  function around(host, name) { var found = host.closest("[data-" + name + "]"); return found ? found.getAttribute("data-" + name) : ""; }
  function holder(host) { return $("dd", host) || host; }
  function shown(host) {
    var inside = holder(host), found = $(":scope > span", inside);
    if (inside !== host) return found;
    if (found && found.hasAttribute("data-shown")) return found;
    found = document.createElement("span"); // a cell of a table: all that it shows, in one
    found.setAttribute("data-shown", "");
    while (inside.firstChild) found.appendChild(inside.firstChild);
    inside.appendChild(found);
    return found;
  }
  function cellOf(host) { return $(".tw-cell", host); }
  function state(form) { return new URLSearchParams(new FormData(form)).toString(); }
  function controls(form) { return all(CONTROLS, form).filter(function (el) { return el.offsetParent && !el.disabled; }); }

  // ---- open ----
  function open(host) {
    if (!host) return;
    var there = cellOf(host);
    if (there) { focus(there); return; }
    if (host.classList.contains("is-opening") || host.classList.contains("is-saving")) return;
    host.classList.add("is-opening");
    var href = around(host, "href") + "?" + new URLSearchParams({ field: host.dataset.value, place: around(host, "place") || "record" });
    fetch(href, { headers: { "Accept": "text/html, application/json;q=0.1" }, credentials: "same-origin" })
      .then(function (answer) {
        host.classList.remove("is-opening");
        if (answer.ok && !answer.redirected) return answer.text().then(function (html) { put(host, html, true); });
        location.href = ($("[data-edit]", host) || location).href; // the edit page says what is in the way
      }).catch(function () { host.classList.remove("is-opening"); tell(away(host)); });
  }
  function away(host) { return around(host, "away"); }

  function put(host, html, take) {
    var made = document.createElement("div"), was = cellOf(host);
    made.innerHTML = html; // of our own server, which escapes what people typed
    var form = $("form", made);
    shown(host);
    if (was) was.remove();
    holder(host).appendChild(form);
    host.classList.add("is-editing"); host.classList.remove("is-saving");
    document.dispatchEvent(new CustomEvent("tw:fields"));
    form.first = state(form);
    if (take) focus(form);
  }
  function focus(form) {
    var wrong = $('[aria-invalid="true"]', form), first = wrong && wrong.offsetParent ? wrong : controls(form)[0];
    if (!first) return;
    first.focus();
    if (first.select && /^(text|tel|email|url|search)$/.test(first.type)) first.select();
  }
  function close(host, back) {
    var form = cellOf(host);
    if (form) { moving = true; form.remove(); moving = false; }
    host.classList.remove("is-editing");
    if (back) { var pencil = $("[data-edit]", host) || host; pencil.focus(); }
    return form;
  }
  function neighbour(host, step) {
    var hosts = all(HOST, host.closest("[data-record-values], tbody") || document).filter(function (each) { return each.offsetParent; });
    return hosts[hosts.indexOf(host) + step];
  }

  // ---- save ----
  function typed(form) {
    var name = form.dataset.cell, byText = form.elements.namedItem(name + ".text");
    if (byText) return byText.value;
    var found = all("input:not([type=hidden]), select, textarea", form).filter(function (el) { return el.name === name; });
    return found.map(function (el) {
      if (el.type === "checkbox" || el.type === "radio") return el.checked ? el.parentNode.textContent.trim() : "";
      return el.tagName === "SELECT" ? (el.selectedOptions[0] || {}).text || "" : el.value;
    }).filter(Boolean).join(" ");
  }
  function save(form, back) {
    if ($("[data-uploading]", form)) return; // what is on its way is waited for
    var host = form.closest(HOST), data = new FormData(form), columns = around(host, "cell-columns");
    if (columns) data.set("columns", columns);
    if (state(form) === form.first && !form.failed) { close(host, back); return; }
    var see = shown(host), before = Array.prototype.slice.call(see.childNodes);
    close(host, back);
    host.classList.add("is-saving");
    see.textContent = typed(form); // at once, as typed; the answer shows it as it is kept
    function undo() { see.replaceChildren.apply(see, before); host.classList.remove("is-saving"); }
    function again(text) { // the same editor with what was typed, and a word on why
      var note = $("[data-away-note]", form) || document.createElement("p");
      undo(); note.className = "tw-err"; note.setAttribute("data-away-note", ""); note.textContent = text;
      form.appendChild(note); form.failed = true;
      holder(host).appendChild(form); host.classList.add("is-editing"); tell(text);
    }
    fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(data), headers: { "Accept": "application/json" }, credentials: "same-origin", keepalive: true }) // also where the page is left at once
      .then(function (answer) {
        return answer.json().then(function (said) { heard(answer, said); }, function () { again(away(host)); });
      }).catch(function () { again(away(host)); });

    function heard(answer, said) {
      if (answer.status === 401) { // session.js asks who it is, then sends it again
        undo(); holder(host).appendChild(form); host.classList.add("is-editing");
        form.failed = true; form.setAttribute("data-session", ""); forms.requestSubmit.call(form);
        return;
      }
      if (said.editor) {
        var take = !$(".tw-cell") && (document.activeElement === document.body || host.contains(document.activeElement));
        undo(); spread(host, said);
        host = at(host); put(host, said.editor, take); cellOf(host).failed = true;
        tell(said.faults.map(function (each) { return each.text; }).join(" "));
        return;
      }
      if (!answer.ok) { again(said.detail || away(host)); return; }
      host.classList.remove("is-saving");
      if (said.html !== undefined) see.innerHTML = said.html;
      spread(host, said);
      renew(host.closest("tr"));
      if (said.toast) toast(said.toast);
    }
  }
  function at(host) { return host.isConnected ? host : $('[data-value="' + CSS.escape(host.dataset.value) + '"]') || host; }

  // ---- what else the save changed: the server shows the record anew ----
  function spread(host, said) {
    if (said.cells) {
      all(HOST, host.closest("tr")).forEach(function (cell) {
        if (!cellOf(cell) && !cell.classList.contains("is-saving") && said.cells[cell.dataset.value] !== undefined) shown(cell).innerHTML = said.cells[cell.dataset.value];
      });
      return;
    }
    var record = said.record;
    if (!record || (said.revision && said.revision < latest)) return;
    latest = said.revision || latest;
    $(".tw-rectitle h1").textContent = record.name;
    $("[data-record-highlights]").innerHTML = record.highlights;
    $("[data-record-stamp]").textContent = record.stamp;
    var inside = $("[data-record-values]"), fresh = document.createElement("div");
    fresh.innerHTML = record.values;
    var now = all(".tw-field", inside), next = all(".tw-field", fresh);
    function busy(each) { return cellOf(each) || each.classList.contains("is-saving"); }
    function names(fields) { return fields.map(function (each) { return (each.dataset.value || "") + $("dt", each).textContent; }).join("\n"); }
    if (names(now) === names(next)) { // with the same fields nothing moves under the person's hands
      var focused = document.activeElement;
      now.forEach(function (each, i) {
        if (busy(each)) return;
        var had = each.contains(focused);
        $("dd", each).replaceChildren.apply($("dd", each), Array.prototype.slice.call($("dd", next[i]).childNodes));
        if (had && $("[data-edit]", each)) $("[data-edit]", each).focus();
      });
      return;
    }
    var on = document.activeElement, kept = on && on.closest && on.closest(HOST);
    moving = true;
    now.filter(busy).forEach(function (each) {
      var twin = each.dataset.value && $('[data-value="' + CSS.escape(each.dataset.value) + '"]', fresh);
      if (twin) twin.replaceWith(each);
    });
    inside.replaceChildren.apply(inside, Array.prototype.slice.call(fresh.childNodes));
    if (on && on.isConnected) on.focus();
    else if (kept) { var same = $('[data-value="' + CSS.escape(kept.dataset.value) + '"] [data-edit]'); if (same) same.focus(); }
    moving = false;
  }

  // ---- a row of a list: its colours, and whether it still belongs there ----
  function renew(row) {
    var table = row && row.closest("table[data-row-query]");
    if (!table) return;
    document.dispatchEvent(new CustomEvent("tw:changed"));
    fetch(row.dataset.href.replace(/value$/, "row") + "?" + table.dataset.rowQuery, { headers: { Accept: "application/json" }, credentials: "same-origin" })
      .then(function (answer) { return answer.ok ? answer.json() : { note: answer.status === 404 ? table.dataset.gone : "" }; })
      .then(function (said) { if (said.row) redraw(row, said.row); leave(row, said.note); })
      .catch(function () {}); // what was saved is shown; the colours wait for the next look
  }
  function mark(now, next) { if (next.dataset.mark) now.dataset.mark = next.dataset.mark; else delete now.dataset.mark; }
  function redraw(row, html) {
    var made = document.createElement("template");
    made.innerHTML = html; // of our own server, which escapes what people typed
    var fresh = made.content.firstElementChild;
    mark(row, fresh);
    Array.prototype.slice.call(fresh.cells).forEach(function (next, at) {
      var now = row.cells[at], link = $("a", next), there = $("a", now);
      if (!now || now.classList.contains("is-check")) return;
      mark(now, next);
      if (cellOf(now) || now.classList.contains("is-saving")) return;
      if (!now.classList.contains("is-name")) { shown(now).replaceChildren.apply(shown(now), Array.prototype.slice.call(next.childNodes)); return; }
      there.textContent = link.textContent; there.title = link.title; // the buttons beside it stay
      all(".tw-marked", now).forEach(function (each) { each.remove(); });
      all(".tw-marked", next).reverse().forEach(function (each) { there.after(each); });
    });
  }
  function leave(row, note) {
    var there = $(".tw-left", row), name = $(".is-name", row);
    row.classList.toggle("is-left", !!note);
    if (there) there.remove();
    if (!note || !name) return;
    there = document.createElement("small"); there.className = "tw-left"; there.textContent = note;
    name.appendChild(there); tell(note);
  }

  // ---- notices ----
  function tell(text) {
    var live = $("#tw-live");
    if (!live) {
      live = document.createElement("div"); live.id = "tw-live"; live.className = "tw-sr"; live.setAttribute("role", "alert");
      document.body.appendChild(live);
    }
    live.textContent = text;
  }
  function toast(html) {
    var box = $(".tw-toasts"), made = document.createElement("div"), timer;
    if (!box) {
      box = document.createElement("div"); box.className = "tw-toasts"; box.setAttribute("role", "status");
      ($(".tw-sheet") || document.body).appendChild(box);
    }
    made.innerHTML = html; made = made.firstElementChild;
    box.replaceChildren(made);
    function start() { timer = setTimeout(function () { made.remove(); }, 30000); }
    ["mouseenter", "focusin"].forEach(function (name) { made.addEventListener(name, function () { clearTimeout(timer); }); });
    made.addEventListener("mouseleave", start);
    start();
  }
  document.addEventListener("tw:toast", function (event) { toast(event.detail); });

  // ---- hands ----
  document.addEventListener("click", function (event) {
    var host = event.target.closest(HOST);
    if (!host || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (event.target.closest("[data-cancel-cell]")) { close(host, true); return; }
    if (event.target.closest(".tw-cell")) return;
    if (event.target.closest("[data-edit]")) { event.preventDefault(); open(host); return; }
    if (event.target.closest("a, button, summary, input, select, textarea")) return;
    if (String(window.getSelection())) return; // somebody is copying
    if (holder(host).contains(event.target)) open(host);
  });
  document.addEventListener("mousedown", function (event) { if (event.target.closest("[data-cancel-cell], [data-save-cell]")) event.preventDefault(); });
  document.addEventListener("submit", function (event) {
    if (!event.target.matches(".tw-cell")) return;
    event.preventDefault();
    save(event.target, true);
  });
  document.addEventListener("keydown", function (event) {
    var form = event.target.closest && event.target.closest(".tw-cell"), host = event.target.closest && event.target.closest(HOST);
    if (event.defaultPrevented || !host || event.isComposing) return;
    if (!form) {
      if (event.key === "F2") { event.preventDefault(); open(host); }
      return;
    }
    var longText = event.target.matches("textarea, [contenteditable=true]"), mod = event.ctrlKey || event.metaKey;
    if (event.key === "Enter" && !event.target.closest("button") && (mod || !longText)) { event.preventDefault(); save(form, true); }
    else if (event.key === "Escape") { event.preventDefault(); close(host, true); }
    else if (mod && event.key.toLowerCase() === "s") { event.preventDefault(); save(form, true); }
    else if (event.key === "Tab") {
      var inside = controls(form), edge = inside[event.shiftKey ? 0 : inside.length - 1];
      if (event.target !== edge && !(event.target.type === "radio" && edge && edge.name === event.target.name)) return;
      var next = neighbour(host, event.shiftKey ? -1 : 1);
      if (next) { event.preventDefault(); save(form, false); open(next); }
    }
  });
  document.addEventListener("focusout", function (event) {
    var form = event.target.closest && event.target.closest(".tw-cell");
    if (!form || moving) return;
    setTimeout(function () { // a lookup's list, the browser's own pickers and another window are no leaving
      if (!form.isConnected || form.contains(document.activeElement) || !document.hasFocus() || $("dialog[open]") || $("[data-uploading]", form)) return;
      if (state(form) === form.first) { if (!form.failed) close(form.closest(HOST), false); return; }
      save(form, false);
    }, 0);
  });
  window.addEventListener("beforeunload", function (event) {
    if (all(".tw-cell").some(function (form) { return state(form) !== form.first; })) event.preventDefault();
  });
})();
