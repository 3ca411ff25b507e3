/** The texts of the load: forty characters of words, generated from a seed, the same for both servers. */
import type { Random } from '../../support/random.ts';
import { MARK } from './marks.ts';

/** A message that begins with its number. */
export function bodyOf(number: number, random: Random): string {
  let body = `${MARK}${number}`;
  while (body.length < BODY_CHARACTERS) body += ` ${random.pick(WORDS)}`;
  return body
    .slice(0, BODY_CHARACTERS - 1)
    .trimEnd()
    .padEnd(BODY_CHARACTERS, '.');
}

const BODY_CHARACTERS = 40;

const WORDS =
  'we are at the north gate now and will wait until you come back with water some food for four people two of us walked down to river before rain it is quiet here bring lamp rope dry socks please call when train leaves he said maybe tomorrow morning not today thanks good night see soon'.split(
    ' ',
  );
