// The filter of a list: a panel of conditions that is counted as it is made, and applied by going to its address.
(function () {
  "use strict";
  var panel = document.getElementById("filter-panel"), toggle = document.querySelector("[data-filter-toggle]");
  var conditions = window.tabwrightConditions;
  if (!panel || !toggle || !conditions) return;
  var href = panel.dataset.href, base = panel.dataset.base, csrf = panel.dataset.csrf;
  var loaded = false, latest = 0, timer, formula = null;

  function open(on) {
    panel.hidden = !on;
    toggle.setAttribute("aria-expanded", String(on));
    if (!on) { toggle.focus(); return; }
    document.dispatchEvent(new CustomEvent("tw:panel", { detail: panel }));
    if (loaded && !into()) { focusFirst(); return; }
    loaded = true;
    conditions.get(href + "?where=" + encodeURIComponent(into() ? into().value : panel.dataset.where)).then(function (html) {
      panel.innerHTML = html; // made by the server, which escapes what people typed
      focusFirst(); count();
    }).catch(function () { loaded = false; open(false); });
  }
  function focusFirst() { var first = panel.querySelector("select, input, button"); if (first) first.focus(); }
  toggle.addEventListener("click", function () { open(panel.hidden); });
  document.querySelectorAll("[data-filter-open]").forEach(function (each) { each.addEventListener("click", function () { open(true); }); });
  document.addEventListener("tw:panel", function (event) { if (event.detail !== panel && !panel.hidden) { panel.hidden = true; toggle.setAttribute("aria-expanded", "false"); } });

  function builder() { return panel.querySelector("[data-builder]"); }
  function root() { return builder() && conditions.root(builder()); }
  function ask(onlyFilled, then) {
    var mine = ++latest, body = new URLSearchParams();
    if (!root()) return;
    body.set("condition", JSON.stringify(conditions.read(root(), onlyFilled)));
    fetch(href, { method: "POST", body: body, credentials: "same-origin", headers: { "X-CSRF-Token": csrf, "X-CSRFToken": csrf } })
      .then(function (answer) { return answer.json().then(function (json) { return { ok: answer.ok, json: json }; }); })
      .then(function (answer) { if (mine === latest) then(answer); })
      .catch(function () {});
  }
  function show(answer, strict) {
    var status = panel.querySelector("[data-count]"), faults = answer.ok ? [] : answer.json.faults || [];
    formula = answer.ok ? answer.json.where : null;
    conditions.tell(builder(), faults, strict);
    status.textContent = answer.ok ? answer.json.count : strict && faults.length && !faults[0].row ? faults[0].text : "";
  }
  function count() { clearTimeout(timer); timer = setTimeout(function () { ask(true, function (answer) { show(answer, false); }); }, 250); }
  // In an editor the filter goes into an input, elsewhere into the address.
  function into() { return panel.dataset.into ? document.getElementById(panel.dataset.into) : null; }
  function go(where) {
    if (into()) {
      into().value = where;
      into().dispatchEvent(new Event("change", { bubbles: true }));
      open(false); return;
    }
    var url = new URL(base, location.href);
    url.searchParams.set("where", where);
    location.assign(url);
  }

  panel.addEventListener("tw:conditions", count);
  panel.addEventListener("tw:apply", apply);
  panel.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.matches("input[data-value]")) { event.preventDefault(); apply(); }
    if (event.key === "Escape" && !event.defaultPrevented && !panel.querySelector("details[open]")) { event.preventDefault(); open(false); }
  });
  panel.addEventListener("click", function (event) {
    var button = event.target.closest("button");
    if (!button) return;
    if (button.hasAttribute("data-close")) open(false);
    else if (button.hasAttribute("data-clear")) go("");
    else if (button.hasAttribute("data-as-formula")) asFormula();
    else if (button.hasAttribute("data-apply")) apply();
  });
  function apply() {
    if (!root()) { open(false); return; }
    clearTimeout(timer); // a count that comes later would take the place of this answer
    ask(false, function (answer) {
      show(answer, true);
      if (answer.ok) { go(answer.json.where); return; }
      var bad = panel.querySelector('[aria-invalid="true"]');
      if (bad) bad.focus();
    });
  }
  function asFormula() {
    if (into()) {
      if (formula !== null) { into().value = formula; into().dispatchEvent(new Event("change", { bubbles: true })); }
      open(false); into().focus(); return;
    }
    var box = document.querySelector("[data-formula-box]");
    box.hidden = false;
    if (formula !== null) box.querySelector("input[name=where]").value = formula;
    open(false);
    box.querySelector("input[name=where]").focus();
  }
})();
