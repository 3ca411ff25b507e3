/** Compares SPEC.md with the tests: every promise is listed, and every listed test exists and is not skipped. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';

export const PROMISES = [
  'L1',
  'L2',
  'L3',
  'L4',
  'L5',
  'O1',
  'O2',
  'O3',
  'O4',
  'O5',
  'S1',
  'S2',
  'S3',
  'S4',
  'S5',
];

export interface Claim {
  /** Undefined if neither the section nor the title names a promise. */
  promise: string | undefined;
  file: string;
  title: string;
}

export async function specProblems(): Promise<string[]> {
  const spec = await readFile(join(ROOT, 'SPEC.md'), 'utf8');
  const files = [...new Set(claims(spec).map((claim) => claim.file))].filter((file) =>
    existsSync(join(ROOT, file)),
  );
  const texts = await Promise.all(files.map((file) => readFile(join(ROOT, file), 'utf8')));
  return problemsOfSpec(spec, new Map(files.map((file, index) => [file, texts[index]!])));
}

/** Pure. `tests`: the texts of the test files that SPEC.md lists, by path. */
export function problemsOfSpec(spec: string, tests: ReadonlyMap<string, string>): string[] {
  const sections = sectionsOf(spec);
  const missing = PROMISES.filter((promise) => !sections.has(promise)).map(
    (promise) => `SPEC.md does not list ${promise}`,
  );
  const silent = [...sections].filter(([, text]) => !/^- (?:shown|open): /m.test(text));
  return [
    ...missing,
    ...silent.map(([promise]) => `SPEC.md lists no test for ${promise}, and does not say that it is open`),
    ...claims(spec).flatMap((claim) => problemOfClaim(claim, tests.get(claim.file)) ?? []),
  ];
}

/**
 * The lines of the form `- shown: FILE: TITLE`. Under `### L1` a line belongs to that promise, elsewhere to the promises at the
 * beginning of its title: one claim for each.
 */
export function claims(spec: string): Claim[] {
  return spec.split(/^(?=#{2,3} )/m).flatMap((section) => {
    const own = /^### ([LOS]\d)\b/.exec(section)?.[1];
    return [...section.matchAll(/^- shown: (\S+): (.+)$/gm)].flatMap((match): Claim[] => {
      const [file, title] = [match[1]!, match[2]!.trim()];
      const promises = own === undefined ? promisesOf(title) : [own];
      return promises.map((promise) => ({ promise, file, title }));
    });
  });
}

function promisesOf(title: string): (string | undefined)[] {
  const [front = ''] = /^(?:[LOS]\d )+/.exec(title) ?? [];
  return front === '' ? [undefined] : front.trim().split(' ');
}

function sectionsOf(spec: string): Map<string, string> {
  const parts = spec.split(/^### ([LOS]\d)\b.*$/m);
  const sections = new Map<string, string>();
  for (let i = 1; i < parts.length; i += 2) sections.set(parts[i]!, parts[i + 1]!.split(/^## /m)[0]!);
  return sections;
}

function problemOfClaim({ promise, file, title }: Claim, text: string | undefined): string | undefined {
  if (promise === undefined)
    return `SPEC.md: the title of a test outside of the sections of promises begins with no promise: ${title}`;
  if (text === undefined) return `SPEC.md: ${promise} lists ${file}, which does not exist`;
  const source = text.replaceAll(/\\(['"`])/g, '$1').replaceAll(/^\s*(?:\/\/|\*|\/\*).*$/gm, '');
  const at = ["'", '"', '`']
    .map((quote) => source.indexOf(quote + title + quote))
    .find((index) => index >= 0);
  if (at === undefined) return `SPEC.md: ${promise} lists a test that is not in ${file}: ${title}`;
  const call = source.slice(0, at).trimEnd();
  return /\.(?:skip|todo|fixme)\($/.test(call)
    ? `SPEC.md: ${promise} lists a test that is skipped: ${title}`
    : undefined;
}
