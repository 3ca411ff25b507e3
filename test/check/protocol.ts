/** Compares docs/PROTOCOL.md with the code: every event, field, kind, code, limit and route is described, and correctly. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { readProtocolDocument } from './protocolDocument.ts';
import { type ProtocolFacts, readProtocolFacts, type Words } from './protocolFacts.ts';

export async function protocolProblems(): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs/PROTOCOL.md'), 'utf8');
  return problemsOfProtocol(text, readProtocolFacts());
}

/** Pure. One sentence per difference. */
export function problemsOfProtocol(text: string, { required, allowed }: ProtocolFacts): string[] {
  const documented = readProtocolDocument(text);
  const absent = [...required.keys()].filter((key) => !documented.has(key));
  return [
    ...absent.map((key) => `docs/PROTOCOL.md does not describe ${key}`),
    ...[...documented].flatMap(([key, words]) =>
      differences(key, words, required.get(key) ?? allowed.get(key)),
    ),
  ];
}

function differences(key: string, documented: Words, known: Words | undefined): string[] {
  if (!known) return [`docs/PROTOCOL.md describes ${key}, which does not exist`];
  const lacking = [...known].filter((word) => !documented.has(word));
  const surplus = [...documented].filter((word) => !known.has(word));
  return [
    ...lacking.map((word) => `docs/PROTOCOL.md lacks ${key}: ${word}`),
    ...surplus.map((word) => `docs/PROTOCOL.md has ${key}: ${word}, which is not in the code`),
  ];
}
