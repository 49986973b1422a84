// The timeline of a record: comments are sent, answered, edited and seen without loading the page again. It
// stands beside a record on its page, and in the panel beside a list (peek.js starts and ends it there).
window.tabwrightTimeline = function (rail, isPage) {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var forms = HTMLFormElement.prototype, ended = new AbortController(), keeps = [];
  var days = $("[data-days]", rail), said = $("[data-said]", rail), mark = rail.dataset.mark;
  var EVERY = 20000, ACTIVE = 15 * 60000, active = Date.now(), timer = null, asking = false, stopped = false;

  function listen(to, name, run, passive) { to.addEventListener(name, run, { signal: ended.signal, passive: Boolean(passive) }); }
  function lineOf(id) { return $("[data-comment='" + id + "']", rail); }
  function json(href, body) {
    return fetch(href, { method: body ? "POST" : "GET", body: body, headers: { "Accept": "application/json" }, credentials: "same-origin" });
  }
  function data(form) { return new URLSearchParams(new FormData(form)); }
  function element(html) {
    var held = document.createElement("template");
    held.innerHTML = html.trim(); // of our own server, which escapes what people typed
    return held.content.firstElementChild;
  }
  function fault(form, text) {
    var line = $("[data-error]", form);
    $("span", line).textContent = text || ""; line.hidden = !text;
    var area = $("textarea", form);
    if (area) { if (text) area.setAttribute("aria-invalid", "true"); else area.removeAttribute("aria-invalid"); }
  }

  // ---- what the server says of threads is put where it belongs ----
  function tidy() {
    all("ol", days).forEach(function (list) {
      if (list.parentNode !== days || list.children.length) return;
      if (list.previousElementSibling) list.previousElementSibling.remove();
      list.remove();
    });
  }
  function put(thread) {
    var fresh = element(thread.html), known = all("[data-thread='" + thread.id + "']", rail), newest = $("[data-thread]", days);
    if (known.length) {
      known.forEach(function (old) {
        var open = $("form.tw-creplyform", old), made = fresh.cloneNode(true), at = document.activeElement;
        if ($("form[data-comment-form]", old)) return; // somebody is at it
        old.replaceWith(made);
        if (open) { made.lastElementChild.appendChild(open); if (open.contains(at)) at.focus(); }
      });
      return;
    }
    if (rail.dataset.show === "changes" || !rail.dataset.start || newest && Number(newest.dataset.at) > thread.at) return;
    var none = $("[data-none]", days), heading = $("h3", days), list;
    if (none) none.remove();
    if (heading && heading.dataset.day === thread.date) list = heading.nextElementSibling;
    else {
      heading = document.createElement("h3"); heading.dataset.day = thread.date; heading.textContent = thread.day;
      list = document.createElement("ol");
      days.prepend(heading, list);
    }
    list.prepend(fresh);
  }
  function apply(told) {
    told.threads.slice().reverse().forEach(put);
    told.gone.forEach(function (id) { all("[data-comment='" + id + "']", rail).forEach(function (each) { each.remove(); }); });
    tidy();
    var count = $("[data-count]", rail), number = document.createElement("span"), words = document.createElement("span");
    count.textContent = "";
    if (told.count) {
      number.textContent = told.count; number.setAttribute("aria-hidden", "true");
      words.textContent = told.count_text; words.className = "tw-sr";
      count.append(number, words);
    }
    if (told.said) said.textContent = told.said;
  }

  // ---- sending ----
  function send(form, done) {
    var button = $('button[type="submit"]', form);
    if (button.getAttribute("aria-disabled") === "true") return; // once
    button.setAttribute("aria-disabled", "true");
    fault(form, "");
    json(form.getAttribute("action"), data(form))
      .then(function (answer) { return answer.json().then(function (told) { return { ok: answer.ok, told: told }; }); })
      .then(function (came) {
        if (!came.ok) { fault(form, came.told.detail); return; }
        done(came.told);
      }).catch(function () { fault(form, rail.dataset.away); }) // typed text stays
      .finally(function () { button.removeAttribute("aria-disabled"); });
  }
  function flash(id) {
    var line = lineOf(id);
    if (!line) return;
    line.classList.add("is-new");
    setTimeout(function () { line.classList.remove("is-new"); }, 2500);
  }
  function composer(form) {
    var area = $("textarea", form), kept = $("[data-kept]", form), late = null, waiting = null, changed = false, sent = false;
    function keep() {
      clearTimeout(late); late = null;
      if (!changed || sent) return;
      if (waiting) { late = setTimeout(keep, 300); return; } // one after the other, so that the last one stays
      changed = false;
      waiting = json(form.dataset.draft, data(form))
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); if (area.value.trim()) kept.textContent = kept.dataset.text; })
        .catch(function () { changed = true; })
        .finally(function () { waiting = null; });
    }
    form.addEventListener("input", function () { changed = true; kept.textContent = ""; fault(form, ""); clearTimeout(late); late = setTimeout(keep, 900); });
    keeps.push(keep);
    listen(document, "visibilitychange", function () {
      if (document.visibilityState === "hidden" && changed && !sent && form.isConnected && navigator.sendBeacon(form.dataset.draft, data(form))) changed = false;
    });
    form.addEventListener("submit", function (event) {
      event.preventDefault();
      clearTimeout(late); changed = false; sent = true;
      // The comment comes after its last draft, so that it clears it.
      Promise.resolve(waiting).then(function () {
        send(form, function (told) {
          apply(told);
          area.value = ""; form.elements.picked.value = ""; kept.textContent = "";
          area.dispatchEvent(new Event("input", { bubbles: true }));
          clearTimeout(late); changed = false;
          if (form.classList.contains("tw-creplyform")) form.remove();
          var line = $("[data-comment='" + told.id + "'] .tw-cacts a, [data-comment='" + told.id + "'] .tw-cwhen", rail);
          if (form.isConnected) area.focus(); else if (line) line.focus();
          flash(told.id);
        });
        sent = false;
      });
    });
    if (window.tabwrightMentions) window.tabwrightMentions(form);
  }
  listen(document, "keydown", function (event) {
    var form = event.target.closest && event.target.closest("form.tw-composer");
    if (!form || !rail.contains(form) || event.isComposing) return;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); forms.requestSubmit.call(form); }
    if (event.key === "Escape" && $("[data-cancel]", form)) { event.preventDefault(); $("[data-cancel]", form).click(); }
  });

  // ---- answers ----
  function answer(line, text, picked) {
    var held = $("template[data-reply-form]", rail), old = $("form.tw-creplyform", rail);
    if (!held || !line) return null;
    var thread = line.closest("[data-thread]");
    if (old && thread.contains(old)) return old;
    if (old) old.remove();
    var form = held.content.firstElementChild.cloneNode(true);
    form.elements.parent.value = line.dataset.comment;
    $("textarea", form).value = text || ""; form.elements.picked.value = picked || "";
    thread.lastElementChild.appendChild(form);
    composer(form);
    return form;
  }

  // ---- a form that the server has for a comment, shown where the comment stands ----
  function inplace(link) {
    var line = link.closest("[data-comment]"), body = $("[data-comment-body]", line), acts = link.closest(".tw-cacts");
    if ($("form[data-comment-form]", line)) return;
    fetch(link.href, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok || answer.redirected) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        var form = new DOMParser().parseFromString(html, "text/html").querySelector("form[data-comment-form]"), edits = link.dataset.inplace === "edit";
        if (!form || !line.isConnected) throw new Error("gone");
        form = document.importNode(form, true);
        form.removeAttribute("data-timeline");
        body.after(form); body.hidden = edits; acts.hidden = true;
        function close() { form.remove(); body.hidden = false; acts.hidden = false; }
        form.addEventListener("submit", function (event) {
          event.preventDefault();
          send(form, function (told) {
            close(); apply(told);
            var back = $("[data-comment='" + told.id + "'] .tw-cacts a", rail) || $(".tw-cwhen", days) || $("textarea", rail);
            if (back) back.focus();
          });
        });
        $("[data-cancel]", form).addEventListener("click", function (event) { event.preventDefault(); close(); link.focus(); });
        if (window.tabwrightMentions) window.tabwrightMentions(form);
        var first = $("textarea", form) || $("button", form);
        first.focus();
        if (first.setSelectionRange) first.setSelectionRange(first.value.length, first.value.length);
      }).catch(function () { location.href = link.href; });
  }

  // ---- pieces ----
  function more(link) {
    link.setAttribute("aria-disabled", "true");
    fetch(link.dataset.more, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok || answer.redirected) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        var held = document.createElement("template"), last = all("h3[data-day]", days).pop();
        held.innerHTML = html; // the server escapes what people typed
        var first = $("h3[data-day]", held.content), next = first && first.nextElementSibling, line = $("li", held.content);
        if (first && last && first.dataset.day === last.dataset.day) {
          all(":scope > li", next).forEach(function (each) { last.nextElementSibling.appendChild(each); });
          first.remove(); next.remove();
        }
        link.parentNode.remove();
        days.appendChild(held.content);
        if (line) { line.tabIndex = -1; line.focus({ preventScroll: true }); }
      }).catch(function () { location.href = link.href; });
  }
  function only(link) {
    fetch(rail.dataset.timeline + "/timeline?show=" + link.dataset.showOnly, { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok || answer.redirected) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        days.innerHTML = html; // the server escapes what people typed
        rail.dataset.show = link.dataset.showOnly; rail.dataset.start = "1";
        all("[data-show-only]", rail).forEach(function (each) { if (each === link) each.setAttribute("aria-current", "true"); else each.removeAttribute("aria-current"); });
        if (isPage) history.replaceState(history.state, "", link.getAttribute("href").replace(/#.*/, ""));
      }).catch(function () { location.href = link.href; });
  }
  listen(document, "click", function (event) {
    if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    var write = isPage && event.target.closest("[data-write]"), area = $("[data-composer] textarea", rail);
    if (write && area) { event.preventDefault(); area.focus(); area.scrollIntoView({ block: "center" }); return; }
    if (!rail.contains(event.target)) return;
    var link = event.target.closest("a[href], button");
    if (!link) return;
    if (link.matches("[data-reply]")) {
      var form = answer(link.closest("[data-comment]"));
      if (form) { event.preventDefault(); $("textarea", form).focus(); }
    } else if (link.matches("[data-inplace]")) { event.preventDefault(); inplace(link); }
    else if (link.matches("[data-more]")) { event.preventDefault(); if (link.getAttribute("aria-disabled") !== "true") more(link); }
    else if (link.matches("[data-show-only]")) { event.preventDefault(); only(link); }
    else if (link.matches(".tw-creplyform [data-cancel]")) {
      var open = link.closest("form"), back = $("[data-reply]", open.closest("[data-thread]"));
      $("textarea", open).value = "";
      json(open.dataset.draft, data(open)).catch(function () {}); // what is given up is forgotten
      open.remove();
      if (back) back.focus();
    }
  });

  // ---- following ----
  var follow = $("[data-follow]", rail);
  if (follow) follow.addEventListener("submit", function (event) {
    event.preventDefault();
    var button = $("button", follow), body = data(follow);
    body.set("do", button.value);
    json(follow.getAttribute("action"), body).then(function (answer) {
      if (!answer.ok) throw new Error(answer.status);
      var on = button.value === "follow";
      button.value = on ? "unfollow" : "follow"; button.classList.toggle("is-on", on);
      $("span", button).textContent = on ? button.dataset.on : button.dataset.off;
      said.textContent = $("span", button).textContent;
    }).catch(function () { said.textContent = rail.dataset.away; });
  });

  // ---- what others write: asked for while somebody looks ----
  function soon(after) { clearTimeout(timer); if (!stopped && document.visibilityState === "visible") timer = setTimeout(ask, after); }
  function ask() {
    if (asking || stopped) return;
    if (Date.now() - active > ACTIVE) { timer = null; return; } // until somebody is there again
    asking = true;
    json(rail.dataset.timeline + "/timeline/news?mark=" + encodeURIComponent(mark))
      .then(function (answer) {
        if (answer.status === 204) return null;
        if (answer.status === 401 || answer.status === 403 || answer.status === 404) { stopped = true; return null; }
        if (!answer.ok) throw new Error(answer.status);
        return answer.json();
      })
      .then(function (told) { if (told) { mark = told.mark; apply(told); } asking = false; soon(EVERY); })
      .catch(function () { asking = false; soon(3 * EVERY); });
  }
  ["pointerdown", "keydown", "wheel", "touchstart"].forEach(function (name) {
    listen(document, name, function () { var was = active; active = Date.now(); if (active - was > ACTIVE) soon(0); }, true);
  });
  listen(document, "visibilitychange", function () { if (document.visibilityState === "visible") { active = Date.now(); soon(500); } else clearTimeout(timer); });
  soon(EVERY);

  // ---- at first ----
  all("form[data-composer]", rail).forEach(composer);
  var begun = $("[data-reply-draft]", rail);
  if (begun) answer($("[data-comment='" + CSS.escape(begun.dataset.replyDraft) + "']", days), begun.value, begun.dataset.picked);
  function reach() {
    var line = /^#c-[0-9a-f]{32}$/.test(location.hash) && $(location.hash), fold = line && line.closest("details");
    if (!line) return;
    if (fold) fold.open = true;
    line.scrollIntoView({ block: "center" });
    flash(location.hash.slice(3));
  }
  if (isPage) { listen(window, "hashchange", reach); reach(); }

  return function () { keeps.forEach(function (keep) { keep(); }); stopped = true; clearTimeout(timer); ended.abort(); };
};
(function () {
  "use strict";
  var rail = document.querySelector("[data-timeline].tw-rec-rail");
  if (rail) window.tabwrightTimeline(rail, true);
})();
