// What is typed in a form goes to the server as a draft, a moment after the last key.
(function () {
  "use strict";
  var form = document.querySelector("form[data-draft]"), state = document.querySelector("[data-draft-state]");
  if (!form) return;
  var forms = HTMLFormElement.prototype, timer = null, changed = false, leaving = false, asking = null;

  function data() { return new URLSearchParams(new FormData(form)); }
  function say(text) { if (state) state.textContent = text; }
  function keep() {
    clearTimeout(timer); timer = null;
    if (leaving || !changed) return;
    if (asking) { timer = setTimeout(keep, 300); return; } // one after the other, so that the last one stays
    changed = false;
    asking = fetch(form.dataset.draft, { method: "POST", body: data(), headers: { "Accept": "application/json" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); say(state.dataset.kept); })
      .catch(function () { changed = true; say(state.dataset.away); })
      .finally(function () { asking = null; });
  }
  function soon() { changed = true; say(""); clearTimeout(timer); timer = setTimeout(keep, 900); }
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  document.addEventListener("visibilitychange", function () {
    if (document.visibilityState === "hidden" && changed && !leaving && navigator.sendBeacon(form.dataset.draft, data())) changed = false;
  });
  // The save comes after the last draft, so that it clears it.
  form.addEventListener("submit", function (event) {
    leaving = true; clearTimeout(timer);
    if (!asking || event.defaultPrevented) return;
    var by = event.submitter;
    event.preventDefault();
    asking.finally(function () { forms.requestSubmit.call(form, by); });
  });
  document.addEventListener("submit", function (event) { if (event.target.id === "draft-discard") { leaving = true; clearTimeout(timer); } });
  window.addEventListener("pageshow", function () { leaving = false; });
})();
