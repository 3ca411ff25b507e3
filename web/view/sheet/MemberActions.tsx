import { isolated, sentence } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { Outcome } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { ConfirmedAction } from './ConfirmedAction.tsx';

type RoleName = 'owner' | 'moderator' | 'member';

/** The owners and moderators of a room by id, and what one may do oneself. */
export interface KnownRoles {
  roles: Readonly<Record<string, RoleName>>;
  own: RoleName;
  /** For moderators. */
  banned?: readonly { id: string; name: string }[];
}

interface MemberActionsProps {
  room: string;
  /** `isMe`: the person themselves. */
  person: { id: string; name: string; isMe: boolean };
  known: KnownRoles;
  /** Something has changed. */
  onDone(): void;
}

/** What one can do about a member of a room. */
export function MemberActions({ room, person, known, onDone }: MemberActionsProps) {
  const { client } = useWorld();
  const s = sheetTexts().roles;
  const action = useAsyncAction();
  const role = known.roles[person.id] ?? 'member';
  const act = (work: () => Promise<Outcome>) => () => action.run(work, onDone);
  const set = (next: RoleName, handOn = false) =>
    act(() => client.ask('setRole', room, person.id, next, handOn));
  const button = (label: string, onClick: () => void) => (
    <button type="button" class="button quiet" aria-busy={action.busy} onClick={onClick}>
      {label}
    </button>
  );
  return (
    <div class="member-actions">
      {person.isMe ? (
        role !== 'member' && button(s.stepDown, set('member'))
      ) : (
        <>
          {known.own === 'owner' && (
            <>
              {role !== 'moderator' && button(s.make.moderator, set('moderator'))}
              {role !== 'member' && button(s.make.member, set('member'))}
              {role !== 'owner' && button(s.make.owner, set('owner'))}
              {role !== 'owner' && button(s.handOn, set('owner', true))}
            </>
          )}
          {(['remove', 'ban'] as const).map((what) => (
            <ConfirmedAction
              key={what}
              {...s[what]}
              means={s[what].means(isolated(person.name))}
              busy={action.busy}
              onConfirm={act(() => client.ask('removeMember', room, person.id, what === 'ban'))}
            />
          ))}
        </>
      )}
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, s.reasons)}
      </p>
    </div>
  );
}

/** Whether there is anything that one can do about this person. */
export function hasActions(known: KnownRoles | undefined, person: { id: string; isMe: boolean }): boolean {
  if (!known) return false;
  const role = known.roles[person.id] ?? 'member';
  if (person.isMe) return role !== 'member';
  return known.own === 'owner' || (known.own === 'moderator' && role === 'member');
}

/** The people who are banned from a room, for its moderators. */
export function BannedPeople({ room, known, onDone }: Pick<MemberActionsProps, 'room' | 'known' | 'onDone'>) {
  const { client } = useWorld();
  const { roles: s, presence } = sheetTexts();
  const action = useAsyncAction();
  if (!known.banned?.length) return null;
  return (
    <>
      <h3>{s.banned}</h3>
      <ul class="public">
        {known.banned.map(({ id, name }) => (
          <li key={id} class="room">
            <span class="what">
              <span class="name" dir="auto" translate={false}>
                {name || presence.somebody}
              </span>
            </span>
            <button
              type="button"
              class="button small"
              aria-label={s.unbanNamed(name || presence.somebody)}
              aria-busy={action.busy}
              onClick={() => action.run(() => client.ask('unban', room, id), onDone)}
            >
              {s.unban}
            </button>
          </li>
        ))}
      </ul>
      <p class="why" role="alert">
        {action.reason && sentence(action.reason, s.reasons)}
      </p>
    </>
  );
}
