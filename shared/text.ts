/** What people write, made uniform before anything is compared or counted. Both sides use it; the server decides. */
import { BODY_MAX_CODE_POINTS, NAME_MAX_CODE_POINTS } from './limits.ts';

export type Checked =
  | { ok: true; text: string }
  | { ok: false; code: 'invalid' | 'too-large'; message: string };

/** A message's body: trimmed, CRLF made LF, lone surrogates replaced; 1 to 4,000 code points. */
export function checkBody(raw: string): Checked {
  const text = raw.replaceAll('\r\n', '\n').toWellFormed().trim();
  if (CONTROL_IN_BODY.test(text)) return invalid('A message cannot contain control characters.');
  if (text === '') return invalid('A message needs some text.');
  const length = codePoints(text);
  return length <= BODY_MAX_CODE_POINTS
    ? { ok: true, text }
    : tooLong('message', length, BODY_MAX_CODE_POINTS);
}

/** A user's or a room's name: trimmed, NFC, 1 to 40 code points. */
export function checkName(raw: string): Checked {
  const text = raw.toWellFormed().normalize('NFC').trim();
  if (CONTROL.test(text)) return invalid('A name cannot contain control characters.');
  if (nameKey(text) === '') return invalid('A name needs at least one visible character.');
  const length = codePoints(text);
  return length <= NAME_MAX_CODE_POINTS ? { ok: true, text } : tooLong('name', length, NAME_MAX_CODE_POINTS);
}

/**
 * What names are compared by: NFKC and case folding, less what cannot be seen. Lower, upper, lower case folds
 * what a lower case alone leaves apart (ẞ, ß and SS, final and other sigma), as far as JavaScript has it.
 */
export function nameKey(name: string): string {
  const seen = name.normalize('NFKC').replace(INVISIBLE, '');
  const folded = seen.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return folded.normalize('NFKC').trim();
}

/** For the composer: what a paste brings along and nobody meant to write is taken out instead of refused. */
export function withoutControls(raw: string): string {
  return raw.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replace(CONTROLS_IN_BODY, '');
}

/** Unicode code points, which is what the limits count (an emoji may be several). */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

const CONTROL = /\p{Cc}/u;
const CONTROL_IN_BODY = /(?![\n\t])\p{Cc}/u;
const CONTROLS_IN_BODY = /(?![\n\t])\p{Cc}/gu;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;

function invalid(message: string): Checked {
  return { ok: false, code: 'invalid', message };
}

function tooLong(what: string, length: number, most: number): Checked {
  const message = `It has ${length.toLocaleString('en')} characters; a ${what} holds ${most.toLocaleString('en')}.`;
  return { ok: false, code: 'too-large', message };
}
