import { type Language, language, speak } from '../../i18n/index.ts';
import { choose } from '../../i18n/language.ts';
import { sentence } from '../../i18n/reason.ts';
import { inSheets } from '../../i18n/sheets.ts';
import type { Outcome } from '../../state/model.ts';
import { useAsk } from '../useAsk.ts';

/** Each by its own name: who cannot read the one that is spoken finds theirs. */
const NAMES: Record<Language, { own: string; lang: string }> = {
  en: { own: 'English', lang: 'en' },
  zh: { own: '简体中文', lang: 'zh-Hans' },
};

export function LanguageChoice() {
  const ask = useAsk();
  return (
    <fieldset class="languages">
      <legend class="heard">{inSheets().language}</legend>
      {(Object.keys(NAMES) as Language[]).map((one) => (
        <button
          key={one}
          type="button"
          class="button quiet"
          lang={NAMES[one].lang}
          aria-pressed={one === language.get()}
          onClick={() => ask.run(() => change(one))}
        >
          {NAMES[one].own}
        </button>
      ))}
      <p class="why" role="alert">
        {ask.reason && sentence(ask.reason)}
      </p>
    </fieldset>
  );
}

/** Kept for the next time only once it is spoken: its texts may need a network that is not there. */
async function change(to: Language): Promise<Outcome> {
  try {
    await speak(to);
  } catch {
    return { ok: false, reason: { code: 'offline' } };
  }
  choose(to);
  return { ok: true };
}
