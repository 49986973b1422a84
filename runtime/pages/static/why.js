// "Why is this value so?" opens over the page; without this script it is a page of its own.
(function () {
  "use strict";
  var dialog = null;
  function made() {
    if (dialog) return dialog;
    dialog = document.createElement("dialog");
    dialog.className = "tw-dialog tw-whydialog";
    dialog.setAttribute("aria-labelledby", "why-title");
    var head = document.createElement("header"), title = document.createElement("h2"), shut = document.createElement("button"), body = document.createElement("div");
    title.id = "why-title"; title.className = "tw-h16 tw-grow";
    shut.type = "button"; shut.className = "btn btn-quiet btn-icon btn-sm"; shut.textContent = "\u00d7";
    body.className = "tw-dialog-body";
    head.append(title, shut); dialog.append(head, body); document.body.appendChild(dialog);
    shut.addEventListener("click", function () { dialog.close(); });
    return dialog;
  }
  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[data-why]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    fetch(link.href, { credentials: "same-origin", headers: { "HX-Request": "true" } }).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      return answer.text();
    }).then(function (html) {
      var box = made();
      box.querySelector("h2").textContent = link.dataset.why;
      box.querySelector("header button").setAttribute("aria-label", link.dataset.shut);
      box.querySelector(".tw-dialog-body").innerHTML = html; // the server escapes what people typed
      if (!box.open) box.showModal();
    }).catch(function () { location.href = link.href; });
  });
})();
