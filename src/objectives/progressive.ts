import type { ObjectiveKind } from './objective.ts';

/** A part of a training, by the losses that it weighs. */
export interface LossStage {
  readonly name: string;
  /** Their names: `kd`, `labels`. */
  readonly objectives: readonly string[];
}

/** The parts of progressive distillation, in their order: each begins with the losses that are new in it. */
const PARTS: readonly { readonly name: string; readonly begins: (kind: ObjectiveKind) => boolean }[] = [
  { name: 'answers', begins: (kind) => !kind.adversarial && !looksInside(kind) },
  { name: 'layers', begins: (kind) => !kind.adversarial && looksInside(kind) },
  { name: 'boundary', begins: (kind) => kind.adversarial === true },
];

/**
 * Progressive distillation of the losses that a recipe weighs, in their order: first those over answers alone (the last
 * layer), then with what lies inside (hidden states, attention, reasons), then with attacked samples. A part that would
 * add nothing is left out.
 */
export function progressiveStages(kinds: readonly ObjectiveKind[]): LossStage[] {
  const stages: LossStage[] = [];
  for (const { name, begins } of PARTS) {
    const added = kinds.filter(begins).map(({ kind }) => kind);
    if (added.length === 0) continue;
    stages.push({ name, objectives: [...(stages.at(-1)?.objectives ?? []), ...added] });
  }
  return stages;
}

/** Whether a loss is of more than answers: of another level, or with questions to the teacher's graph. */
export function looksInside({ level = 'task', knowledge }: ObjectiveKind): boolean {
  return level !== 'task' || knowledge !== undefined;
}
