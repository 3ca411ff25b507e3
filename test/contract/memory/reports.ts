/** Reports of messages and people, in memory. */
import type { NewReport, ReportStore } from '../../../server/store/port.ts';
import type { MemoryData } from './data.ts';

export function reportsIn(data: MemoryData, call: <T>(work: () => T) => Promise<T>): ReportStore {
  const all = () => [...data.reports.values()];
  const isFor = (one: NewReport, room: string | undefined) =>
    room === undefined
      ? one.recipients === 'keepers'
      : one.recipients === 'moderators' && one.message?.room === room;

  return {
    add: (report, most) =>
      call(() => {
        for (const { id, expiresAt } of all()) if (expiresAt <= report.createdAt) data.reports.delete(id);
        const { createdBy, recipients, message } = report;
        const what = (one: NewReport) =>
          [one.createdBy, one.about, one.message?.room, one.message?.serverOffset].join(' ');
        if (all().some((one) => !one.isClosed && what(one) === what(report))) return 'repeat';
        const own = all().filter((one) => one.createdBy === createdBy && one.createdAt >= most.since);
        if (own.length >= most.ofUser) return 'too-many';
        const room = recipients === 'keepers' ? undefined : message!.room;
        if (all().filter((one) => !one.isClosed && isFor(one, room)).length >= most.open) return 'full';
        data.reports.set(report.id, { ...report, isClosed: false });
        return 'added';
      }),
    open: (room, at) =>
      call(() =>
        all()
          .filter((one) => !one.isClosed && one.expiresAt > at && isFor(one, room))
          .toSorted((a, b) => a.createdAt - b.createdAt)
          .map(reportOf),
      ),
    find: (id, at) =>
      call(() => {
        const found = data.reports.get(id);
        return found && !found.isClosed && found.expiresAt > at ? reportOf(found) : undefined;
      }),
    close: (id, expiresAt) =>
      call(() => {
        const report = data.reports.get(id);
        if (!report || report.isClosed) return false;
        Object.assign(report, { isClosed: true, expiresAt });
        return true;
      }),
    toKeepers: (id) =>
      call(() => {
        const report = data.reports.get(id);
        if (report && !report.isClosed) report.recipients = 'keepers';
      }),
  };
}

function reportOf({ isClosed: _, ...report }: NewReport & { isClosed: boolean }): NewReport {
  return report;
}
