// The panel beside a page (?peek=), and previous/next along the list that a record was opened from.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var typing = function (el) { return el && (el.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(el.tagName)); };
  var ADDRESS = /^\/o\/([a-z0-9_]+)\/([0-9a-f-]{32,36})$/, KEY = "tw-trail";
  var panel = $("#peek");
  if (!panel) return;

  function target(href) { var found = ADDRESS.exec(new URL(href, location.href).pathname); return found && { object: found[1], id: found[2] }; }

  // ---- the trail: the records of a list in its order, with the pages before and after ----
  function links(group) { return all(".is-name a[href], [data-peek] h3 a[href]", group).filter(function (a) { return target(a.href); }); }
  function idsOf(group) { var seen = {}; return links(group).map(function (a) { return target(a.href).id; }).filter(function (id) { var is = seen[id]; seen[id] = true; return !is; }); }
  function pages(page) {
    var next = page.querySelector('.tw-foot a[rel="next"]'), previous = page.querySelector('.tw-foot a[rel="prev"]');
    return { next: next && next.getAttribute("href"), previous: previous && previous.getAttribute("href") };
  }
  function trailFrom(link) {
    var group = link.closest("table, [data-board], [data-calendar]") || document, listed = group.closest(".tw-relwrap, .tw-peek") ? {} : pages(document);
    return { object: target(link.href).object, ids: idsOf(group), next: listed.next || null, previous: listed.previous || null };
  }
  // The record one step on; at an end the list's next page is read. Promises its id, or null.
  function step(trail, id, way) {
    var at = trail.ids.indexOf(id), other = at < 0 ? null : trail.ids[at + way], more = way > 0 ? "next" : "previous";
    if (other || at < 0 || !trail[more]) return Promise.resolve(other || null);
    return fetch(trail[more], { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        var page = new DOMParser().parseFromString(html, "text/html"), table = page.querySelector(".tw-tablewrap table"), found = table ? all(".is-name a[href]", table) : [];
        var ids = found.map(function (a) { var there = ADDRESS.exec(a.getAttribute("href")); return there && there[2]; }).filter(function (each) { return each && trail.ids.indexOf(each) < 0; });
        trail[more] = pages(page)[more];
        trail.ids = way > 0 ? trail.ids.concat(ids) : ids.concat(trail.ids);
        return trail.ids[trail.ids.indexOf(id) + way] || null;
      });
  }
  function may(trail, id, way) { var at = trail.ids.indexOf(id); return at >= 0 && Boolean(trail.ids[at + way] || trail[way > 0 ? "next" : "previous"]); }
  function keep(trail) { try { sessionStorage.setItem(KEY, JSON.stringify(trail)); } catch (error) { /* no storage, no trail */ } }
  function kept() { try { return JSON.parse(sessionStorage.getItem(KEY)); } catch (error) { return null; } }

  document.addEventListener("click", function (event) {
    var link = event.target.closest("a[href]");
    if (link && target(link.href) && link.closest(".is-name, [data-peek] h3")) keep(trailFrom(link));
  });

  // ---- the record's page: previous and next ----
  var bar = $("[data-trail]"), here = ADDRESS.exec(location.pathname), trail = kept();
  function dash(id) { return id.replace(/-/g, ""); }
  if (bar && here && trail && trail.object === here[1]) {
    var now = trail.ids.filter(function (each) { return dash(each) === dash(here[2]); })[0];
    if (now && trail.ids.length + (trail.next ? 1 : 0) + (trail.previous ? 1 : 0) > 1) {
      bar.hidden = false;
      [["previous", -1], ["next", 1]].forEach(function (each) {
        var link = $("[data-trail-" + each[0] + "]", bar), other = trail.ids[trail.ids.indexOf(now) + each[1]];
        if (!may(trail, now, each[1])) { link.setAttribute("aria-disabled", "true"); return; }
        link.href = other ? "/o/" + trail.object + "/" + other : "#";
        link.addEventListener("click", function (event) {
          event.preventDefault();
          step(trail, now, each[1]).then(function (id) { keep(trail); if (id) location.href = "/o/" + trail.object + "/" + id; }).catch(function () {});
        });
      });
      if (!trail.previous) $("[data-trail-place]", bar).textContent = (trail.ids.indexOf(now) + 1) + " / " + trail.ids.length + (trail.next ? "+" : "");
    }
  }

  // ---- the panel ----
  var open = null, opener = null, pushed = false, asked = 0, quiet = null;
  function hush() { if (quiet) quiet(); quiet = null; } // the timeline of what was shown before ends
  function pageObject() { var found = /^\/o\/([a-z0-9_]+)/.exec(location.pathname); return found && found[1]; }
  function address(what) {
    var to = new URL(location.href);
    if (what) to.searchParams.set("peek", what.object === pageObject() ? what.id : what.object + "." + what.id);
    else to.searchParams.delete("peek");
    return to;
  }
  function wanted() {
    var given = new URL(location.href).searchParams.get("peek");
    if (!given) return null;
    var parts = given.split("."), what = { object: parts.length > 1 ? parts[0] : pageObject(), id: parts[parts.length - 1] };
    return ADDRESS.test("/o/" + what.object + "/" + what.id) ? what : null;
  }
  function linkOf(what) { return links(document).filter(function (a) { var found = target(a.href); return found.id === what.id && found.object === what.object && !panel.contains(a); })[0]; }
  // Names of elements in the panel must not meet those of the page.
  function rename(from) {
    all("[id]", from).forEach(function (el) { el.id = "pk-" + el.id; });
    ["aria-labelledby", "aria-describedby", "for"].forEach(function (name) {
      all("[" + name + "]", from).forEach(function (el) { el.setAttribute(name, el.getAttribute(name).split(" ").map(function (id) { return "pk-" + id; }).join(" ")); });
    });
    all('a[href^="#"]', from).forEach(function (el) { el.setAttribute("href", "#pk-" + el.getAttribute("href").slice(1)); });
  }
  function mark(what) {
    all(".is-peeked").forEach(function (el) { el.classList.remove("is-peeked"); });
    var link = what && linkOf(what), row = link && (link.closest("[data-peek]") || link.closest("tr"));
    if (row) row.classList.add("is-peeked");
  }
  function show(what, focus) {
    var mine = ++asked, at = "/o/" + what.object + "/" + what.id, body = $("[data-peek-body]", panel), list = panel.trail;
    open = what; panel.hidden = false; document.body.classList.add("has-peek");
    $("[data-peek-open]", panel).href = at; mark(what);
    $("[data-peek-previous]", panel).disabled = !list || !may(list, what.id, -1);
    $("[data-peek-next]", panel).disabled = !list || !may(list, what.id, 1);
    var place = list ? list.ids.indexOf(what.id) : -1;
    $("[data-peek-place]", panel).textContent = place >= 0 && !list.previous ? (place + 1) + " / " + list.ids.length + (list.next ? "+" : "") : "";
    if (focus) panel.focus();
    fetch(at + "/peek?back=" + encodeURIComponent(location.pathname + location.search), { headers: { "Accept": "text/html" }, credentials: "same-origin" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
      .then(function (html) {
        if (mine !== asked) return;
        hush();
        body.innerHTML = html; // the server escapes what people typed
        rename(body); body.scrollTop = 0;
        var rail = $("[data-timeline]", body);
        if (rail) quiet = window.tabwrightTimeline(rail, false);
        $("[data-peek-name]", panel).textContent = $("[data-name]", body).dataset.name;
      }).catch(function () {
        if (mine !== asked) return;
        $("[data-peek-name]", panel).textContent = ""; body.textContent = panel.dataset.failed;
      });
  }
  function peek(link) {
    var what = target(link.href);
    opener = link.closest(".tw-kcard") || link; panel.trail = trailFrom(link);
    if (open) history.replaceState({ peek: true }, "", address(what)); else { history.pushState({ peek: true }, "", address(what)); pushed = true; }
    show(what, true);
  }
  function hide() {
    if (!open) return;
    var back = linkOf(open), shown = back && (back.closest(".tw-kcard") || back);
    hush(); open = null; asked += 1; panel.hidden = true; document.body.classList.remove("has-peek"); mark(null);
    if (shown || opener) (shown || opener).focus();
  }
  function close() {
    if (pushed) { pushed = false; history.back(); } else { history.replaceState(null, "", address(null)); hide(); }
  }
  function go(way) {
    if (!open || !panel.trail) return;
    step(panel.trail, open.id, way).then(function (id) {
      if (!id || !open) return;
      var what = { object: open.object, id: id };
      history.replaceState({ peek: true }, "", address(what)); show(what, false);
    }).catch(function () {});
  }
  function sync() {
    var what = wanted();
    if (!what) { pushed = false; hide(); return; }
    var link = linkOf(what);
    panel.trail = link ? trailFrom(link) : null;
    show(what, false);
  }
  window.addEventListener("popstate", sync);
  $("[data-peek-close]", panel).addEventListener("click", close);
  $("[data-peek-previous]", panel).addEventListener("click", function () { go(-1); });
  $("[data-peek-next]", panel).addEventListener("click", function () { go(1); });

  // A button beside each name, made here since without script there is no panel.
  function dress(from) {
    all(".is-name > a[href]", from).forEach(function (link) {
      if (!target(link.href) || panel.contains(link) || $(".tw-peekbtn", link.parentNode)) return;
      var button = $("#peek-button").content.firstElementChild.cloneNode(true);
      button.setAttribute("aria-label", panel.dataset.row.replace("{name}", link.textContent));
      link.parentNode.appendChild(button); link.parentNode.classList.add("has-peekbtn");
    });
  }
  dress(document);
  document.addEventListener("click", function (event) {
    var button = event.target.closest(".tw-peekbtn, [data-peek-card]");
    if (!button) return;
    var link = $("a[href]", button.closest(".is-name, [data-peek]"));
    if (link) { event.preventDefault(); peek(link); }
  });
  document.addEventListener("keydown", function (event) {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || event.defaultPrevented) return;
    if (event.key === " ") {
      var place = event.target.closest && event.target.closest(".is-name, [data-peek]");
      if (!place || event.target.closest("button") || panel.contains(event.target)) return;
      var link = $("a[href]", place);
      if (link && target(link.href)) { event.preventDefault(); peek(link); }
      return;
    }
    if (event.key === "j" || event.key === "k") {
      var way = event.key === "j" ? 1 : -1, there = bar && !bar.hidden && $(way > 0 ? "[data-trail-next]" : "[data-trail-previous]", bar);
      if (open) { event.preventDefault(); go(way); } else if (there && there.href) { event.preventDefault(); there.click(); }
      return;
    }
    if (event.key === "Escape" && open && !$("dialog[open], details.tw-pop[open], .tw-kmenu")) { event.preventDefault(); close(); }
  });
  window.tabwrightPeek = { peek: peek };
  if (wanted()) sync();
})();
