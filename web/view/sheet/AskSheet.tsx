/**
 * Asking a keeper to be let back in. The request outlasts a reload: who calls a keeper on the same phone leaves the page, and
 * the system may end it.
 */
import { useEffect, useState } from 'preact/hooks';
import { COME_BACK_LIFETIME_MS } from '../../../shared/limits.ts';
import { sentence, t } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import { COME_BACK_LOOK_EVERY_MS } from '../../records/pageLimits.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

interface Asked {
  name: string;
  /** A secret, as good as a one-time pass once it is approved. */
  request: string;
  number: string;
  /** By the clock of this device, in milliseconds since 1970: afterwards it is forgotten. */
  until: number;
}

/** Opens again by itself where somebody has asked before the page was loaded. */
export function AskedBefore() {
  const [asked, setAsked] = useState(storedRequest);
  return asked ? <AskSheet name={asked.name} before={asked} onClose={() => setAsked(undefined)} /> : null;
}

interface AskSheetProps {
  name: string;
  before?: Asked;
  onClose(): void;
}

export function AskSheet({ name, before, onClose }: AskSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().ask;
  const [asked, setAsked] = useState(before);
  const [ended, setEnded] = useState<'refused' | 'expired' | undefined>();
  const action = useAsyncAction();
  const ask = () =>
    action.run(
      async () => (await client.keepers()).ask(name),
      ({ request, number }) => {
        const until = Date.now() + COME_BACK_LIFETIME_MS;
        const made = { name, request: request!, number: number!, until };
        storeRequest(made);
        setEnded(undefined);
        setAsked(made);
      },
    );
  const end = (how: typeof ended) => {
    storeRequest(undefined);
    setAsked(undefined);
    setEnded(how);
  };
  useEffect(() => {
    if (!asked) return;
    let timer: ReturnType<typeof setTimeout>;
    let isGone = false;
    const look = async () => {
      const next = await lookAfter(client, asked.request).catch(() => 'waiting' as const); // as without a network
      if (isGone) return;
      if (next !== 'waiting') return next === 'in' ? storeRequest(undefined) : end(next);
      timer = setTimeout(look, COME_BACK_LOOK_EVERY_MS);
    };
    void look();
    return () => {
      isGone = true;
      clearTimeout(timer);
    };
  }, [asked]);
  return (
    <Sheet title={s.title} onClose={onClose}>
      {asked ? (
        <>
          <p>{s.read(name)}</p>
          <output class="code" aria-label={[...asked.number].join(' ')}>
            {asked.number}
          </output>
          <p role="status">{s.waiting}</p>
          <button
            type="button"
            class="button quiet"
            onClick={() => {
              end(undefined);
              onClose();
            }}
          >
            {s.giveUp}
          </button>
        </>
      ) : (
        <>
          <p role="status">{ended ? s.ended[ended] : s.why(name)}</p>
          <p class="why" role="alert">
            {action.reason && sentence(action.reason, s.reasons)}
          </p>
          <button type="button" class="button" aria-busy={action.busy} onClick={ask}>
            {ended ? s.again : s.ask}
          </button>
          <button type="button" class="button quiet" onClick={onClose}>
            {t.cancel}
          </button>
        </>
      )}
    </Sheet>
  );
}

/** Signs in once a keeper has approved. Without an answer it goes on waiting. */
async function lookAfter(
  client: ReturnType<typeof useWorld>['client'],
  request: string,
): Promise<'waiting' | 'refused' | 'expired' | 'in'> {
  const looked = await (await client.keepers()).stateOf(request);
  if (!looked.ok) return looked.reason.code === 'not-found' ? 'expired' : 'waiting';
  if (looked.state !== 'approved') return looked.state ?? 'waiting';
  const entered = await client.signInByCode(request);
  if (entered.ok) return 'in';
  return entered.reason.code === 'unauthorized' ? 'expired' : 'waiting';
}

const KEY = 'holdfast:come-back';

function storeRequest(asked: Asked | undefined): void {
  try {
    if (asked) localStorage.setItem(KEY, JSON.stringify(asked));
    else localStorage.removeItem(KEY);
  } catch {
    // it lasts as long as the page
  }
}

function storedRequest(): Asked | undefined {
  try {
    const asked: Asked | null = JSON.parse(localStorage.getItem(KEY) ?? 'null');
    return asked && asked.until > Date.now() ? asked : undefined;
  } catch {
    return undefined;
  }
}
