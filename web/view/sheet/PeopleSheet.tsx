import { useEffect, useState } from 'preact/hooks';
import type { PersonChange } from '../../../shared/protocol/index.ts';
import { times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { PersonSummary, SignedIn } from '../../state/model.ts';
import { Field } from '../parts/Field.tsx';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';
import { ConfirmedAction } from './ConfirmedAction.tsx';
import { DevicesSheet } from './DevicesSheet.tsx';
import { InvitationList } from './InviteSheet.tsx';
import { ReportsButton, ReportsSheet } from './ReportsSheet.tsx';
import { Sheet } from './Sheet.tsx';

/** For keepers: the people of the server, reports, its invitations, its address and its disk space. */
export function PeopleSheet({ app, onClose }: { app: SignedIn; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().people;
  const [name, setName] = useState('');
  const [found, setFound] = useState<PersonSummary[] | undefined>();
  const [chosen, setChosen] = useState<PersonSummary | undefined>();
  const [showsReports, setShowsReports] = useState(false);
  const action = useAsyncAction();
  const find = () =>
    action.run(
      async () => (await client.keepers()).people(name.trim()),
      (answer) => setFound(answer.people ?? []),
    );
  if (showsReports) return <ReportsSheet onClose={() => setShowsReports(false)} />;
  if (chosen)
    return (
      <PersonSheet
        person={chosen}
        isSelf={chosen.user.id === app.user.id}
        onDone={() => {
          setChosen(undefined);
          find();
        }}
        onClose={() => setChosen(undefined)}
      />
    );
  return (
    <Sheet title={s.title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          find();
        }}
        noValidate
      >
        <Field
          label={s.name}
          value={name}
          onInput={setName}
          reason={action.reason}
          reasons={sheetTexts().keeper.reasons}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {s.find}
        </button>
      </form>
      <section class="public">
        <p role="status">{found?.length === 0 && s.none}</p>
        <ul>
          {found?.map((person) => (
            <li key={person.user.id} class="room">
              <span class="what">
                <span class="name" dir="auto" translate={false}>
                  {person.user.name}
                </span>
                <span class="last">
                  {s.devices(person.devices)}
                  {person.seenAt !== undefined && ` · ${sheetTexts().devices.used(dayOf(person.seenAt))}`}
                  {person.keeper && ` · ${s.isKeeper}`}
                  {person.suspended && ` · ${s.isSuspended}`}
                </span>
              </span>
              <button
                type="button"
                class="button small quiet"
                aria-label={s.changeOne(person.user.name)}
                onClick={() => setChosen(person)}
              >
                {s.change}
              </button>
            </li>
          ))}
        </ul>
      </section>
      <ReportsButton onOpen={() => setShowsReports(true)} />
      <InvitationList turn={0} />
      <ServerLine />
    </Sheet>
  );
}

function dayOf(at: number): string {
  return times.day(at, Date.now());
}

interface PersonSheetProps {
  person: PersonSummary;
  /** Whether it is the keeper who looks. */
  isSelf: boolean;
  onDone(): void;
  onClose(): void;
}

function PersonSheet({ person, isSelf, onDone, onClose }: PersonSheetProps) {
  const { client } = useWorld();
  const s = sheetTexts().people;
  const { id, name } = person.user;
  const [newName, setNewName] = useState(name);
  const [showsDevices, setShowsDevices] = useState(false);
  const action = useAsyncAction();
  const change = (what: PersonChange) =>
    action.run(async () => (await client.keepers()).changePerson(id, what), onDone);
  if (showsDevices) return <DevicesSheet person={person.user} onClose={onDone} />;
  return (
    <Sheet title={name} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          change({ name: newName });
        }}
        noValidate
      >
        <Field
          label={s.newName}
          hint={s.renameOnly}
          value={newName}
          onInput={setNewName}
          reason={action.reason}
          reasons={s.reasons}
        />
        <button type="submit" class="button" aria-busy={action.busy}>
          {s.rename}
        </button>
      </form>
      {!isSelf && person.devices > 0 && (
        <button type="button" class="button quiet" onClick={() => setShowsDevices(true)}>
          {s.showDevices}
        </button>
      )}
      <button type="button" class="button quiet" onClick={() => change({ signOut: true })}>
        {isSelf ? s.signOutOwn : s.signOut}
      </button>
      <button type="button" class="button quiet" onClick={() => change({ keeper: !person.keeper })}>
        {person.keeper ? s.takeRole : s.giveRole}
      </button>
      {person.suspended ? (
        <button type="button" class="button" onClick={() => change({ suspend: false })}>
          {s.lift}
        </button>
      ) : (
        !isSelf && (
          <ConfirmedAction {...s.suspend} busy={action.busy} onConfirm={() => change({ suspend: true })} />
        )
      )}
    </Sheet>
  );
}

function ServerLine() {
  const { client } = useWorld();
  const s = sheetTexts().people;
  const [free, setFree] = useState<number | undefined>();
  const connections = useConnections();
  useEffect(() => {
    client
      .keepers()
      .then((keepers) => keepers.server())
      .then(
        (answer) => setFree(answer.ok ? answer.freeBytes : undefined),
        () => {}, // its chunk cannot be fetched now
      );
  }, [client, connections]);
  return (
    <p>
      {s.address(location.origin)}
      {free !== undefined && ` ${s.free(free / GIGABYTE)}`}
    </p>
  );
}

const GIGABYTE = 1_000_000_000;
