import { weightName } from '../../data/columns.ts';
import type { Dataset } from '../../data/dataset.ts';
import { LimbeckError } from '../../errors.ts';
import type { Graph } from '../../onnx/graph.ts';
import { outputsOf } from '../../recipe/parts.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { type Head, openHead } from '../../targets/head.ts';
import { findTarget } from '../../targets/index.ts';
import type { AnyTarget } from '../../targets/target.ts';
import { sidesOf } from './pair-sides.ts';
import { withPriors } from './with-priors.ts';

/** An output that a recipe asks for. */
export interface WantedOutput {
  readonly name: string;
  readonly target: AnyTarget;
  /** The column with its values; absent where it is what the teacher says. */
  readonly field?: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

const CLASS = 'class';

/** The outputs of a recipe in their order; the first is the main one. A class where the recipe names none. */
export function wantedOutputs(recipe: Pick<Recipe, 'outputs' | 'task' | 'data'>): WantedOutput[] {
  const wanted = outputsOf(recipe).map(({ name, target, field, options }) => ({
    name,
    target: targetOf(target),
    field,
    options,
  }));
  const [main] = wanted;
  const other = wanted.find(({ field }) => field !== undefined);
  if (other && main && main.field === undefined) {
    throw new LimbeckError(
      'recipe.invalid',
      `the main output '${main.name}' has no field, '${other.name}' has one`,
      {
        where: 'outputs',
        remedy: `Name '${other.name}' first: the main output is the one that splits and selections go by.`,
      },
    );
  }
  return wanted;
}

function targetOf(kind: string): AnyTarget {
  const found = findTarget(kind);
  if (!found) throw new Error(`no target ${kind}`);
  return found;
}

/** Whether all that a recipe's model answers is one class a sample. */
export function isClassifier(recipe: Pick<Recipe, 'outputs' | 'task' | 'data'>): boolean {
  const outputs = wantedOutputs(recipe);
  const [main] = outputs;
  return (
    outputs.length === 1 && main?.target.kind === CLASS && main.name === 'logits' && main.field !== undefined
  );
}

/**
 * The heads of a recipe's models, now that the data are prepared.
 *
 * @param taught what a teacher's answers are like, by output, where no data say it: the width of its vectors
 */
export function headsOf(
  recipe: Pick<Recipe, 'outputs' | 'task' | 'data'>,
  { spaces, labels, splits, inputs }: Pick<Dataset, 'labels' | 'spaces' | 'splits' | 'inputs'>,
  taught: Readonly<Record<string, unknown>> = {},
): readonly Head[] {
  const heads = wantedOutputs(recipe).map(({ name, target, field, options }, index) => {
    const known = field === undefined ? (target.spaceOf?.(options) ?? taught[name]) : spaces[name];
    const space = target.kind === CLASS && index === 0 && field !== undefined ? { names: labels } : known;
    if (space === undefined) {
      throw new LimbeckError('recipe.invalid', `nothing says how wide the output '${name}' is`, {
        where: `outputs.${name}`,
        remedy: target.classes
          ? 'Name its classes (labels), or a field with values.'
          : 'Give it a width, a field with values, or a teacher that has the output.',
      });
    }
    // Of pairs all that is to be known is what belongs together.
    const isTaught = field === undefined && target.kind !== 'pairs';
    if (isTaught) requireSameWidth(name, space, taught[name]);
    const taughtName = target.decide ? `decided/${name}` : `knowledge/${name}`;
    const own = isTaught ? taughtName : index === 0 ? 'labels' : `labels/${name}`;
    const weights = field !== undefined && index > 0 ? `row_weights/${name}` : undefined;
    const sides = target.kind === 'pairs' ? [...sidesOf(inputs).values()].map(weightName) : undefined;
    return openHead({ output: name, target, options, space, labels: own, weights, sides });
  });
  return withPriors(heads, splits.labelled);
}

/** Refuses vectors that would be measured by those of a teacher, and have another width. */
function requireSameWidth(output: string, space: unknown, taught: unknown): void {
  const [own, theirs] = [space, taught].map((one) => (one as { readonly width?: number } | undefined)?.width);
  if (own === undefined || theirs === undefined || own === theirs) return;
  throw new LimbeckError(
    'recipe.invalid',
    `the output '${output}' is to have ${own} numbers, and the teacher's vectors, which alone say what is right, have ${theirs}`,
    {
      where: `outputs.${output}.width`,
      remedy: `Leave the width out, or set it to ${theirs}: the student's layers may be narrower all the same (student.width).`,
    },
  );
}

/** What the answers of a teacher are like, of the outputs that no column says anything of: how wide its vectors are. */
export function taughtSpaces(
  recipe: Pick<Recipe, 'outputs' | 'task' | 'data'>,
  { model }: { readonly model: Graph },
): Record<string, unknown> {
  return Object.fromEntries(
    wantedOutputs(recipe).flatMap(({ name, field, target }, index) => {
      if (field !== undefined || target.classes) return [];
      const named = model.outputs.find((output) => output.name === name);
      const width = (named ?? (index === 0 ? model.outputs[0] : undefined))?.shape?.at(-1);
      return typeof width === 'number' ? [[name, { width }]] : [];
    }),
  );
}

/**
 * Whether the data say anything of what is answered: then a student may learn from that alone. Of pairs they say what
 * belongs together.
 */
export function hasLabels(recipe: Pick<Recipe, 'outputs' | 'data' | 'task'>): boolean {
  return wantedOutputs(recipe).some(({ field, target }) => field !== undefined || target.kind === 'pairs');
}
