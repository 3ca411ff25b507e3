/**
 * Reports of messages and people, a document each. While it is open, its field `open` names who reports what, and a unique index
 * refuses a second one. Concurrent calls may exceed the other limits by as many as they are.
 */
import type { NewReport, ReportStore } from '../port.ts';
import type { Collections, ReportDocument } from './base/collections.ts';
import { isDuplicate } from './base/faults.ts';

export function reportsOn({ reports }: Pick<Collections, 'reports'>): ReportStore {
  const OPEN = { open: { $exists: true } };
  const seenBy = (recipients: NewReport['recipients'], room: string | undefined) => ({
    recipients,
    ...(recipients === 'moderators' && { 'message.room': room! }),
    ...OPEN,
  });

  return {
    async add({ id, ...report }, most) {
      const { createdBy, createdAt, message, recipients } = report;
      await reports.deleteMany({ expiresAt: { $lte: createdAt } });
      const open = openReportKey(report);
      if (await reports.findOne({ open })) return 'repeat';
      const made = { createdBy, createdAt: { $gte: most.since } };
      if ((await reports.countDocuments(made, { limit: most.ofUser })) >= most.ofUser) return 'too-many';
      const waiting = seenBy(recipients, message?.room);
      if ((await reports.countDocuments(waiting, { limit: most.open })) >= most.open) return 'full';
      try {
        await reports.insertOne({ _id: id, ...report, open });
        return 'added';
      } catch (error) {
        if (isDuplicate(error)) return 'repeat';
        throw error;
      }
    },
    async open(room, at) {
      const found = await reports
        .find({ ...seenBy(room === undefined ? 'keepers' : 'moderators', room), expiresAt: { $gt: at } })
        .sort({ createdAt: 1, _id: 1 })
        .toArray();
      return found.map(reportOf);
    },
    async find(id, at) {
      const found = await reports.findOne({ _id: id, ...OPEN, expiresAt: { $gt: at } });
      return found ? reportOf(found) : undefined;
    },
    async close(id, expiresAt) {
      const closed = await reports.updateOne(
        { _id: id, ...OPEN },
        { $set: { expiresAt }, $unset: { open: '' } },
      );
      return closed.matchedCount > 0;
    },
    async toKeepers(id) {
      await reports.updateOne({ _id: id, ...OPEN }, { $set: { recipients: 'keepers' } });
    },
  };
}

/** Of the unique index of open reports: who reports what. */
export function openReportKey({
  createdBy,
  about,
  message,
}: Pick<NewReport, 'createdBy' | 'about' | 'message'>): string {
  return [createdBy, about, ...(message ? [message.room, message.serverOffset] : [])].join(' ');
}

function reportOf({ _id, open: _, ...report }: ReportDocument): NewReport {
  return { id: _id, ...report };
}
