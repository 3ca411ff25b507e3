/** The language a person chose by hand on this browser, before anybody is signed in. */
const KEY = 'holdfast:language';

export function stored(): string | undefined {
  try {
    return localStorage.getItem(KEY) ?? undefined;
  } catch {
    return undefined; // a browser that withholds storage speaks its own language
  }
}

export function choose(language: string): void {
  try {
    localStorage.setItem(KEY, language);
  } catch {
    // it lasts as long as the page
  }
}
