/**
 * What the built page must not use, since a supported browser (vite.config.ts) lacks it: Chrome 111, Safari 16.4 or Firefox 126.
 * The build lowers syntax, but neither APIs nor the functions and at-rules of CSS. The types (`lib` in web/tsconfig.json) have
 * no newer methods of the language than ES2023; this list has what they do not show. It is not complete: what is new in a
 * browser belongs here when somebody is about to use it.
 */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { buildIfStale } from './size.ts';

interface Newer {
  pattern: RegExp;
  /** The first browsers that have it, those that matter. */
  since: string;
}

const IN_SCRIPTS: Record<string, Newer> = {
  'Map.groupBy, Object.groupBy': { pattern: /\bgroupBy\(/, since: 'Chrome 117, Safari 17.4' },
  'Promise.withResolvers': { pattern: /\bwithResolvers\b/, since: 'Chrome 119, Safari 17.4' },
  'Promise.try': { pattern: /\bPromise\.try\b/, since: 'Chrome 128' },
  'Array.fromAsync': { pattern: /\bfromAsync\b/, since: 'Chrome 121' },
  'methods of Set': {
    pattern: /\.(?:union|intersection|symmetricDifference|isSubsetOf|isSupersetOf|isDisjointFrom)\(/,
    since: 'Chrome 122, Safari 17, Firefox 127',
  },
  'methods of iterators': {
    pattern:
      /(?:\.(?:values|keys|entries)\(\)|\bmatchAll\([^()]*\))\.(?:map|filter|take|drop|flatMap|reduce|toArray|some|every|find|forEach)\(/,
    since: 'Chrome 122, Safari 18.4, Firefox 131',
  },
  'AbortSignal.any': { pattern: /\bAbortSignal\.any\b/, since: 'Chrome 116, Safari 17.4' },
  'URL.canParse, URL.parse': { pattern: /\bURL\.(?:canParse|parse)\b/, since: 'Chrome 120, Safari 17' },
  'the flag v of regular expressions': {
    pattern: /\bRegExp\([^()]*,\s*["'`][a-u]*v/,
    since: 'Chrome 112, Safari 17',
  },
  'the event scrollend': { pattern: /["'`]scrollend["'`]/, since: 'Chrome 114, Safari 26.2' },
  popovers: { pattern: /\b(?:show|hide|toggle)Popover\b|popovertarget/i, since: 'Chrome 114, Safari 17' },
  closedby: { pattern: /\bclosed-?by\b/i, since: 'Chrome 134' },
  CloseWatcher: { pattern: /\bCloseWatcher\b/, since: 'Chrome 126' },
  checkVisibility: { pattern: /\.checkVisibility\(/, since: 'Safari 17.4' },
  'view transitions': { pattern: /\bstartViewTransition\b/, since: 'Safari 18' },
  requestIdleCallback: { pattern: /\brequestIdleCallback\b/, since: 'no Safari' },
  scheduler: { pattern: /\bscheduler\.(?:yield|postTask)\b/, since: 'Chrome 129' },
  moveBefore: { pattern: /\.moveBefore\(/, since: 'Chrome 133' },
  'RegExp.escape': { pattern: /\bRegExp\.escape\b/, since: 'Chrome 136' },
  'Uint8Array to and from base64': { pattern: /\b(?:fromBase64|toBase64)\b/, since: 'Chrome 140' },
  'Intl.DurationFormat': { pattern: /\bDurationFormat\b/, since: 'Chrome 129' },
  'text info of locales': { pattern: /\b(?:getTextInfo|getWeekInfo)\b/, since: 'Chrome 130' },
  'custom highlights': { pattern: /\bCSS\.highlights\b/, since: 'Firefox 140' },
  'Map.getOrInsert': { pattern: /\bgetOrInsert/, since: 'Chrome 145' },
  Temporal: { pattern: /\bTemporal\./, since: 'Chrome 144' },
};

const IN_STYLES: Record<string, Newer> = {
  'nested rules': { pattern: /[{;]\s*&/, since: 'Chrome 112, Safari 16.5' },
  'light-dark()': { pattern: /\blight-dark\(/, since: 'Chrome 123, Safari 17.5' },
  '@starting-style': { pattern: /@starting-style/, since: 'Chrome 117, Safari 17.5' },
  '@scope': { pattern: /@scope/, since: 'Chrome 118' },
  'round() and its like': { pattern: /\b(?:round|mod|rem)\(/, since: 'Chrome 125' },
  'relative colours': { pattern: /\b(?:rgb|hsl|oklch|oklab|color)\(from /, since: 'Chrome 119' },
  ':user-invalid': { pattern: /:user-(?:in)?valid/, since: 'Chrome 119' },
  ':popover-open, :open': { pattern: /:(?:popover-)?open\b/, since: 'Chrome 114' },
  ':dir()': { pattern: /:dir\(/, since: 'Chrome 120' },
  'anchor()': { pattern: /\banchor(?:-size)?\(/, since: 'Chrome 125' },
  'calc-size(), interpolate-size': { pattern: /\bcalc-size\(|interpolate-size/, since: 'Chrome 129' },
  'if()': { pattern: /:\s*if\(/, since: 'Chrome 137' },
};

/** Used only where the browser has it, or without harm where not: the name in the lists above, and a part of the line. */
const GUARDED: readonly { name: string; near: RegExp }[] = [
  { name: 'moveBefore', near: /\.moveBefore&&/ }, // preact asks first
  { name: 'Uint8Array to and from base64', near: /typeof \w+\.toBase64\s*={2,3}/ }, // qr asks first
  { name: 'requestIdleCallback', near: /["'`]requestIdleCallback["'`]in window\?/ },
  { name: 'checkVisibility', near: /\.checkVisibility(?:\?\.\(|&&|===|!==)/ },
];

/** Problems of the built page. */
export async function supportProblems(): Promise<string[]> {
  const problems = await buildIfStale();
  if (problems.length > 0) return problems;
  const folder = join(ROOT, 'dist');
  if (!existsSync(folder)) return ['there is no built page'];
  const names = await readdir(folder, { recursive: true });
  const files = names.filter((name) => /\.(?:js|css)$/.test(name));
  const found = files.map(async (name) => tooNew(name, await readFile(join(folder, name), 'utf8')));
  return (await Promise.all(found)).flat();
}

/** What this file of the page uses that a supported browser lacks. */
export function tooNew(file: string, text: string): string[] {
  const list = file.endsWith('.css') ? IN_STYLES : IN_SCRIPTS;
  return Object.entries(list).flatMap(([name, { pattern, since }]) => {
    const isGuarded = GUARDED.some((guard) => guard.name === name && guard.near.test(text));
    return pattern.test(text) && !isGuarded ? [`dist/${file} uses ${name}, which came with ${since}`] : [];
  });
}
