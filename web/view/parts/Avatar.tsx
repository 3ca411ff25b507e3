/** The picture of a room or person: initials on one of TONES colours. There are no uploaded pictures. */
import type { RoomSummary } from '../../state/model.ts';

export function Avatar({ id, name, kind }: Pick<RoomSummary, 'id' | 'name' | 'kind'>) {
  const shape = kind === 'direct' ? 'avatar person' : 'avatar';
  return (
    <span class={`${shape} tone-${tone(id)}`} aria-hidden="true" translate={false}>
      {initials(name)}
    </span>
  );
}

/** The classes `.tone-0` to `.tone-7` in tokens.css. */
export const TONES = 8;

/** The first letters of two words, the first two letters of a single word, or one character of a wide script or an emoji. */
export function initials(name: string): string {
  const words = name.split(/[\s\p{P}]+/u).filter(Boolean);
  const first = letters(words[0] ?? name);
  if (first.length === 0) return '';
  if (WIDE.test(first[0]!)) return first[0]!;
  const second = words[1] === undefined ? first[1] : letters(words[1])[0];
  return (first[0]! + (second !== undefined && !WIDE.test(second) ? second : '')).toLocaleUpperCase();
}

/** The colour of an id, 0 to TONES - 1: the same on every device (FNV-1a). */
export function tone(id: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % TONES;
}

const WIDE =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Extended_Pictographic}]/u;

function letters(word: string): string[] {
  if (/^[ -~]*$/.test(word)) return [...word];
  segmenter ??= new Intl.Segmenter();
  return Array.from(segmenter.segment(word), (part) => part.segment);
}

/** Made for the first word that is not ASCII: making one takes a slow phone more than a millisecond. */
let segmenter: Intl.Segmenter | undefined;
