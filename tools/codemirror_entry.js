// What the formula editor (admin_ui/static/formula_editor.js) takes of CodeMirror; tools/vendor_assets makes
// platform/static/vendor/codemirror.min.js of it, which gives the page one name: CodeMirror.
export { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers, tooltips } from "@codemirror/view";
export { EditorSelection, EditorState } from "@codemirror/state";
export { acceptCompletion, autocompletion, completionStatus, pickedCompletion, startCompletion } from "@codemirror/autocomplete";
export { forEachDiagnostic, nextDiagnostic, setDiagnostics } from "@codemirror/lint";
export { StreamLanguage, bracketMatching, syntaxHighlighting } from "@codemirror/language";
export { defaultKeymap, history, historyKeymap, indentLess, indentMore } from "@codemirror/commands";
export { tagHighlighter, tags } from "@lezer/highlight";
