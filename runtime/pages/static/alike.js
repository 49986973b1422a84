// While a new record is typed: records that may be the same, under the field, each in a tab of its own.
(function () {
  "use strict";
  var form = document.querySelector("form[data-alike]");
  if (!form) return;
  var fields = form.dataset.alikeFields.split(" "), timers = {}, asked = {};
  form.addEventListener("input", function (event) {
    var name = event.target.name;
    if (fields.indexOf(name) < 0) return;
    clearTimeout(timers[name]);
    timers[name] = setTimeout(function () { ask(event.target, name); }, 150);
  });
  function ask(input, name) {
    var mine = asked[name] = (asked[name] || 0) + 1;
    fetch(form.dataset.alike + "?" + new URLSearchParams({ field: name, text: input.value }), { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        var block = input.closest(".tw-f");
        if (mine !== asked[name] || !block) return;
        var told = block.querySelector(".tw-alike");
        if (!told) {
          told = document.createElement("div"); told.className = "tw-alike"; told.setAttribute("role", "status");
          block.appendChild(told);
        }
        told.innerHTML = html; // the server escapes what people typed
      }).catch(function () {});
  }
})();
