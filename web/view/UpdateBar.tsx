import { t } from '../i18n/index.ts';
import { useWorld } from './context.ts';
import { useReadable } from './useReadable.ts';

/** Says that a new build is there, and takes it when told to: never by itself. */
export function UpdateBar() {
  const { update } = useWorld();
  if (!useReadable(update.ready)) return null;
  return (
    <aside class="update">
      <span>{t.update.ready}</span>
      <button type="button" class="button small" onClick={update.take}>
        {t.update.take}
      </button>
    </aside>
  );
}
