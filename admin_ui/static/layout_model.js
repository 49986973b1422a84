// The layout that is being edited: its parts, the verbs that change them, undo and redo. No page in here.
(function () {
  "use strict";
  function copy(value) { return JSON.parse(JSON.stringify(value)); }

  function Model(state) {
    this.state = state;
    this.doc = this.unfold(state.document);
    this.types = null; // names of record types that are shown by this layout; null: not touched
    this.undone = []; this.done = [];
  }
  Model.prototype = {
    // Entries of the document are names or maps; here they are always maps.
    unfold: function (document) {
      var doc = copy(document);
      doc.label = doc.label || {};
      doc.related = doc.related || [];
      doc.sections.forEach(function (section) {
        section.fields = (section.fields || []).map(function (each) { return typeof each === "string" ? { field: each } : each; });
        if (section.lines) section.lines.columns = section.lines.columns.map(function (each) { return typeof each === "string" ? { field: each } : each; });
      });
      return doc;
    },
    // Only what differs from the defaults is written.
    document: function () {
      var doc = copy(this.doc);
      doc.sections = doc.sections.map(function (section) {
        var made = {};
        if (section.label && (section.label.zh || section.label.en)) made.label = section.label;
        if (section.columns && section.columns !== 2) made.columns = section.columns;
        if (section.collapsed) made.collapsed = true;
        var plain = function (each) { return Object.keys(each).length > 1 ? each : each.field; };
        if (section.fields.length || !section.lines) made.fields = section.fields.map(plain);
        if (section.lines) { made.lines = section.lines; made.lines.columns = made.lines.columns.map(plain); }
        return made;
      });
      if (!doc.related.length) delete doc.related;
      if (doc.attachments !== false) delete doc.attachments;
      return doc;
    },
    change: function (verb) {
      var before = this.snapshot();
      verb(this.doc);
      if (this.snapshot() === before) return false;
      this.done.push(before); this.undone = [];
      return true;
    },
    snapshot: function () { return JSON.stringify({ doc: this.doc, types: this.types }); },
    restore: function (text) { var kept = JSON.parse(text); this.doc = kept.doc; this.types = kept.types; },
    undo: function () { return this.turn(this.done, this.undone); },
    redo: function () { return this.turn(this.undone, this.done); },
    turn: function (from, to) {
      if (!from.length) return false;
      to.push(this.snapshot());
      this.restore(from.pop());
      return true;
    },
    columns: function (section) { return section.columns || 2; },
    // [section number, place in it], or null where the field is not placed
    where: function (name) {
      for (var s = 0; s < this.doc.sections.length; s++) {
        for (var f = 0; f < this.doc.sections[s].fields.length; f++) if (this.doc.sections[s].fields[f].field === name) return [s, f];
      }
      return null;
    },
    entry: function (name) { var at = this.where(name); return at && this.doc.sections[at[0]].fields[at[1]]; },
    // Put a field (placed or not) at a place; a width that does not fit there becomes the widest that does.
    put: function (name, section, place) {
      var at = this.where(name), self = this;
      return this.change(function (doc) {
        var entry = at ? doc.sections[at[0]].fields.splice(at[1], 1)[0] : { field: name };
        if (at && at[0] === section && at[1] < place) place--;
        var columns = self.columns(doc.sections[section]);
        if (entry.span > columns) entry.span = columns;
        if (entry.span === 1) delete entry.span;
        doc.sections[section].fields.splice(place, 0, entry);
      });
    },
    step: function (name, by) {
      var at = this.where(name), sections = this.doc.sections;
      if (!at) return false;
      var to = at[1] + by;
      if (to >= 0 && to < sections[at[0]].fields.length) return this.put(name, at[0], by > 0 ? to + 1 : to);
      var other = at[0] + (by > 0 ? 1 : -1);
      if (!sections[other]) return false;
      return this.put(name, other, by > 0 ? 0 : sections[other].fields.length);
    },
    set: function (target, key, value) {
      return this.change(function () {
        if (value === null || value === "" || value === false || value === undefined) delete target[key]; else target[key] = value;
      });
    },
    setIn: function (target, key, inside, value) { // one of a map; an empty map is none
      return this.change(function () {
        var map = target[key] || {};
        if (value) map[inside] = value; else delete map[inside];
        if (Object.keys(map).length) target[key] = map; else delete target[key];
      });
    },
    setLabel: function (target, language, text) {
      return this.change(function () {
        var label = target.label || {};
        if (text) label[language] = text; else delete label[language];
        if (Object.keys(label).length) target.label = label; else delete target.label;
      });
    },
    setColumns: function (section, columns) {
      return this.change(function () {
        section.columns = columns;
        section.fields.forEach(function (each) { if (each.span > columns) each.span = columns; if (each.span === 1) delete each.span; });
      });
    },
    move: function (list, from, to) {
      if (to < 0 || to >= this.doc[list].length || to === from) return false;
      return this.change(function (doc) { doc[list].splice(to, 0, doc[list].splice(from, 1)[0]); });
    },
    remove: function (list, at) { return this.change(function (doc) { doc[list].splice(at, 1); }); }
  };
  window.TabwrightLayout = { Model: Model, parts: {} };
})();
