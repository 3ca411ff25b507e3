/** One emoji, as people react with it. Pure. */

/**
 * The fully-qualified form of an emoji: with U+FE0F (variation selector 16) exactly where Unicode has it. So 👍 with and without
 * it is one string. A skin tone is part of the emoji and stays. What is no emoji is returned in some form that is none either.
 */
export function canonicalEmoji(text: string): string {
  return text.replaceAll('\uFE0F', '').replace(TEXT_STYLE, '$&\uFE0F');
}

/** True for one emoji in its fully-qualified form: of those that this runtime's Unicode version has, or looks like one in an old browser. */
export function isEmoji(text: string): boolean {
  return emojiPattern().test(text);
}

/** Emoji that are shown as text by default, unless a skin tone follows. */
const TEXT_STYLE = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;

let pattern: RegExp | undefined;

/**
 * Safari 16 and Chrome 111 do not have the flag `v`. There the server's answer decides about what only looks like an emoji. Made
 * when first needed, and once: browsers need 15 ms for it.
 */
function emojiPattern(): RegExp {
  try {
    pattern ??= new RegExp('^\\p{RGI_Emoji}$', SETS);
  } catch {
    pattern = LOOKS_LIKE_ONE;
  }
  return pattern;
}

const SETS: string = 'v';
const LOOKS_LIKE_ONE =
  /^(?:\p{RI}\p{RI}|[0-9#*]\uFE0F\u20E3|(?![0-9#*])\p{Emoji}\uFE0F?\p{Emoji_Modifier}?(?:\u200D\p{Emoji}\uFE0F?\p{Emoji_Modifier}?|[\u{E0020}-\u{E007F}])*)$/u;
