import type { ObjectiveTerm } from '../../objectives/objective.ts';
import { randomStream } from '../../random.ts';
import type { Student } from '../../students/student.ts';
import { findTransform, type TransformItem } from './index.ts';
import { phasesOf, type Transform, type TransformContext, type TransformedTraining } from './transform.ts';

/** The list of a recipe and what all of its transforms are told. */
export interface TransformList {
  readonly items: readonly TransformItem[];
  readonly seed: number;
  readonly outputs: readonly string[];
  /** How the student leaves in 4 bits; absent where it leaves without such a file. */
  readonly fourBit?: TransformContext['fourBit'];
}

/** What one transform of a list is told. */
export function transformContext({ seed, outputs, fourBit }: TransformList, index: number): TransformContext {
  return {
    where: `compress[${index}]`,
    outputs,
    ...(fourBit && { fourBit }),
    random: (...labels) => randomStream(seed, 'compress', index, ...labels),
  };
}

/** The student with its first parameters, as the transforms `before` training have it; itself where there are none. */
export function beforeTraining(student: Student, list: TransformList): Student {
  return list.items.reduce((changed, item, index) => {
    const transform = findTransform(item.kind);
    if (!phasesOf(transform, item).includes('before')) return changed;
    return transform.before?.(changed, item, transformContext(list, index)) ?? changed;
  }, student);
}

/**
 * What the steps of a training have in the place of a student: each transform changes what the ones before it made. What they
 * do is undone in the opposite order.
 */
export function duringTraining(
  student: Student,
  list: TransformList,
): Required<Pick<TransformedTraining, 'student' | 'terms' | 'finish'>> {
  const terms: ObjectiveTerm[] = [];
  const finishes: ((trained: Student) => Student)[] = [];
  let trained = student;
  list.items.forEach((item, index) => {
    const transform = findTransform(item.kind);
    if (!phasesOf(transform, item).includes('during')) return;
    const made = transform.during?.(trained, item, transformContext(list, index));
    if (!made) return;
    trained = made.student;
    terms.push(...(made.terms ?? []));
    if (made.finish) finishes.unshift(made.finish);
  });
  return {
    student: trained,
    terms,
    finish: (learnt) => finishes.reduce((changed, finish) => finish(changed), learnt),
  };
}

/** The transforms of a list that come after training, with their places. */
export function afterTraining(
  items: readonly TransformItem[],
): { readonly transform: Transform; readonly item: TransformItem; readonly index: number }[] {
  return items.flatMap((item, index) => {
    const transform = findTransform(item.kind);
    return phasesOf(transform, item).includes('after') ? [{ transform, item, index }] : [];
  });
}

/**
 * Looks whether the transforms after training can work, before anything is trained: each is shown what the one before is going to
 * make of the student.
 *
 * @throws LimbeckError `compress.invalid`
 */
export async function foreseeTransforms(student: Student, list: TransformList): Promise<void> {
  let foreseen: Student | undefined = student;
  for (const { transform, item, index } of afterTraining(list.items)) {
    if (!foreseen) return;
    foreseen = await transform.foresee?.(foreseen, item, transformContext(list, index));
  }
}
