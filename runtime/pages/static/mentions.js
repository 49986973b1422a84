// While somebody types after an @ in a comment, the people to mention are offered below.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  // What is typed after an @ that does not stand in an address of mail; a name may hold one space.
  var TYPED = /(^|[^A-Za-z0-9._%+-])[@＠]([^\s@＠，。、；：！？,;:!?]{0,40}(?: [^\s@＠，。、；：！？,;:!?]{0,40})?)$/;
  var made = 0;

  function grow(area) {
    area.style.height = "auto";
    area.style.height = Math.min(area.scrollHeight + 2, 320) + "px";
  }

  function dress(box) {
    var area = $("textarea", box), picked = $('input[name="picked"]', box), menu = $(".tw-menu", box), list = $("ul", menu);
    var holder = box.closest("[data-timeline]"), prefix = "mn" + (++made), at = -1, asked = 0, timer, request, composing = false;
    if (!holder) return;
    list.id = prefix;
    area.setAttribute("aria-autocomplete", "list");
    area.setAttribute("aria-haspopup", "listbox");
    area.setAttribute("aria-controls", prefix);
    grow(area);

    function options() { return all('[role="option"]', list); }
    function show(open) { menu.hidden = !open; if (!open) { mark(-1); clearTimeout(timer); asked += 1; } }
    function mark(index) {
      at = index;
      options().forEach(function (option, i) {
        option.setAttribute("aria-selected", String(i === index));
        if (i === index) option.scrollIntoView({ block: "nearest" });
      });
      if (index < 0) area.removeAttribute("aria-activedescendant"); else area.setAttribute("aria-activedescendant", options()[index].id);
    }
    function typed() { return area.selectionStart === area.selectionEnd ? TYPED.exec(area.value.slice(0, area.selectionStart)) : null; }
    function ask() {
      var found = typed(), mine = ++asked;
      if (!found) { show(false); return; }
      if (request) request.abort();
      request = new AbortController();
      fetch(holder.dataset.timeline + "/mentions?q=" + encodeURIComponent(found[2]) + "&prefix=" + prefix, { headers: { "Accept": "text/html" }, signal: request.signal, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok || answer.redirected) throw new Error(answer.status); return answer.text(); })
        .then(function (html) {
          if (mine !== asked) return;
          list.innerHTML = html; // the server escapes what people typed
          // After a space it may be the next word of the sentence: nothing is offered then.
          var any = options().length;
          show(document.activeElement === area && (any > 0 || found[2].indexOf(" ") < 0));
          if (any && found[2]) mark(0);
        }).catch(function () {});
    }
    function soon() { clearTimeout(timer); timer = setTimeout(ask, 120); }
    function take(option) {
      var found = typed(), end = area.selectionStart;
      if (!found) { show(false); return; }
      var start = end - found[2].length - 1, name = "@" + option.dataset.name + " ";
      area.setRangeText(name, start, end, "end");
      picked.value = (picked.value + " " + option.dataset.id).trim();
      show(false); area.focus();
      area.dispatchEvent(new Event("input", { bubbles: true }));
    }

    area.addEventListener("compositionstart", function () { composing = true; });
    area.addEventListener("compositionend", function () { composing = false; soon(); });
    area.addEventListener("input", function () {
      grow(area);
      if (composing) return;
      if (typed()) soon(); else show(false);
    });
    area.addEventListener("keydown", function (event) {
      if (menu.hidden || event.isComposing) return;
      var count = options().length;
      if ((event.key === "ArrowDown" || event.key === "ArrowUp") && count) {
        event.preventDefault();
        mark((at + (event.key === "ArrowDown" ? 1 : count - 1) + (at < 0 && event.key === "ArrowUp" ? 1 : 0)) % count);
      } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey || event.key === "Tab") && at >= 0) {
        event.preventDefault(); take(options()[at]);
      } else if (event.key === "Escape") {
        event.preventDefault(); event.stopPropagation(); show(false);
      }
    });
    area.addEventListener("click", function () { if (!menu.hidden && !typed()) show(false); });
    area.addEventListener("blur", function () { setTimeout(function () { show(false); }, 150); });
    list.addEventListener("mousedown", function (event) {
      var option = event.target.closest('[role="option"]');
      event.preventDefault();
      if (option) take(option);
    });
    var button = $("[data-at]", box.closest("form"));
    if (button) {
      button.hidden = false;
      button.addEventListener("mousedown", function (event) { event.preventDefault(); }); // the text keeps the focus
      button.addEventListener("click", function () {
        var before = area.value.slice(0, area.selectionStart), space = /[A-Za-z0-9._%+-]$/.test(before) ? " " : "";
        area.focus();
        area.setRangeText(space + "@", area.selectionStart, area.selectionEnd, "end");
        area.dispatchEvent(new Event("input", { bubbles: true }));
      });
    }
  }
  function dressAll(from) {
    all("[data-mentions]:not([data-ready])", from || document).forEach(function (box) {
      if (box.closest("template")) return;
      box.setAttribute("data-ready", ""); dress(box);
    });
  }
  window.tabwrightMentions = dressAll;
  dressAll();
})();
