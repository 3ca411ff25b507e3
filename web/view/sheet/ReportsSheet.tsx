import { useEffect, useState } from 'preact/hooks';
import type { ReportedMessage } from '../../../shared/protocol/index.ts';
import { isolated, sentence, times } from '../../i18n/index.ts';
import { sheetTexts } from '../../i18n/sheets.ts';
import type { OpenReport, Outcome, PeopleActions } from '../../state/model.ts';
import { useAsyncAction } from '../parts/useAsyncAction.ts';
import { useConnections } from '../parts/useIsLive.ts';
import { useWorld } from '../parts/world.ts';
import { Sheet } from './Sheet.tsx';

/**
 * The button that opens the reports, with their number. Without a room: those for keepers, also where there are none. Where there
 * was no answer, the sheet behind it asks again.
 */
export function ReportsButton({ room, onOpen }: { room?: string; onOpen(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().reports;
  const [found, setFound] = useState<number | 'unknown'>(0);
  const connections = useConnections();
  useEffect(() => {
    client
      .people()
      .then((people) => people.reports(room))
      .then(
        (answer) => setFound(answer.ok ? (answer.reports?.length ?? 0) : 'unknown'),
        () => setFound('unknown'), // its chunk cannot be fetched now
      );
  }, [client, room, connections]);
  if (room !== undefined && found === 0) return null;
  return (
    <button type="button" class="button quiet" onClick={onOpen}>
      {typeof found === 'number' && found > 0 ? s.open(found) : s.title}
    </button>
  );
}

/** The open reports of a room, for its moderators; or without a room those for keepers. */
export function ReportsSheet({ room, onClose }: { room?: string; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().reports;
  const [reports, setReports] = useState<readonly OpenReport[] | undefined>();
  const [chosen, setChosen] = useState<OpenReport | undefined>();
  const look = useAsyncAction();
  const connections = useConnections();
  useEffect(() => {
    if (!chosen)
      look.run(
        async () => (await client.people()).reports(room),
        (answer) => setReports(answer.reports ?? []),
      );
  }, [client, room, chosen, connections]);
  if (chosen) return <OneReport report={chosen} onClose={() => setChosen(undefined)} />;
  const now = Date.now();
  return (
    <Sheet title={s.title} onClose={onClose}>
      <p class="why" role="alert">
        {look.reason && sentence(look.reason, s.reasons)}
      </p>
      <p role="status">{reports?.length === 0 && s.none}</p>
      <ul class="public">
        {reports?.map((report) => (
          <li key={report.id} class="room">
            <span class="what">
              <span class="name" dir="auto">
                {s.about(isolated(report.about.name))}
              </span>
              <span class="last">{s.by(isolated(report.by.name), times.recent(report.createdAt, now))}</span>
            </span>
            <button
              type="button"
              class="button small"
              aria-label={s.lookAt(isolated(report.about.name), isolated(report.by.name))}
              onClick={() => setChosen(report)}
            >
              {s.look}
            </button>
          </li>
        ))}
      </ul>
    </Sheet>
  );
}

type Found = Extract<Awaited<ReturnType<PeopleActions['readReport']>>, { ok: true }>;

/** What was reported, as it stood then, with what is around it; and what one can do about it. */
function OneReport({ report, onClose }: { report: OpenReport; onClose(): void }) {
  const { client } = useWorld();
  const s = sheetTexts().reports;
  const [found, setFound] = useState<Found | undefined>();
  const [isDeleted, setIsDeleted] = useState(false);
  const look = useAsyncAction();
  const action = useAsyncAction();
  const connections = useConnections();
  const { id, room, about, by, createdAt, reason } = report;
  useEffect(() => {
    look.run(async () => (await client.people()).readReport(id), setFound);
  }, [client, id, connections]);
  const reported = found?.messages?.find(({ serverOffset }) => serverOffset === report.message);
  const canDelete = found?.mayDelete && reported?.body !== undefined && !isDeleted;
  async function remove({ author, clientOffset, serverOffset }: ReportedMessage): Promise<Outcome> {
    return client.takeDown(room!, { key: `${author.id} ${clientOffset}`, author, serverOffset });
  }
  const failed = action.reason ?? look.reason;
  return (
    <Sheet title={s.about(isolated(about.name))} onClose={onClose}>
      <p>{s.by(isolated(by.name), times.recent(createdAt, Date.now()))}</p>
      {reason !== undefined && <blockquote dir="auto">{reason}</blockquote>}
      {found?.messages?.map((message) => (
        <ShownMessage
          key={message.serverOffset}
          message={message}
          isReported={message === reported}
          isDeleted={message === reported && isDeleted}
        />
      ))}
      <p class="why" role="alert">
        {failed && sentence(failed, s.reasons)}
      </p>
      {canDelete && (
        <button
          type="button"
          class="button danger"
          aria-busy={action.busy}
          onClick={() =>
            action.run(
              () => remove(reported),
              () => setIsDeleted(true),
            )
          }
        >
          {s.delete}
        </button>
      )}
      <button
        type="button"
        class="button quiet"
        aria-busy={action.busy}
        onClick={() => action.run(async () => (await client.people()).closeReport(id), onClose)}
      >
        {s.close}
      </button>
    </Sheet>
  );
}

interface ShownMessageProps {
  message: ReportedMessage;
  isReported: boolean;
  /** By the person, a moment ago. */
  isDeleted: boolean;
}

function ShownMessage({ message, isReported, isDeleted }: ShownMessageProps) {
  const s = sheetTexts().reports;
  const { author, at, body, firstBody } = message;
  return (
    <div class="said">
      {isReported && <h3>{s.message}</h3>}
      <p>
        <bdi>{author.name}</bdi> · {times.recent(at, Date.now())}
      </p>
      <blockquote dir="auto">{isDeleted || body === undefined ? s.deleted : body}</blockquote>
      {firstBody !== undefined && !isDeleted && <p dir="auto">{s.before(isolated(firstBody))}</p>}
    </div>
  );
}
