import type { StageName } from '../../events.ts';
import type { Stage } from './stage.ts';

/** A stage of somebody else's, and the one that it comes after. */
export interface Placed {
  readonly stage: Stage;
  readonly after: StageName;
}

const registered: Placed[] = [];

export function addRegistered(placed: Placed): void {
  registered.push(placed);
}

/** The names of the stages that were registered. */
export function registeredNames(): StageName[] {
  return registered.map(({ stage }) => stage.name);
}

/**
 * A command's stages with those that were registered (and `more`), each behind the one that it comes after, where the command
 * has that.
 */
export function withRegistered(list: readonly Stage[], ...more: readonly Placed[]): readonly Stage[] {
  const placed = [...registered, ...more];
  const behind = (after: StageName): Stage[] =>
    placed.flatMap((one) => (one.after === after ? [one.stage, ...behind(one.stage.name)] : []));
  return list.flatMap((stage, index) => {
    const isLast = list.findLastIndex(({ name }) => name === stage.name) === index;
    return isLast ? [stage, ...behind(stage.name)] : [stage];
  });
}
