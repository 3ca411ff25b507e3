/** Not to be seen: it tells the browser's password store whose password the form is about. */
export function Username({ name }: { name: string }) {
  return (
    <input
      class="heard"
      type="text"
      autocomplete="username"
      value={name}
      readOnly
      tabIndex={-1}
      aria-hidden="true"
    />
  );
}
