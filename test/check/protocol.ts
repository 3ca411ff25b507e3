/** docs/PROTOCOL.md says what the code says: no event, field, kind, code, limit or route is left out, added or wrong. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ROOT } from '../support/tools.ts';
import { readProtocolDocument } from './protocolDocument.ts';
import { type ProtocolFacts, readProtocolFacts, type Words } from './protocolFacts.ts';

export async function protocolProblems(): Promise<string[]> {
  const text = await readFile(join(ROOT, 'docs/PROTOCOL.md'), 'utf8');
  return problemsOfProtocol(text, readProtocolFacts());
}

/** Pure: a sentence for each difference. */
export function problemsOfProtocol(text: string, { required, allowed }: ProtocolFacts): string[] {
  const said = readProtocolDocument(text);
  const absent = [...required.keys()].filter((key) => !said.has(key));
  return [
    ...absent.map((key) => `docs/PROTOCOL.md leaves out ${key}`),
    ...[...said].flatMap(([key, words]) => differences(key, words, required.get(key) ?? allowed.get(key))),
  ];
}

function differences(key: string, said: Words, known: Words | undefined): string[] {
  if (!known) return [`docs/PROTOCOL.md: there is no ${key}`];
  const lacking = [...known].filter((word) => !said.has(word));
  const surplus = [...said].filter((word) => !known.has(word));
  return [
    ...lacking.map((word) => `docs/PROTOCOL.md leaves out of ${key}: ${word}`),
    ...surplus.map((word) => `docs/PROTOCOL.md says of ${key} what is not so: ${word}`),
  ];
}
