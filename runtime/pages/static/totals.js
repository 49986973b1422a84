// The totals of a list come after it, so that it need not wait for them.
(function () {
  "use strict";
  var foot = document.querySelector("tfoot[data-totals]");
  if (!foot) return;
  fetch(foot.dataset.totals, { headers: { Accept: "text/html" }, credentials: "same-origin" })
    .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
    .then(function (html) { foot.innerHTML = html; foot.hidden = false; }) // the server escapes what people typed
    .catch(function () {});
})();
