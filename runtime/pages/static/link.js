// The secret of a link stands behind its "#": take it out of the address, and send it on.
const form = document.querySelector("[data-link]");
const secret = location.hash.slice(1);
if (form && secret) {
  history.replaceState(null, "", location.pathname);
  form.elements.secret.value = secret;
  form.requestSubmit();
}
