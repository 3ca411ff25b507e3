/** How the algorithm and whoever carries out its commands take turns, with the types of question and answer in step. */
import type { Command, Replies } from './commands.ts';

export type Reply = Replies[Command['do']];

/** An algorithm: it yields commands, is resumed with their replies, and returns a T. */
export type Steps<T> = Generator<Command, T, Reply>;

export type Execute = <C extends Command>(command: C) => Promise<Replies[C['do']]>;

/** Carries it through. Rejects only with what `execute` rejects with. */
export async function run<T>(steps: Steps<T>, execute: Execute): Promise<T> {
  let step = steps.next();
  while (!step.done) step = steps.next(await execute(step.value));
  return step.value;
}

/** `yield* ask(command)` is the command's reply: whoever resumes with another kind of reply breaks the seam. */
export function* ask<C extends Command>(command: C): Steps<Replies[C['do']]> {
  return (yield command) as Replies[C['do']];
}
