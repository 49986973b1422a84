// The totals of a list come after it, so that it need not wait for them; and again when a value in it was changed.
(function () {
  "use strict";
  var foot = document.querySelector("tfoot[data-totals]"), latest = 0;
  if (!foot) return;
  function load() {
    var mine = ++latest;
    fetch(foot.dataset.totals, { headers: { Accept: "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) { if (mine === latest) { foot.innerHTML = html; foot.hidden = false; } }) // the server escapes what people typed
      .catch(function () {});
  }
  document.addEventListener("tw:changed", load);
  load();
})();
