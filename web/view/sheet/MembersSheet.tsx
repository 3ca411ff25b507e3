import { Fragment } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { roomName, sentence, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { MemberSummary, RoomSummary, SignedIn } from '../../state/model.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/Icon.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useWorld } from '../parts/world.ts';
import { BannedPeople, hasActions, type KnownRoles, MemberActions } from './MemberActions.tsx';
import { afterClosing, Sheet } from './Sheet.tsx';
import type { SheetsProps } from './Sheets.tsx';

interface MembersSheetProps {
  app: SignedIn;
  room: RoomSummary;
  onOpen: SheetsProps['onOpen'];
}

/** The people of a room: who is here, and when the others were here last. Of a large room a page at a time. */
export function MembersSheet({ app, room, onOpen }: MembersSheetProps) {
  const onClose = () => onOpen(undefined);
  const { client, router } = useWorld();
  const { presence: s, roles, direct } = sheetTexts();
  const [pages, setPages] = useState<MemberSummary[][]>([]);
  const [next, setNext] = useState<string | undefined>();
  const [isHidden, setHidden] = useState(false);
  const action = useAsyncAction();
  const write = useAsyncAction();
  const [known, setKnown] = useState<KnownRoles | undefined>();
  const [openPerson, setOpenPerson] = useState<string | undefined>();
  const load = (after?: string) =>
    action.run(
      () => client.ask('members', room.id, after),
      (page) => {
        setPages((before) => [...(after === undefined ? [] : before), page.members ?? []]);
        setNext(page.next);
        setHidden(page.hidden === true);
      },
    );
  const isLive = app.connection.tag === 'live';
  useEffect(load, [isLive]);
  const loadRoles = () => {
    client.ask('roles', room.id).then(
      (answer) => answer.ok && setKnown(answer as KnownRoles),
      () => {}, // an older server has none
    );
  };
  useEffect(loadRoles, [isLive]);

  const now = app.rooms.find(({ id }) => id === room.id)?.presence;
  const members = pages.flatMap((page) =>
    page
      .map((one) => ({ ...one, presence: now?.[one.id] ?? one.presence }))
      .sort((a, b) => rank(b) - rank(a) || a.name.localeCompare(b.name)),
  );
  return (
    <Sheet title={s.title(roomName(room))} onClose={onClose}>
      <p class="why" role="alert">
        {(action.reason ?? write.reason) && sentence((action.reason ?? write.reason)!)}
      </p>
      {isHidden && <p>{s.hidden}</p>}
      {action.busy && pages.length === 0 && <p>{s.looking}</p>}
      <ul class="public">
        {members.map(({ id, name, presence: { here, seenAt } }) => {
          const person = { id, name: name || s.somebody, isMe: id === app.user.id };
          const role = known?.roles[id] ?? 'member';
          return (
            <Fragment key={id}>
              <li class="room">
                <span class={here ? 'face here' : 'face'}>
                  <Avatar id={id} name={name} kind="direct" />
                </span>
                <button
                  type="button"
                  class="what"
                  onClick={() => onOpen({ tag: 'profile', person: { id, name: person.name } })}
                >
                  <span class="name" dir="auto" translate={false}>
                    {person.name}
                  </span>
                  <span class="last">
                    {[
                      person.isMe && s.you,
                      role !== 'member' && roles[role],
                      here ? s.here : seenAt !== undefined && s.seen(times.recent(seenAt, Date.now())),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </span>
                </button>
                {!person.isMe && room.kind !== 'direct' && (
                  <button
                    type="button"
                    class="button small quiet"
                    aria-label={direct.openTo(person.name)}
                    onClick={() =>
                      write.run(
                        () => client.ask('writeTo', { id, name }),
                        ({ room: opened }) => {
                          if (opened === undefined) return;
                          onClose();
                          afterClosing(() => router.go({ tag: 'room', id: opened }));
                        },
                      )
                    }
                  >
                    {direct.open}
                  </button>
                )}
                {hasActions(known, person) && (
                  <button
                    type="button"
                    class="icon"
                    aria-label={roles.actionsFor(person.name)}
                    aria-expanded={openPerson === id}
                    onClick={() => setOpenPerson(openPerson === id ? undefined : id)}
                  >
                    <Icon name="more" />
                  </button>
                )}
              </li>
              {openPerson === id && known && (
                <li>
                  <MemberActions
                    room={room.id}
                    person={person}
                    known={known}
                    onDone={() => {
                      setOpenPerson(undefined);
                      loadRoles();
                      load();
                    }}
                  />
                </li>
              )}
            </Fragment>
          );
        })}
      </ul>
      {next !== undefined && (
        <button type="button" class="button quiet" aria-busy={action.busy} onClick={() => load(next)}>
          {s.more}
        </button>
      )}
      {known && <BannedPeople room={room.id} known={known} onDone={loadRoles} />}
    </Sheet>
  );
}

/** Those who are here first, then those who were here last. */
function rank({ presence: { here, seenAt = 0 } }: MemberSummary): number {
  return here ? Number.MAX_SAFE_INTEGER : seenAt;
}
