// A form asks whether its session still is before it is sent; where not, the person signs in without leaving it.
(function () {
  "use strict";
  if (window.twSession) return; // asked for twice
  window.twSession = true;
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var forms = HTMLFormElement.prototype; // a field may be named "submit"

  var resume = $("form[data-resume]");
  if (resume) { forms.submit.call(resume); return; }

  var sure = null, asking = false, later = null; // what goes on when the page itself was asking just then
  document.addEventListener("submit", function (event) {
    var form = event.target;
    if (!form.matches("form[data-session]")) return;
    if (sure === form) { sure = null; return; }
    event.preventDefault(); event.stopPropagation();
    var by = event.submitter;
    function go() { asking = false; sure = form; forms.requestSubmit.call(form, by); }
    if (asking) { later = go; return; }
    asking = true;
    fetch("/session?for=" + encodeURIComponent(mark(form)), { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { return heard(answer, form, go); })
      .catch(go); // cannot be asked: as without scripts
  }, true);

  function mark(form) {
    var field = form && $('input[name="_for"]', form), page = $("[data-whose]");
    return field ? field.value : page ? page.dataset.whose : "";
  }

  // Whatever a page fetches, on any page: once the session is over, the person may sign in over it and go on.
  var plain = window.fetch;
  window.fetch = function (address) {
    return plain.apply(this, arguments).then(function (answer) {
      var to = new URL(answer.url || String(address.url || address), location.href);
      if (answer.status === 401 && to.origin === location.origin && to.pathname !== "/session") over();
      return answer;
    });
  };
  function over() {
    if (asking || !$("[data-whose]")) return;
    asking = true; later = null;
    var done = function () { asking = false; if (later) later(); };
    plain("/session?for=" + encodeURIComponent(mark(null)), { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { return heard(answer, null, done); })
      .catch(done);
  }

  function heard(answer, form, go) {
    if (answer.ok) return answer.json().then(function (said) { renew(said.csrf); go(); });
    if (!/^text\/html/.test(answer.headers.get("Content-Type") || "") || answer.status >= 500) { go(); return null; }
    return answer.text().then(function (html) { show(html, form, go); });
  }

  function renew(csrf) {
    Array.prototype.forEach.call(document.querySelectorAll('input[name="_csrf"]'), function (input) { input.value = csrf; });
  }

  function show(html, form, go) {
    var old = $("#session-dialog"), held = document.createElement("div");
    held.innerHTML = html; // of our own server, which escapes what people typed
    var dialog = $("dialog", held), typed = old ? $('input[name="address"]', old).value : "";
    if (!dialog) { go(); return; }
    if (old) old.remove(); // removing closes it, and says nothing
    document.body.appendChild(dialog);
    if (typed) $('input[name="address"]', dialog).value = typed;
    dialog.addEventListener("close", function () { dialog.remove(); asking = false; });
    $("[data-session-cancel]", dialog).addEventListener("click", function () { dialog.close(); });
    $("form", dialog).addEventListener("submit", function (event) {
      event.preventDefault();
      var data = new FormData(event.target);
      data.set("_for", mark(form));
      fetch("/session", { method: "POST", body: new URLSearchParams(data), headers: { "Accept": "text/html" }, credentials: "same-origin" })
        .then(function (answer) {
          return heard(answer, form, function () { dialog.remove(); go(); });
        }).catch(function () {}); // away: the dialog stays, and may be sent again
    });
    dialog.showModal();
  }
})();
