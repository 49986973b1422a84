// A record made in a small panel over the page: asked for by a lookup (tw:quick) or a link with data-quick.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  document.documentElement.setAttribute("data-quick-ready", ""); // lookups offer "new"

  function show(html, job) {
    var held = document.createElement("div"), old = $(".tw-quick");
    held.innerHTML = html; // of our own server, which escapes what people typed
    var dialog = $("dialog", held);
    if (old) { old.replaced = true; old.remove(); }
    document.body.appendChild(dialog);
    document.dispatchEvent(new CustomEvent("tw:fields"));
    dialog.addEventListener("close", function () {
      dialog.remove();
      if (!dialog.replaced && job.back && job.back.isConnected) job.back.focus();
    });
    dialog.addEventListener("keydown", function (event) { // keys of the page behind rest
      event.stopPropagation();
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); HTMLFormElement.prototype.requestSubmit.call($("form", dialog)); }
    });
    dialog.addEventListener("click", function (event) { if (event.target.closest("[data-quick-cancel]")) dialog.close(); });
    $("form", dialog).addEventListener("submit", function (event) {
      event.preventDefault();
      send(event.target, dialog, job);
    });
    dialog.showModal();
    var wrong = $('[aria-invalid="true"]', dialog) || $("input:not([type=hidden]), select, textarea", dialog);
    if (wrong) wrong.focus();
  }
  function send(form, dialog, job) {
    var button = $("button[type=submit]", form);
    if (button.getAttribute("aria-disabled") === "true") return; // once
    button.setAttribute("aria-disabled", "true");
    fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(new FormData(form)), headers: { "Accept": "application/json" }, credentials: "same-origin" })
      .then(function (answer) { return answer.json(); })
      .then(function (said) {
        if (said.panel) { show(said.panel, job); return; }
        if (!said.id) { note(form, said.detail); button.removeAttribute("aria-disabled"); return; }
        dialog.close();
        job.done(said);
      }).catch(function () { note(form, job.away); button.removeAttribute("aria-disabled"); }); // typed text stays
  }
  function note(form, text) {
    var told = $("[data-quick-note]", form) || document.createElement("p");
    told.className = "tw-err"; told.setAttribute("data-quick-note", ""); told.setAttribute("role", "alert"); told.textContent = text || "";
    $(".tw-dialog-body", form).appendChild(told);
  }
  function open(job) {
    fetch(job.href, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) {
        if (!answer.ok || answer.redirected) { window.open(job.href.replace("/panel", ""), "_blank", "noopener"); return null; }
        return answer.text().then(function (html) { show(html, job); });
      }).catch(function () {});
  }
  document.addEventListener("tw:quick", function (event) { open(event.detail); });

  // ---- related lists: the section is shown anew with the record in it ----
  document.addEventListener("click", function (event) {
    var link = event.target.closest("[data-quick]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    event.preventDefault();
    var section = link.closest("[data-related]");
    open({
      href: link.dataset.quick, back: link, away: link.dataset.away,
      done: function (said) {
        document.dispatchEvent(new CustomEvent("tw:toast", { detail: said.toast }));
        fetch(location.href, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
          .then(function (answer) { return answer.text(); })
          .then(function (html) {
            var fresh = new DOMParser().parseFromString(html, "text/html").querySelector('[data-related="' + CSS.escape(section.dataset.related) + '"]');
            if (!fresh) return;
            section.replaceWith(fresh);
            document.dispatchEvent(new CustomEvent("tw:fields"));
            var again = $("[data-quick]", fresh);
            if (again) again.focus();
          }).catch(function () { location.reload(); });
      }
    });
  });
})();
