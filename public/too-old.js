/*
 * A browser that cannot parse the app's script cannot show a message from it. This script, in ECMAScript 5, runs first and
 * shows the message in web/index.html if the app's script cannot be parsed or loaded.
 */
(function () {
  function show() {
    var sentence = document.getElementById('too-old'); // removed as soon as the app has rendered
    if (sentence) sentence.hidden = false;
  }
  if (!('noModule' in document.createElement('script'))) document.addEventListener('DOMContentLoaded', show);
  window.addEventListener('error', show, true);
})();
