// The colour rules of a list view: what their rows say goes into the formula that the form posts, and back.
(function () {
  "use strict";
  var box = document.querySelector("[data-rules]"), conditions = window.tabwrightConditions;
  if (!box || !conditions) return;
  var csrf = document.querySelector("form[data-bench] input[name=_csrf]").value, form = document.querySelector("form[data-bench]"), waiting = new WeakMap();
  var ruleOf = function (el) { return el.closest(".bn-rule"); };
  function formula(rule) { return rule.querySelector('[name^="when:"]'); }
  function put(rule, text) {
    rule.querySelector("[data-rule-unset]").hidden = !!text;
    if (formula(rule).value === text) return;
    formula(rule).value = text;
    formula(rule).dispatchEvent(new CustomEvent("change", { bubbles: true, detail: "rows" }));
  }
  function say(rule) { // the rows that are filled, as a formula
    var builder = rule.querySelector("[data-builder]"), condition = conditions.read(conditions.root(builder), true);
    if (!Object.values(condition)[0].length) { put(rule, ""); return; }
    fetch(box.dataset.href, { method: "POST", body: new URLSearchParams({ _csrf: csrf, condition: JSON.stringify(condition) }), credentials: "same-origin" })
      .then(function (answer) { return answer.json().then(function (json) { return { ok: answer.ok, json: json }; }); })
      .then(function (answer) {
        if (!builder.isConnected) return;
        conditions.tell(builder, answer.ok ? [] : answer.json.faults || [], false);
        if (answer.ok) put(rule, answer.json.where);
      }).catch(function () {});
  }
  // The nodes may be others after an undo: listen where they stand in.
  form.addEventListener("tw:conditions", function (event) {
    var rule = ruleOf(event.target);
    if (!rule) return;
    clearTimeout(waiting.get(rule)); waiting.set(rule, setTimeout(function () { say(rule); }, 250));
  });
  form.addEventListener("change", function (event) {
    var rule = ruleOf(event.target);
    if (!rule) return;
    if (event.target.matches('[name^="colour:"]')) rule.querySelector("[data-colour-name]").textContent = event.target.getAttribute("aria-label");
    if (event.target.matches('[name^="when:"]') && event.detail !== "rows") { // typed: the rows follow it
      rule.querySelector("[data-rule-unset]").hidden = !!event.target.value.trim();
      conditions.get(box.dataset.href + "?where=" + encodeURIComponent(event.target.value)).then(function (html) {
        var made = document.createElement("template");
        made.innerHTML = html; // of our own server, which escapes what people typed
        rule.querySelector("[data-rule-rows]").replaceChildren(made.content.querySelector("[data-builder]"));
      }).catch(function () {});
    }
  });
  form.addEventListener("click", function (event) {
    if (!event.target.closest("[data-rules] [data-make]")) return;
    setTimeout(function () { // bench.js has put the new rule there
      var rules = form.querySelectorAll("[data-rules] .bn-rule"), group = rules[rules.length - 1].querySelector("[data-builder] > [data-group]");
      if (!group.querySelector("[data-row]")) conditions.addRow(group).catch(function () {});
    }, 0);
  });
})();
