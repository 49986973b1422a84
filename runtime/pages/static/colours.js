// The colours of a list: rules of a condition, a colour and what it means, applied by going to their address.
(function () {
  "use strict";
  var panel = document.getElementById("colour-panel"), toggle = document.querySelector("[data-colour-toggle]");
  var conditions = window.tabwrightConditions;
  if (!panel || !toggle || !conditions) return;
  var $ = function (selector, from) { return (from || panel).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || panel).querySelectorAll(selector)); };
  var loaded = false;

  function open(on) {
    panel.hidden = !on;
    toggle.setAttribute("aria-expanded", String(on));
    if (!on) { toggle.focus(); return; }
    document.dispatchEvent(new CustomEvent("tw:panel", { detail: panel }));
    if (loaded) { focusFirst(); return; }
    loaded = true;
    conditions.get(panel.dataset.href + "?colours=" + encodeURIComponent(panel.dataset.colours)).then(function (html) {
      panel.innerHTML = html; // made by the server, which escapes what people typed
      tidy();
      if (rules().length) focusFirst(); else add();
    }).catch(function () { loaded = false; open(false); });
  }
  function rules() { return all("[data-rule]"); }
  function focusFirst() { var first = $("select, input, button"); if (first) first.focus(); }
  function tidy() { $("[data-add-rule]").disabled = rules().length >= Number(panel.dataset.most); }
  toggle.addEventListener("click", function () { open(panel.hidden); });
  document.addEventListener("tw:panel", function (event) { if (event.detail !== panel && !panel.hidden) { panel.hidden = true; toggle.setAttribute("aria-expanded", "false"); } });

  function add() {
    var made = $("template[data-new-rule]").content.firstElementChild.cloneNode(true);
    $("[data-rules]").appendChild(made);
    tidy();
    var group = $("[data-builder] > [data-group]", made);
    conditions.addRow(group).catch(function () {});
  }
  function read(rule) {
    var builder = $("[data-builder]", rule), formula = $("[data-formula]", rule);
    return {
      colour: $("[data-colour]", rule).value, label: $("[data-label]", rule).value.trim(), path: $("[data-path]", rule).value,
      condition: builder ? conditions.read(conditions.root(builder), false) : null, formula: formula ? formula.value : ""
    };
  }
  function go(colours) {
    var url = new URL(panel.dataset.base, location.href);
    url.searchParams.set("colours", colours);
    location.assign(url);
  }
  function apply() {
    var body = new URLSearchParams();
    body.set("rules", JSON.stringify(rules().map(read)));
    fetch(panel.dataset.href, { method: "POST", body: body, credentials: "same-origin", headers: { "X-CSRFToken": panel.dataset.csrf } })
      .then(function (answer) { return answer.json().then(function (json) { return { ok: answer.ok, json: json }; }); })
      .then(function (answer) { if (answer.ok) go(answer.json.colours); else tell(answer.json.faults || []); })
      .catch(function () {});
  }
  function tell(faults) {
    rules().forEach(function (rule, number) {
      var own = faults.filter(function (each) { return each.rule === number; }), builder = $("[data-builder]", rule);
      if (builder) conditions.tell(builder, own, true);
      var whole = own.filter(function (each) { return !each.row || !builder; }), line = $("[data-rule-fault]", rule);
      line.hidden = !whole.length;
      line.textContent = whole.map(function (each) { return each.text; }).join(" ");
      var label = $("[data-label]", rule);
      if (whole.some(function (each) { return each.label; })) label.setAttribute("aria-invalid", "true"); else label.removeAttribute("aria-invalid");
    });
    var bad = $('[aria-invalid="true"]');
    if (bad) bad.focus();
  }

  panel.addEventListener("change", function (event) {
    if (event.target.matches("[data-colour]")) $("[data-swatch]", event.target.closest("[data-rule]")).dataset.c = event.target.value;
  });
  panel.addEventListener("tw:apply", apply);
  panel.addEventListener("keydown", function (event) {
    if (event.key === "Enter" && event.target.matches("input[data-value], [data-label], [data-formula]")) { event.preventDefault(); apply(); }
    if (event.key === "Escape" && !event.defaultPrevented && !panel.querySelector("details[open]")) { event.preventDefault(); open(false); }
  });
  panel.addEventListener("click", function (event) {
    var button = event.target.closest("button"), rule = button && button.closest("[data-rule]");
    if (!button) return;
    if (button.hasAttribute("data-add-rule")) add();
    else if (button.hasAttribute("data-rule-remove")) { rule.remove(); tidy(); $("[data-add-rule]").focus(); }
    else if (button.hasAttribute("data-rule-up")) { if (rule.previousElementSibling) rule.parentElement.insertBefore(rule, rule.previousElementSibling); button.focus(); }
    else if (button.hasAttribute("data-close")) open(false);
    else if (button.hasAttribute("data-none")) go("");
    else if (button.hasAttribute("data-apply")) apply();
  });
})();
