/** Who joined and who left in a run of joins and leaves, and what a notice says. In the engine's chunk: the first paint keeps the place of the line. */
import type { Entry } from '../../../shared/entry.ts';
import { isNotice, membershipOf, subjectOf } from '../../../shared/kinds.ts';
import { shownName } from '../../../shared/text.ts';
import { getOnce } from '../../db/lookups.ts';
import type { UserRead } from '../../db/userDatabase.ts';
import { RUN_MAX_ENTRIES } from './membershipRuns.ts';

/** `Who`: an id, or what is shown for it. */
export interface NamedPeople<Who> {
  /** At most NAMED_MAX; the user first, then in the order of the log. */
  named: Who[];
  /** How many more they are: none, or two and more. Infinity: some, since not all of the run was read. */
  others: number;
}

/** By what each of them did last. */
export interface RunPeople<Who> {
  joined: NamedPeople<Who>;
  left: NamedPeople<Who>;
}

/** An entry that is a line of its own. `isSelf`: who did it is whom it concerns. */
export interface Notice<Who> {
  kind: string;
  by: Who;
  whom: Who;
  isSelf: boolean;
  /** The fields of its kind. */
  fields: Readonly<Record<string, unknown>>;
}

/** One more is no longer than "1 other". */
const NAMED_MAX = 3;

/** Undefined stands for the user; empty for a name that is not known. */
export async function readRunPeople(
  tx: UserRead,
  run: readonly Entry[],
  me: string,
): Promise<RunPeople<string | undefined> | Notice<string | undefined>> {
  const nameOf = async (id: string) => {
    const user = id === me ? undefined : await getOnce(tx, 'users', id);
    return id === me ? undefined : user ? shownName(user.name) : '';
  };
  const [first] = run;
  if (first && isNotice(first)) {
    const { kind, author, ...fields } = first;
    const whom = subjectOf(first);
    return { kind, by: await nameOf(author), whom: await nameOf(whom), isSelf: author === whom, fields };
  }
  const { joined, left } = runPeople(run, me);
  const withNames = async ({ named, others }: NamedPeople<string>) => ({
    named: await Promise.all(named.map(nameOf)),
    others,
  });
  return { joined: await withNames(joined), left: await withNames(left) };
}

/** Of the first RUN_MAX_ENTRIES of the run. Pure. */
export function runPeople(run: readonly Entry[], me: string): RunPeople<string> {
  const isCut = run.length > RUN_MAX_ENTRIES;
  const last = new Map(run.slice(0, RUN_MAX_ENTRIES).map((entry) => [subjectOf(entry), membershipOf(entry)]));
  const who = (did: 'joined' | 'left'): NamedPeople<string> => {
    const all = [...last].flatMap(([user, what]) => (what === did ? user : []));
    const ids = [...all.filter((id) => id === me), ...all.filter((id) => id !== me)];
    const named = ids.slice(0, isCut || ids.length > NAMED_MAX ? NAMED_MAX - 1 : NAMED_MAX);
    return { named, others: isCut ? Number.POSITIVE_INFINITY : ids.length - named.length };
  };
  return { joined: who('joined'), left: who('left') };
}
