// Tables of lines in a form: rows come, go and move, a block is pasted, sums follow. Without it buttons post.
(function () {
  "use strict";
  var $ = function (selector, from) { return (from || document).querySelector(selector); };
  var all = function (selector, from) { return Array.prototype.slice.call((from || document).querySelectorAll(selector)); };
  var BLANK = /__row__/g, narrow = window.matchMedia("(max-width: 720px)");
  var CONTROLS = "input:not([type=hidden]):not([type=color]), select, textarea";
  function fill(text, params) { return text.replace(/\{(\w+)\}/g, function (whole, name) { return name in params ? params[name] : whole; }); }

  // ---- exact sums: digits, never floats ----
  function read(text) {
    var plain = String(text).trim().replace(/[０-９．，－]/g, function (c) { return String.fromCharCode(c.charCodeAt(0) - 0xFEE0); }).replace(/−/g, "-").replace(/[\s,]/g, "").replace(/[%％]$/, "");
    var sign = plain[0] === "-" ? -1n : 1n, rest = plain.replace(/^[+-]/, "").replace(/^[¥￥$€£]|元$/g, ""), sum = null;
    if (!/^(?:(?:\d+\.?\d*|\.\d+)[万亿])+$|^(?:\d+\.?\d*|\.\d+)$/.test(rest)) return null;
    rest.replace(/(\d*)\.?(\d*)([万亿]?)/g, function (all, whole, part, unit) { // 1亿2000万
      if (!all) return;
      var one = { value: sign * BigInt(whole + part) * (unit === "亿" ? 100000000n : unit === "万" ? 10000n : 1n), places: part.length };
      sum = sum ? add(sum, one) : one;
    });
    return sum;
  }
  function add(a, b) {
    var places = Math.max(a.places, b.places);
    return { value: a.value * 10n ** BigInt(places - a.places) + b.value * 10n ** BigInt(places - b.places), places: places };
  }
  function shown(sum, scale) {
    var places = Math.max(sum.places, scale), value = sum.value * 10n ** BigInt(places - sum.places), minus = value < 0n;
    var digits = String(minus ? -value : value).padStart(places + 1, "0");
    var whole = digits.slice(0, digits.length - places).replace(/\B(?=(\d{3})+$)/g, ",");
    return (minus ? "-" : "") + whole + (places ? "." + digits.slice(-places) : "");
  }

  function lines(box) {
    var form = box.closest("form"), table = $("table", box), words = JSON.parse(box.dataset.words), prefix = "lines." + box.dataset.lines + ".";
    var max = +box.dataset.max, adder = $("[data-line-add]", box), gone = $("[data-line-gone]", box), counter = 0;
    function rows() { return all("tbody[data-row]", table); }
    function number(row) { return rows().indexOf(row) + 1; }
    function say(code, n) { $("[data-line-said]", box).textContent = fill(words[code], { n: n }); }
    function control(cell) { return $(CONTROLS, cell); }
    function cells(row) { return all(".tw-linecells > td[data-field]", row); }
    function told() { form.dispatchEvent(new Event("input", { bubbles: true })); }

    function number_all() {
      var list = rows();
      list.forEach(function (row, i) {
        cells(row).forEach(function (cell) {
          var said = fill(words.cell, { n: i + 1, field: cell.dataset.label });
          all(CONTROLS, cell).forEach(function (el) { if (!el.closest(".tw-boxes")) el.setAttribute("aria-label", said); });
        });
        all("[data-line-do]", row).forEach(function (button) {
          var said = fill(words[button.dataset.lineDo], { n: i + 1 });
          button.setAttribute("aria-label", said); button.title = said;
        });
        head(row, i + 1);
      });
      if (adder) { adder.disabled = list.length >= max; adder.title = adder.disabled ? words.most : ""; }
    }
    // ---- on a phone a row is a card: its title and first facts, open to edit ----
    function text(cell) {
      var el = control(cell);
      if (!el) return cell.textContent.trim();
      if (el.tagName === "SELECT") return el.value ? el.options[el.selectedIndex].text : "";
      if (el.type === "checkbox" || el.type === "radio") return all("input:checked", cell).map(function (one) { return (one.labels[0] || {}).textContent || "✓"; }).join(" ");
      return el.value;
    }
    function head(row, n) {
      var title = $("[data-line-title]", row), facts = $("[data-line-facts]", row), list = cells(row);
      title.textContent = n + ". " + (list.length ? text(list[0]) : "");
      facts.replaceChildren.apply(facts, list.slice(1, 5).filter(text).map(function (cell) {
        var fact = document.createElement("span"), label = document.createElement("small");
        label.textContent = cell.dataset.label; fact.append(label, text(cell));
        return fact;
      }));
    }
    function open(row, wanted) {
      row.classList.toggle("is-open", wanted);
      $("[data-line-open]", row).setAttribute("aria-expanded", String(wanted));
    }
    function fold() { rows().forEach(function (row) { open(row, !narrow.matches || row.hasAttribute("data-wrong") || row.contains(document.activeElement) || !text(cells(row)[0] || row)); }); }

    function totals() {
      all("[data-total]", table).forEach(function (foot) {
        var sum = read(foot.dataset.rest) || { value: 0n, places: 0 }, any = sum.value !== 0n;
        rows().forEach(function (row) {
          var cell = $('.tw-linecells > td[data-field="' + foot.dataset.total + '"]', row), el = control(cell);
          var one = read(el ? el.value : cell.dataset.figure || "");
          if (one) { sum = add(sum, one); any = true; }
        });
        foot.lastElementChild.textContent = any ? foot.dataset.before + shown(sum, +foot.dataset.scale) + foot.dataset.after : "";
      });
    }
    function changed() { number_all(); totals(); told(); }

    // ---- rows ----
    function key() { do counter += 1; while ($('[data-row="n' + counter + '"]', table)); return "n" + counter; }
    function blank() {
      var holder = document.createElement("template");
      holder.innerHTML = "<table>" + box.dataset.blank.replace(BLANK, key()) + "</table>"; // of our own server, which escapes what people typed
      return $("tbody", holder.content);
    }
    function insert(row, after) {
      if (after) after.after(row);
      else { var list = rows(), last = list[list.length - 1]; if (last) last.after(row); else $("thead", table).after(row); }
      document.dispatchEvent(new CustomEvent("tw:fields"));
      changed();
    }
    function more() {
      if (!adder || adder.disabled) { if (adder) say("most", max); return null; }
      var row = blank();
      insert(row); open(row, true); say("added", number(row));
      return row;
    }
    function copy(row) {
      if (!adder || adder.disabled) return;
      var made = blank(), start = prefix + row.dataset.row + ".", to = prefix + made.dataset.row + ".";
      all("input, select, textarea", made).forEach(function (el) {
        var name = el.name.slice(to.length);
        if (name.charAt(0) === "_" || !el.name) return;
        var twins = all('[name="' + CSS.escape(start + name) + '"]', row), twin = twins[twins.length - 1];
        if (!twin) return;
        if (el.type === "checkbox" || el.type === "radio") el.checked = twins.some(function (one) { return one.checked && one.value === el.value; });
        else if (el.type !== "hidden" || el.closest(".tw-lookup")) el.value = twin.value;
      });
      insert(made, row); open(made, true); say("added", number(made));
      focus(made);
    }
    function remove(row) {
      var n = number(row), before = row.previousElementSibling, next = rows()[n] || rows()[n - 2];
      row.remove();
      changed(); say("removed", n);
      gone.hidden = false; gone.firstElementChild.textContent = fill(words.removed, { n: n });
      gone.lastElementChild.onclick = function () {
        gone.hidden = true;
        if (before && before.isConnected) before.after(row); else $("thead", table).after(row);
        changed(); focus(row);
      };
      if (next) focus(next); else if (adder) adder.focus();
    }
    function move(row, by) {
      var list = rows(), to = list[list.indexOf(row) + by], active = document.activeElement;
      if (!to || !$('[data-line-do="grip"]', row)) return;
      if (by < 0) to.before(row); else to.after(row);
      changed(); say("moved", number(row));
      if (active && row.contains(active)) active.focus();
    }
    function focus(row, name) {
      var cell = name && $('.tw-linecells > td[data-field="' + name + '"]', row), el = cell && control(cell) || $(".tw-linecells " + CONTROLS.split(", ").join(", .tw-linecells "), row);
      open(row, true);
      if (el) { el.focus(); if (el.select) el.select(); }
    }

    table.addEventListener("click", function (event) {
      var opener = event.target.closest("[data-line-open]"), button = event.target.closest("[data-line-do]");
      if (opener) { var body = opener.closest("tbody"); open(body, !body.classList.contains("is-open")); return; }
      if (!button) return;
      event.preventDefault();
      var row = button.closest("tbody"), what = button.dataset.lineDo;
      if (what === "copy") copy(row); else if (what === "remove") remove(row); else if (what === "up") move(row, -1); else if (what === "down") move(row, 1);
    });
    if (adder) adder.addEventListener("click", function (event) { event.preventDefault(); var row = more(); if (row) focus(row); });
    table.addEventListener("keydown", function (event) {
      var row = event.target.closest("tbody[data-row]"), by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!row || event.defaultPrevented || event.isComposing) return;
      var grip = event.target.dataset.lineDo === "grip";
      if (by && (event.altKey || grip)) { event.preventDefault(); move(row, by); return; }
      if (event.key !== "Enter" || event.shiftKey || !event.target.matches(CONTROLS) || event.target.tagName === "TEXTAREA") return;
      event.preventDefault();
      if (event.ctrlKey || event.metaKey) return;
      var list = rows(), next = list[list.indexOf(row) + 1], name = event.target.closest("td[data-field]").dataset.field;
      if (next) focus(next, name); else { next = more(); if (next) focus(next); }
    });
    table.addEventListener("input", function (event) { var row = event.target.closest("tbody[data-row]"); if (row) { totals(); head(row, number(row)); } });
    table.addEventListener("change", function (event) { var row = event.target.closest("tbody[data-row]"); if (row) { totals(); head(row, number(row)); } });

    // ---- a block from a spreadsheet: the server says what it is ----
    table.addEventListener("paste", function (event) {
      var cell = event.target.closest("td[data-field]"), given = (event.clipboardData || {}).getData && event.clipboardData.getData("text/plain") || "";
      if (!cell || !/\t|[\r\n]./.test(given) || (event.target.tagName === "TEXTAREA" && given.indexOf("\t") < 0)) return;
      event.preventDefault();
      var data = new FormData(form), row = cell.closest("tbody").dataset.row;
      data.set("_then", "edit"); data.set("_line", ["paste", box.dataset.lines, row, cell.dataset.field].join(" ")); data.set("_paste", given);
      box.setAttribute("aria-busy", "true");
      fetch(form.getAttribute("action"), { method: "POST", body: new URLSearchParams(data), headers: { Accept: "text/html" }, credentials: "same-origin" })
        .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.text(); })
        .then(function (html) {
          var fresh = $('[data-lines="' + CSS.escape(box.dataset.lines) + '"]', new DOMParser().parseFromString(html, "text/html"));
          if (!fresh) throw new Error("none");
          fresh = document.importNode(fresh, true);
          box.replaceWith(fresh);
          document.dispatchEvent(new CustomEvent("tw:fields"));
          form.dispatchEvent(new Event("input", { bubbles: true }));
          var wrong = $('[aria-invalid="true"]', fresh), last = all("tbody[data-row]", fresh).pop();
          var to = wrong || last && $(".tw-linecells " + CONTROLS.split(", ").join(", .tw-linecells "), last);
          $("[data-line-said]", fresh).textContent = fill(words.count, { n: all("tbody[data-row]", fresh).length });
          if (to) { to.closest("tbody").classList.add("is-open"); to.focus(); }
        })
        .catch(function () { box.removeAttribute("aria-busy"); gone.hidden = false; gone.firstElementChild.textContent = words.away; gone.lastElementChild.onclick = function () { gone.hidden = true; }; });
    });

    if (window.Sortable && $('[data-line-do="grip"]', table)) window.Sortable.create(table, { draggable: "tbody[data-row]", handle: '[data-line-do="grip"]', animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 140, ghostClass: "is-dropping", onEnd: function (event) { changed(); say("moved", number(event.item)); } });
    all("[data-line-hint]", box).forEach(function (hint) { hint.hidden = false; });
    number_all(); totals(); fold();
    narrow.addEventListener("change", fold);
  }
  function ready() { all("[data-lines]:not([data-ready])").forEach(function (box) { box.setAttribute("data-ready", ""); lines(box); }); }
  document.addEventListener("tw:fields", ready);
  ready();
  // A summary's link to a cell of a card that is closed opens it.
  document.addEventListener("click", function (event) {
    var link = event.target.closest('a[href^="#f-"]'), to = link && document.getElementById(link.getAttribute("href").slice(1)), row = to && to.closest("tbody[data-row]");
    if (row) row.classList.add("is-open");
  });
})();
