/** Two migration steps of several parts each, over a collection of boxes. */
import type { Db } from 'mongodb';
import type { MigrationStep } from '../../../../../server/store/mongo/open/migrate.ts';

export const BOXES = 300;
const BOXES_PER_PART = 20;
export const PARTS = BOXES / BOXES_PER_PART;

interface Box {
  _id: number;
  /** The first step adds to it, so that a part that ran twice would show. */
  weight: number;
  paintedWeight?: number;
  label?: string;
}

export async function fillBoxes(db: Db): Promise<void> {
  const boxes = Array.from({ length: BOXES }, (_, _id) => ({ _id, weight: _id }));
  await db.collection<Box>('boxes').insertMany(boxes);
}

/** `onPart` is called before each part. */
export function testSteps(
  onPart: (step: string, from: string | undefined) => void = () => {},
): MigrationStep[] {
  const inParts = (
    name: string,
    change: (db: Db, from: number, to: number) => Promise<unknown>,
  ): MigrationStep => ({
    adds: name,
    async runPart(db, from) {
      onPart(name, from);
      const first = Number(from ?? 0) * BOXES_PER_PART;
      await change(db, first, first + BOXES_PER_PART);
      const next = Number(from ?? 0) + 1;
      return next < PARTS ? `${next}` : undefined;
    },
  });
  return [
    inParts('paint', (db, from, to) =>
      db
        .collection<Box>('boxes')
        .updateMany({ _id: { $gte: from, $lt: to } }, [
          { $set: { paintedWeight: { $add: ['$weight', 1] } } },
        ]),
    ),
    // needs the result of the first step
    inParts('label', (db, from, to) =>
      db
        .collection<Box>('boxes')
        .updateMany(
          { _id: { $gte: from, $lt: to }, paintedWeight: { $exists: true } },
          { $set: { label: 'done' } },
        ),
    ),
  ];
}

export async function isAllDone(db: Db): Promise<boolean> {
  const boxes = await db.collection<Box>('boxes').find().toArray();
  return (
    boxes.length === BOXES &&
    boxes.every(({ weight, paintedWeight, label }) => paintedWeight === weight + 1 && label === 'done')
  );
}
