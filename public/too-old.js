/*
 * A browser that does not understand the app's program cannot be told so by it. This stands before it, in words that
 * every browser knows, and shows the sentence of web/index.html when the program cannot be read or does not arrive.
 */
(() => {
  function show() {
    var sentence = document.getElementById('too-old'); // gone as soon as the app has rendered
    if (sentence) sentence.hidden = false;
  }
  if (!('noModule' in document.createElement('script'))) document.addEventListener('DOMContentLoaded', show);
  window.addEventListener('error', show, true);
})();
