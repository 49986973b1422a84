// What boards and calendars share: a record is put elsewhere by one request; what it needs is asked in one dialog.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var root = $("[data-board], [data-calendar]");
  if (!root) return;
  var dialog = $("#ask"), form = $("[data-ask]"), told = $("[data-told]");

  function post(id, given) {
    var body = new URLSearchParams(given);
    return fetch("/o/" + root.dataset.object + "/" + id + "/move", {
      method: "POST", body: body, credentials: "same-origin",
      headers: { "Accept": "application/json", "X-CSRFToken": root.dataset.csrf }
    }).then(function (answer) { return answer.json().then(function (found) { found.ok = answer.ok; return found; }); });
  }

  function sign(number) { return $("[data-told-signs]").content.children[number].cloneNode(true); } // done, refused, close

  // A line at the foot of the page; with an undo it stays longer.
  function tell(text, undo, refused) {
    var toast = document.createElement("div"), said = document.createElement("span");
    toast.className = "tw-toast"; said.textContent = text; toast.append(sign(refused ? 1 : 0), said);
    if (undo) {
      var back = document.createElement("form"), token = document.createElement("input"), button = document.createElement("button");
      back.method = "post"; back.setAttribute("action", undo); back.className = "tw-inline";
      token.type = "hidden"; token.name = "_csrf"; token.value = root.dataset.csrf;
      button.className = "btn btn-quiet btn-sm tw-act"; button.textContent = root.dataset.undo; button.setAttribute("data-take-back", "");
      back.append(token, button); toast.appendChild(back);
    }
    var close = document.createElement("button");
    close.type = "button"; close.className = "btn btn-quiet btn-icon btn-sm"; close.setAttribute("aria-label", root.dataset.close);
    close.appendChild(sign(2)); close.addEventListener("click", function () { toast.remove(); }); toast.appendChild(close);
    told.replaceChildren(toast);
    var timer = setTimeout(function () { toast.remove(); }, undo ? 30000 : 12000);
    toast.addEventListener("focusin", function () { clearTimeout(timer); });
  }

  // Asks for the fields; calls back with what was typed, or with null where the person gives up.
  function ask(answer, done) {
    var finished = false;
    $("#ask-title").textContent = answer.title;
    $("[data-inputs]", dialog).innerHTML = answer.inputs; // the server escapes what people typed
    $("[data-notes]", dialog).replaceChildren.apply($("[data-notes]", dialog), answer.notes.map(function (text) {
      var line = document.createElement("p"); line.className = "tw-note is-seal"; line.textContent = text; return line;
    }));
    document.dispatchEvent(new CustomEvent("tw:fields"));
    function finish(value) {
      if (finished) return;
      finished = true; form.onsubmit = null; dialog.oncancel = null; dialog.onclick = null;
      dialog.close(); done(value);
    }
    form.onsubmit = function (event) {
      event.preventDefault();
      var given = {};
      new FormData(form).forEach(function (value, name) { given[name] = value; });
      given._ask = answer.asked;
      finish(given);
    };
    dialog.oncancel = function (event) { event.preventDefault(); finish(null); };
    dialog.onclick = function (event) { if (event.target.closest("[data-back]")) finish(null); };
    dialog.showModal();
    var first = $("[aria-invalid='true'], input:not([type=hidden]), select, textarea", $("[data-inputs]", dialog));
    if (first) first.focus();
  }

  // Moves a record: ``given`` says where to; ``done`` gets the answer, or null where it stays where it was.
  function move(id, revision, given, done) {
    var first = Object.assign({ revision: revision }, given);
    function step(more) {
      post(id, Object.assign({}, more, first)).then(function (answer) {
        if (answer.ok) { tell(answer.said, answer.undo); done(answer); return; }
        if (answer.inputs !== undefined) {
          ask(answer, function (typed) { if (typed === null) done(null); else step(typed); });
          return;
        }
        tell(answer.refused || root.dataset.failed, null, true); done(null);
      }).catch(function () { tell(root.dataset.failed, null, true); done(null); });
    }
    step({});
  }

  // The page as it is now at the server, to take parts of it over.
  function fresh() {
    return fetch(location.href, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) { return new DOMParser().parseFromString(html, "text/html"); });
  }

  window.tabwrightMoving = { move: move, tell: tell, fresh: fresh, root: root };
})();
