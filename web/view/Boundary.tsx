import type { ComponentChildren } from 'preact';
import { useErrorBoundary } from 'preact/hooks';
import { t } from '../i18n/index.ts';

/** A view that crashes takes none of what was written with it: that is in the database, not on the screen (O4). */
export function Boundary({ children }: { children: ComponentChildren }) {
  const [error] = useErrorBoundary((crash) => console.error(crash));
  if (!error) return <>{children}</>;
  return (
    <main class="plain">
      <h1>{t.broken.title}</h1>
      <p>{t.broken.why}</p>
      <button type="button" class="button" onClick={() => location.reload()}>
        {t.broken.reload}
      </button>
    </main>
  );
}
