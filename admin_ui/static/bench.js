// Studio's own editors: ordered lists by drag and by keys, undo, saving as one goes, a preview that follows.
// The form is the state: it is posted whole, and the server judges every save.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var form = $("form[data-bench]");
  if (!form) return;
  var w = JSON.parse(form.dataset.words), may = form.hasAttribute("data-may"), region = $("[data-undoable]", form);
  var seen = $("[data-seen]", form), shown = $("[data-preview]");
  var timer, saving = false, leaving = false, sent = null, done = [], undone = [], last = null, asked = 0;

  function say(key, params) { return w[key].replace(/\{(\w+)\}/g, function (whole, name) { return name in params ? params[name] : whole; }); }
  function status(text, css) { var line = $("[data-status]"); line.textContent = text; line.className = "tw-13 bn-status " + (css || "tw-2"); }
  function announce(text) { $("[data-said]").textContent = text; }

  // ---- ordered lists ----
  function items(list) { return all(":scope > [data-item]", list); }
  function tidy(box) {
    var list = $("[data-items]", box), chosen = {}, find = $("[data-pool-find]", box), left = 0;
    items(list).forEach(function (each) { chosen[each.dataset.item] = true; });
    if ($("[data-count]", box)) $("[data-count]", box).textContent = items(list).length || "";
    list.classList.toggle("is-empty", !items(list).length);
    var words = find ? find.value.toLowerCase().split(/\s+/).filter(Boolean) : [];
    all("[data-add]", box).forEach(function (each) {
      var hide = chosen[each.dataset.add] || !words.every(function (word) { return each.dataset.find.indexOf(word) >= 0; });
      each.parentNode.hidden = hide;
      if (!hide) left++;
    });
    if ($("[data-pool-none]", box)) $("[data-pool-none]", box).hidden = left > 0;
  }
  function place(item) {
    var list = item.parentNode, at = items(list).indexOf(item);
    return say("moved", { name: item.dataset.label, n: at + 1, of: items(list).length });
  }
  function step(item, by) {
    var list = item.parentNode, all = items(list), other = all[all.indexOf(item) + by];
    if (!other) return;
    if (by < 0) list.insertBefore(item, other); else list.insertBefore(other, item);
    $("[data-grip]", item).focus();
    announce(place(item));
    changed();
  }
  function add(button) {
    var box = button.closest("[data-ordered]"), made = document.createElement("template");
    var html = $("template[data-template]", box).innerHTML, list = $("[data-items]", box);
    made.innerHTML = html;
    var item = made.content.firstElementChild;
    [item].concat(all("*", item)).forEach(function (el) {
      Array.prototype.slice.call(el.attributes).forEach(function (attr) {
        if (attr.value.indexOf("__") >= 0) attr.value = attr.value.split("__key__").join(button.dataset.add).split("__label__").join(button.dataset.label);
      });
      Array.prototype.slice.call(el.childNodes).forEach(function (node) {
        if (node.nodeType === 3 && node.data.indexOf("__label__") >= 0) node.data = node.data.split("__label__").join(button.dataset.label);
      });
    });
    list.append(item);
    var shown = all("[data-add]", box).filter(function (each) { return !each.parentNode.hidden; }), at = shown.indexOf(button);
    announce(say("added", { name: button.dataset.label }));
    changed();
    var next = shown[at + 1] || shown[at - 1];
    if (next) next.focus(); else $("[data-grip]", item).focus();
  }
  function drop(item) {
    var next = item.nextElementSibling || item.previousElementSibling, box = item.closest("[data-ordered]");
    item.remove();
    announce(say("dropped", { name: item.dataset.label }));
    changed();
    var focus = next && $("[data-grip]", next) || $("summary, button, input", box);
    if (focus) focus.focus();
  }
  function sortable() {
    if (!window.Sortable || !may) return;
    all("[data-items]", region).forEach(function (list) {
      window.Sortable.create(list, {
        handle: "[data-grip]", draggable: "[data-item]", ghostClass: "is-dropping",
        animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140,
        onEnd: function (event) { if (event.oldIndex !== event.newIndex) { announce(place(event.item)); changed(); } }
      });
    });
  }
  region.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button || button.disabled) return;
    if (button.hasAttribute("data-add")) add(button);
    else if (button.hasAttribute("data-drop")) drop(button.closest("[data-item]"));
    else if (button.hasAttribute("data-make")) make(button);
  });
  region.addEventListener("keydown", function (event) {
    var by = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 }[event.key];
    if (event.target.closest("[data-grip]") && by && !event.ctrlKey && !event.metaKey) { event.preventDefault(); step(event.target.closest("[data-item]"), by); }
    if (event.key === "Enter" && event.target.matches("input:not([type=checkbox]):not([type=radio])")) {
      event.preventDefault();
      if (event.target.matches("[data-pool-find]")) { var first = all("[data-add]", event.target.closest("[data-ordered]")).filter(function (each) { return !each.parentNode.hidden; })[0]; if (first) { add(first); event.target.focus(); event.target.select(); } }
      else if (event.target.closest("[data-make-box]")) make($("[data-make]", event.target.closest("[data-make-box]")));
    }
    if (event.key === "Escape" && event.target.closest("[data-pool][open]")) { var pool = event.target.closest("[data-pool]"); pool.open = false; $("summary", pool).focus(); }
  });
  // A thing that is not chosen but made, such as a value of a picklist: a row of a template with a new key.
  function make(button) {
    var box = button.closest("[data-ordered]"), keys = {}, n = 1;
    items($("[data-items]", box)).forEach(function (each) { keys[each.dataset.item] = true; });
    while (keys["new" + n]) n++;
    button.dataset.add = "new" + n;
    button.dataset.label = w.unnamed;
    add(button);
    var made = items($("[data-items]", box)).pop(), input = $("input:not([type=hidden])", made);
    if (input) input.focus();
  }
  region.addEventListener("input", function (event) {
    if (event.target.matches("[data-pool-find]")) tidy(event.target.closest("[data-ordered]"));
  });
  function isOurs(target) { return !target.matches("[data-pool-find], [data-icon-find]") && !target.closest("#filter-panel"); }
  form.addEventListener("input", function (event) { if (isOurs(event.target) && event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea")) later(700); });
  form.addEventListener("change", function (event) { if (isOurs(event.target)) changed(); });
  form.addEventListener("submit", function (event) { if (may && event.target === form) { event.preventDefault(); save(); } });

  // ---- what depends on a choice ----
  function show() {
    var way = $("input[name=way]:checked", region), audience = $("input[name=audience]:checked", region);
    if (way) all("[data-ways]", region).forEach(function (each) { each.hidden = each.dataset.ways.split(" ").indexOf(way.value) < 0; });
    if (audience) all("[data-audience]", region).forEach(function (each) { each.hidden = each.dataset.audience !== audience.value; });
    all("[data-when]", region).forEach(function (each) {
      var pair = each.dataset.when.split("="), chosen = $('[name="' + pair[0] + '"]:checked', region) || $('select[name="' + pair[0] + '"]', region);
      each.hidden = !chosen || pair[1].split(" ").indexOf(chosen.value) < 0;
    });
    var icon = $(".st-iconpick input:checked", region);
    if (icon) icon.dispatchEvent(new CustomEvent("tw:icon", { bubbles: true }));
    all("[data-ordered]", region).forEach(tidy);
  }

  // ---- undo: the region as it stood ----
  function freeze() {
    all("input", region).forEach(function (el) {
      if (el.type === "checkbox" || el.type === "radio") { if (el.checked) el.setAttribute("checked", ""); else el.removeAttribute("checked"); }
      else if (isOurs(el)) el.setAttribute("value", el.value);
    });
    all("textarea", region).forEach(function (el) { el.textContent = el.value; });
    all("select", region).forEach(function (el) { all("option", el).forEach(function (one) { if (one.selected) one.setAttribute("selected", ""); else one.removeAttribute("selected"); }); });
    return { html: region.innerHTML, state: body() };
  }
  function body() {
    var data = new URLSearchParams(new FormData(form));
    data.delete("_csrf"); data.delete("seen");
    return data.toString();
  }
  function remember() {
    if (last !== null && last.state !== body()) { done.push(last); undone.length = 0; if (done.length > 100) done.shift(); last = freeze(); }
    drawUndo();
  }
  function drawUndo() {
    if (!$("[data-undo]")) return;
    $("[data-undo]").setAttribute("aria-disabled", String(!done.length));
    $("[data-redo]").setAttribute("aria-disabled", String(!undone.length));
  }
  function turn(from, to, word) {
    remember();
    if (!from.length) return;
    var active = document.activeElement, key = active && active.name ? active.name : null;
    to.push(freeze());
    last = from.pop();
    var live = all("[data-live]", region); // what other scripts work on stays the same nodes
    region.innerHTML = last.html; // what the server made and people chose in it: text stands in attributes, escaped
    live.forEach(function (each) { var twin = $('[data-live="' + each.dataset.live + '"]', region); if (twin) twin.replaceWith(each); });
    show(); sortable(); drawUndo(); later(10);
    announce(w[word]);
    var again = key && $('[name="' + CSS.escape(key) + '"]', region);
    if (again) again.focus();
  }
  document.addEventListener("keydown", function (event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z" || !may) return;
    if (event.target.matches("input:not([type=checkbox]):not([type=radio]), textarea")) return; // the browser undoes typing
    event.preventDefault();
    if (event.shiftKey) turn(undone, done, "redone"); else turn(done, undone, "undone");
  });
  if ($("[data-undo]")) {
    $("[data-undo]").addEventListener("click", function () { turn(done, undone, "undone"); });
    $("[data-redo]").addEventListener("click", function () { turn(undone, done, "redone"); });
  }

  // ---- saving ----
  function changed() { show(); later(400); }
  function later(ms) { if (!may) return; clearTimeout(timer); if (sent !== body()) status(w.saving); timer = setTimeout(save, ms); }
  function save(keepalive) {
    clearTimeout(timer);
    if (saving || !may) { if (saving) later(200); return; }
    remember();
    var now = body();
    if (now === sent) { status(w.saved); if (leaving) publishing.submit(); return; }
    saving = true;
    var data = new URLSearchParams(new FormData(form));
    data.set("_bench", "script");
    fetch(form.action, { method: "POST", body: data, credentials: "same-origin", keepalive: keepalive === true, headers: { Accept: "application/json" } })
      .then(function (answer) { return answer.json().then(function (json) { return { status: answer.status, json: json }; }); })
      .then(function (answer) { saving = false; judged(answer, now); })
      .catch(function () { saving = false; leaving = false; status(w.offline, "tw-down"); later(4000); });
  }
  function judged(answer, now) {
    var json = answer.json;
    if (!json.faults) { leaving = false; status(json.error && json.error.message || w.offline, "tw-down"); return; }
    tell(json.faults);
    if (answer.status === 200) {
      sent = now; seen.value = json.seen;
      if (json.title && $("[data-title]")) $("[data-title]").textContent = json.title;
      if ($("[data-draft-count]")) $("[data-draft-count]").textContent = json.count;
      status(w.saved); look();
      if (body() !== now) later(10); else if (leaving) publishing.submit();
      return;
    }
    leaving = false;
    if (answer.status === 409 && json.seen !== seen.value) {
      $("[data-conflict]").hidden = false; $("[data-conflict]").dataset.seen = json.seen;
      status(w.conflict, "tw-down");
      return;
    }
    status(say("faults", { n: json.faults.length }), "tw-down");
  }
  function tell(faults) {
    var general = $("[data-general]"), lines = all("[data-fault-at]", form);
    all("[data-items]", form).forEach(function (list) { items(list).forEach(function (each, n) { all("[data-fault-item]", each).forEach(function (line) { line.dataset.faultAt = line.dataset.faultItem + "/" + n; }); }); });
    general.replaceChildren();
    lines.forEach(function (line) { line.hidden = true; line.textContent = ""; mark(line, false); });
    faults.forEach(function (fault) {
      var best = null;
      lines.forEach(function (line) {
        var at = line.dataset.faultAt, fits = fault.at === at || fault.at.indexOf(at + "/") === 0;
        if (fits && (!best || at.length > best.dataset.faultAt.length)) best = line;
      });
      if (best && !best.closest("[hidden]:not([data-fault-at])")) { best.hidden = false; best.textContent += (best.textContent ? " " : "") + fault.text; mark(best, true); return; }
      var line = document.createElement("p");
      line.className = "tw-err"; line.textContent = fault.text; general.append(line);
    });
  }
  function mark(line, wrong) {
    var input = line.parentNode.querySelector(":scope > input, :scope > select, :scope > textarea");
    if (!input) return;
    if (wrong) { input.setAttribute("aria-invalid", "true"); input.setAttribute("aria-errormessage", line.id); } else { input.removeAttribute("aria-invalid"); input.removeAttribute("aria-errormessage"); }
  }
  $("[data-theirs]").addEventListener("click", function () { sent = body(); location.reload(); });
  $("[data-mine]").addEventListener("click", function () { seen.value = $("[data-conflict]").dataset.seen; $("[data-conflict]").hidden = true; save(); });
  function dirty() { return may && sent !== null && body() !== sent; }
  window.addEventListener("pagehide", function () { if (dirty() && !saving) save(true); });
  window.addEventListener("beforeunload", function (event) { if (dirty() && !$("[data-general]").childElementCount && saving) event.preventDefault(); });
  var publishing = $("[data-publish-form]");
  if (publishing) publishing.addEventListener("submit", function (event) {
    if (!dirty() && !saving) return;
    event.preventDefault(); leaving = true; save();
  });

  // ---- the preview ----
  function look() {
    if (!shown) return;
    var mine = ++asked;
    shown.setAttribute("aria-busy", "true");
    fetch(shown.dataset.preview, { credentials: "same-origin", headers: { "HX-Request": "true" } })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) { if (mine !== asked) return; shown.innerHTML = html; shown.removeAttribute("aria-busy"); }) // the server escapes what people typed
      .catch(function () { shown.removeAttribute("aria-busy"); });
  }
  all("[data-width]").forEach(function (button) {
    button.addEventListener("click", function () {
      all("[data-width]").forEach(function (each) { each.setAttribute("aria-pressed", String(each === button)); });
      shown.dataset.shown = button.dataset.width;
    });
  });

  show(); sortable();
  last = freeze(); sent = body();
  tell(JSON.parse(form.dataset.faults));
  look();
})();
