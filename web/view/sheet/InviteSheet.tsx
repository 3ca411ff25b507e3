import { useEffect, useState } from 'preact/hooks';
import { shownName } from '../../../shared/text.ts';
import { roomName, sentence, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { MadeInvitation, Outcome, RoomInvitation, RoomSummary, SignedIn } from '../../state/model.ts';
import { hashOf } from '../parts/router.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';
import { type PosterProps, PrintPoster } from './Poster.tsx';
import { QrCode } from './QrCode.tsx';
import { Sheet } from './Sheet.tsx';

interface InviteSheetProps {
  app: SignedIn;
  room: RoomSummary;
  onClose(): void;
}

/** Makes invitations to a room, and shows those that are valid. */
export function InviteSheet({ app, room, onClose }: InviteSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().invite;
  const isKeeper = app.role === 'keeper';
  const [days, setDays] = useState(7);
  const [uses, setUses] = useState(50);
  const [forNew, setForNew] = useState(isKeeper);
  const [made, setMade] = useState<MadeInvitation | undefined>();
  const [turn, setTurn] = useState(0);
  const action = useAsyncAction();
  const make = () =>
    action.run(
      async () =>
        (await client.people()).invite(room.id, {
          lifetimeMs: days * DAY_MS,
          uses,
          makesAccounts: isKeeper && forNew,
        }),
      (answer) => {
        setMade(answer.made);
        setTurn(turn + 1);
      },
    );
  return (
    <Sheet title={s.title(roomName(room))} onClose={onClose}>
      {made ? (
        <Secret
          by={shownName(app.user.name)}
          room={roomName(room)}
          link={`${location.origin}/${hashOf({ tag: 'join', id: made.token })}`}
          code={made.code}
          expiresAt={made.expiresAt}
        />
      ) : (
        <>
          <p>{s.why}</p>
          <Choice label={s.validFor} value={days} of={[1, 7, 30, 100]} shown={s.days} onChoose={setDays} />
          <Choice
            label={s.forPeople}
            value={uses}
            of={[1, 10, 50, 500]}
            shown={s.people}
            onChoose={setUses}
          />
          {isKeeper && (
            <label class="check">
              <input
                type="checkbox"
                checked={forNew}
                onChange={(event) => setForNew(event.currentTarget.checked)}
              />
              {s.forNew}
            </label>
          )}
          <p class="why" role="alert">
            {action.reason && sentence(action.reason, s.reasons)}
          </p>
          <button type="button" class="button" aria-busy={action.busy} onClick={make}>
            {s.make}
          </button>
        </>
      )}
      <InvitationList room={room.id} turn={turn} />
    </Sheet>
  );
}

const DAY_MS = 24 * 60 * 60 * 1_000;

interface ChoiceProps {
  label: string;
  value: number;
  of: readonly number[];
  shown(value: number): string;
  onChoose(value: number): void;
}

function Choice({ label, value, of, shown, onChoose }: ChoiceProps) {
  return (
    <label class="choice">
      {label}
      <select value={value} onChange={(event) => onChoose(Number(event.currentTarget.value))}>
        {of.map((one) => (
          <option key={one} value={one}>
            {shown(one)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** The link and the code, which are shown only now. */
function Secret(poster: PosterProps) {
  const { link, code } = poster;
  const s = sheetTexts().invite;
  const [copied, setCopied] = useState(false);
  const copy = () =>
    Promise.resolve(navigator.clipboard?.writeText(link) ?? Promise.reject()).then(
      () => setCopied(true),
      () => {}, // the link stands there to be selected
    );
  const share = () => navigator.share({ text: s.shared, url: link }).catch(() => {}); // the person has closed it
  const canShare = 'share' in navigator;
  return (
    <>
      <p>{s.secret}</p>
      <p class="link">
        <code>{link}</code>
      </p>
      {canShare && (
        <button type="button" class="button" onClick={share}>
          {s.share}
        </button>
      )}
      <button type="button" class={canShare ? 'button quiet' : 'button'} onClick={copy}>
        {copied ? sheetTexts().openInBrowser.copied : sheetTexts().openInBrowser.copy}
      </button>
      <p>{s.orCode}</p>
      <output class="code" aria-label={[...code].join(' ')}>
        {code}
      </output>
      <QrCode text={link} label={s.qr} />
      <PrintPoster {...poster} />
    </>
  );
}

/** Invitations that are valid, with a button to revoke each. Without a room: those of all rooms, for keepers. `turn`: read again. */
export function InvitationList({ room, turn }: { room?: string; turn: number }) {
  const { client } = useWorld();
  const s = sheetTexts().invite;
  const [invitations, setInvitations] = useState<RoomInvitation[]>([]);
  const connections = useConnections();
  const action = useAsyncAction();
  async function look(): Promise<Outcome> {
    const answer = await (await client.people()).invitations(room);
    if (answer.ok) setInvitations(answer.invitations ?? []);
    return answer;
  }
  useEffect(() => action.run(look), [room, turn, connections]);
  const revoke = (id: string) =>
    action.run(async () => {
      const outcome = await (await client.people()).revokeInvitation(id);
      return outcome.ok ? look() : outcome;
    });
  const now = Date.now();
  return (
    <section class="public">
      {invitations.length > 0 && <h3>{s.valid}</h3>}
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, s.reasons)}
      </p>
      <ul>
        {invitations.map(({ id, by, uses, maxUses, expiresAt }) => (
          <li key={id} class="room">
            <span class="what">
              <span class="name" dir="auto">
                {by.name}
              </span>
              <span class="last">
                {s.used(uses, maxUses)} · {s.until(times.date(expiresAt, now))}
              </span>
            </span>
            <button
              type="button"
              class="button small quiet"
              aria-label={s.revokeOne(by.name, times.date(expiresAt, now))}
              aria-busy={action.busy}
              onClick={() => revoke(id)}
            >
              {s.revoke}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
