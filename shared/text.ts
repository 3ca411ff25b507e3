/** Normalizes and checks what people write: messages and names. The page uses it for early feedback; the server decides. */
import {
  BODY_MAX_CODE_POINTS,
  DESCRIPTION_MAX_CODE_POINTS,
  MARKS_IN_A_ROW_MAX,
  NAME_MAX_CODE_POINTS,
  REPORT_REASON_MAX_CODE_POINTS,
} from './limits.ts';

export type Checked =
  | { ok: true; text: string }
  | { ok: false; code: 'invalid' | 'too-large'; message: string };

/**
 * A message's body: without blank lines around it (the indentation of its first line stays), CRLF made LF, lone surrogates
 * replaced; something of it shows; 1 to 4,000 code points.
 */
export function checkBody(raw: string): Checked {
  const text = withoutBlankEnds(raw.replaceAll('\r\n', '\n').toWellFormed());
  if (CONTROL_IN_BODY.test(text)) return invalid('A message cannot contain control characters.');
  if (isBlank(text)) return invalid('A message needs some visible text.');
  const length = codePoints(text);
  return length <= BODY_MAX_CODE_POINTS
    ? { ok: true, text }
    : tooLong('message', length, BODY_MAX_CODE_POINTS);
}

/** The reason for a report, as a message's body but shorter; undefined where nothing of it shows. */
export function checkReportReason(raw: string): Checked | undefined {
  if (isBlank(raw)) return undefined;
  const reason = checkBody(raw.trim());
  if (!reason.ok) return reason;
  const length = codePoints(reason.text);
  return length <= REPORT_REASON_MAX_CODE_POINTS
    ? reason
    : tooLong('reason', length, REPORT_REASON_MAX_CODE_POINTS);
}

/**
 * The description of a room: normalized as a body, at most 300 code points, without piles of combining marks, which a search takes
 * long to normalize; empty where nothing of it shows.
 */
export function checkDescription(raw: string): Checked {
  const text = withoutBlankEnds(raw.replaceAll('\r\n', '\n').toWellFormed());
  if (CONTROL_IN_BODY.test(text)) return invalid('A description cannot contain control characters.');
  const length = codePoints(text);
  if (length > DESCRIPTION_MAX_CODE_POINTS)
    return tooLong('description', length, DESCRIPTION_MAX_CODE_POINTS);
  if (isBlank(text)) return { ok: true, text: '' };
  if (PILE.test(text)) return invalid('A description cannot contain piles of combining marks.');
  return { ok: true, text };
}

/** Without blank lines at the beginning, and without white space at the end. */
export function withoutBlankEnds(text: string): string {
  return text.trimEnd().replace(/^\s*\n/, '');
}

/** True if nothing of the text shows: only blanks, invisible characters, and combining marks with nothing below them. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/** The name of a user, who may have had it since before `checkNewName` was: trimmed, NFC, 1 to 40 code points. */
export function checkName(raw: string): Checked {
  if (raw.length > NAME_MAX_RAW_LENGTH) return tooLong('name', raw.length, NAME_MAX_CODE_POINTS);
  const text = raw.toWellFormed().normalize('NFC').trim();
  if (CONTROL.test(text)) return invalid('A name cannot contain control characters.');
  if (nameKey(text) === '') return invalid('A name needs at least one visible character.');
  const length = codePoints(text);
  return length <= NAME_MAX_CODE_POINTS ? { ok: true, text } : tooLong('name', length, NAME_MAX_CODE_POINTS);
}

/**
 * A name that a user or a room gets. Besides what `checkName` checks, it has nothing that turns, covers or imitates what is
 * beside it: no control of the writing direction, no blanks other than white space, no piles of combining marks.
 */
export function checkNewName(raw: string): Checked {
  const name = checkName(raw);
  if (!name.ok) return name;
  if (isBlank(name.text)) return invalid('A name needs at least one visible character.');
  if (HIDING.test(name.text))
    return invalid('A name cannot contain characters that hide, turn or cover other text.');
  return name;
}

/** A name of a room or a person as it is shown: what turns text, which `checkNewName` refuses, may be in an older one. */
export function shownName(name: string): string {
  const shown = name.replace(TURNING, '');
  return isBlank(shown) ? '?' : shown;
}

/**
 * The key by which names are compared: NFKC, without invisible characters, case-folded. JavaScript has no case folding; lower,
 * upper, lower comes closest, since lower case alone keeps ẞ, ß and SS apart, and the two forms of sigma.
 */
export function nameKey(name: string): string {
  const visible = name.normalize('NFKC').replace(INVISIBLE, '');
  const folded = visible.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
  return folded.normalize('NFKC').trim();
}

/** For the composer: removes control characters, which come with a paste, instead of refusing the message. */
export function withoutControls(raw: string): string {
  return raw.replaceAll('\r\n', '\n').replaceAll('\r', '\n').replace(CONTROLS_IN_BODY, '');
}

/** The number of Unicode code points, in which limits are counted. An emoji can be several. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/**
 * In UTF-16 units, before anything is normalized: that takes time by the square of a run of combining marks, and NFKC makes a
 * text up to 18 times as long. A code point of NFC is at most four before, of at most two units.
 */
const NAME_MAX_RAW_LENGTH = 8 * NAME_MAX_CODE_POINTS;

const CONTROL = /\p{Cc}/u;
const CONTROL_IN_BODY = /(?![\n\t])\p{Cc}/u;
const CONTROLS_IN_BODY = /(?![\n\t])\p{Cc}/gu;
const INVISIBLE = /\p{Default_Ignorable_Code_Point}/gu;
/**
 * What has no ink, though Unicode counts it neither as white space nor as invisible: an empty Braille cell, marks of annotations
 * and objects, controls and blanks of hieroglyphs, an empty note head.
 */
const NO_INK = '\\u2800\\ufff9-\\ufffc\\u{13430}-\\u{13442}\\u{1d159}';
const VISIBLE = new RegExp(`[^\\p{White_Space}\\p{Default_Ignorable_Code_Point}\\p{M}\\p{Cc}${NO_INK}]`, 'u');
/** Marked for the bundler: the page checks no description. */
const PILE = /* @__PURE__ */ new RegExp(
  `[\\p{M}\\p{Default_Ignorable_Code_Point}]{${MARKS_IN_A_ROW_MAX + 1}}`,
  'u',
);
/** A mark at the beginning would stand on what is before the name. Marked for the bundler: the service worker names nobody. */
const HIDING = /* @__PURE__ */ new RegExp(
  `^\\p{M}|[\\p{Bidi_Control}\\p{Zl}\\p{Zp}${NO_INK}\\u115f\\u1160\\u3164\\uffa0]|[\\p{M}\\p{Default_Ignorable_Code_Point}]{${MARKS_IN_A_ROW_MAX + 1}}`,
  'u',
);
const TURNING = /[\p{Bidi_Control}\p{Zl}\p{Zp}]/gu;

function invalid(message: string): Checked {
  return { ok: false, code: 'invalid', message };
}

function tooLong(what: string, length: number, most: number): Checked {
  const message = `It has ${length.toLocaleString('en')} characters; a ${what} holds ${most.toLocaleString('en')}.`;
  return { ok: false, code: 'too-large', message };
}
