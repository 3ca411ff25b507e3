import { type Language, language, sentence, speak } from '../../i18n/index.ts';
import { choose } from '../../i18n/language.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Outcome } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';

/** Each language in its own name, so that everybody finds theirs. */
const NAMES: Record<Language, { own: string; lang: string }> = {
  en: { own: 'English', lang: 'en' },
  zh: { own: '简体中文', lang: 'zh-Hans' },
};

export function LanguageChoice() {
  const action = useAsyncAction();
  return (
    <fieldset class="languages">
      <legend class="visually-hidden">{sheetTexts().language}</legend>
      {(Object.keys(NAMES) as Language[]).map((one) => (
        <button
          key={one}
          type="button"
          class="button quiet"
          lang={NAMES[one].lang}
          aria-pressed={one === language.get()}
          onClick={() => action.run(() => change(one))}
        >
          {NAMES[one].own}
        </button>
      ))}
      <p class="why" role="alert">
        {action.reason && sentence(action.reason)}
      </p>
    </fieldset>
  );
}

/** Stores the choice only after the switch succeeded: the texts may need a network. */
async function change(to: Language): Promise<Outcome> {
  try {
    await speak(to);
  } catch {
    return { ok: false, reason: { code: 'offline' } };
  }
  choose(to);
  return { ok: true };
}
