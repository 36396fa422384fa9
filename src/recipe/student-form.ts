import { LimbeckError } from '../errors.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { randomStream } from '../random.ts';
import type { Backbone } from '../students/backbone.ts';
import { recordStudent } from '../students/build-student.ts';
import { BACKBONES } from '../students/index.ts';
import { ParameterMaker } from '../students/parameters.ts';
import { openHead } from '../targets/head.ts';
import { findTarget } from '../targets/index.ts';
import { inputsOf, outputsOf, type RecipeInputPart, type StatedParts } from './parts.ts';

interface Wanted extends Pick<StatedParts, 'inputs' | 'outputs' | 'task'> {
  readonly student: { readonly kind: string };
  readonly data: StatedParts['data'] & { readonly maxLength: number };
}

/** No size of a student depends on it. */
const ANY_VOCABULARY = 64;

/**
 * Refuses sizes that a student, or a layer for one of its outputs, cannot have: its graph is recorded without parameters, of inputs and
 * outputs as far as the recipe says what they are like. What only the data say (the size of images without `size`) is refused when
 * they are read.
 *
 * @throws LimbeckError `recipe.invalid`
 */
export function requireStatedForm(recipe: Wanted): void {
  const backbone = BACKBONES.find(({ kind }) => kind === recipe.student.kind) as unknown as
    | Backbone
    | undefined;
  const inputs = inputFacts(recipe);
  const heads = headsFor(recipe);
  if (!backbone || !inputs || !heads) return;
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, randomStream(0, 'form'));
  try {
    recordStudent(g, make, { backbone, options: recipe.student, inputs: inputs as never, heads });
  } catch (error) {
    // Students that were registered may need more than there is before the data: building them says so.
    if (error instanceof LimbeckError && error.code === 'recipe.invalid') throw error;
  }
}

/** What a backbone is told of its inputs; undefined where the data decide on it, or a teacher. */
function inputFacts(recipe: Wanted): object | undefined {
  const facts = new Map<string, object | undefined>();
  for (const input of inputsOf(recipe))
    if (!facts.has(input.modality)) facts.set(input.modality, factsOf(input, recipe.data));
  const all = [...facts.values()];
  if (all.includes(undefined)) return undefined;
  return all.length === 1 ? all[0] : Object.fromEntries(facts);
}

function factsOf(
  { modality, fields, options }: RecipeInputPart,
  { maxLength }: Wanted['data'],
): object | undefined {
  if (modality === 'text')
    return { vocabularySize: ANY_VOCABULARY, maxLength, ...(fields.length > 1 && { pairs: true }) };
  if (modality === 'image') {
    const { size, channels = 3, preprocessor } = options as ImageSizes;
    if (size === undefined || preprocessor !== undefined) return undefined;
    return { channels, ...(typeof size === 'number' ? { height: size, width: size } : size) };
  }
  const { rate, seconds } = options as { readonly rate?: number; readonly seconds?: number };
  if (rate === undefined || seconds === undefined) return undefined;
  return { samplingRate: rate, samples: Math.round(rate * seconds) };
}

interface ImageSizes {
  readonly size?: number | { readonly height: number; readonly width: number };
  readonly channels?: number;
  readonly preprocessor?: string;
}

/** Layers for outputs of spaces as data may have them; undefined where a target has no example of one. */
function headsFor(recipe: Wanted) {
  const heads = outputsOf(recipe).map(({ name: output, target: kind, options }, i) => {
    const target = findTarget(kind);
    const space = target?.exampleOf?.(options) ?? target?.spaceOf?.(options) ?? target?.example;
    if (!target || space === undefined) return undefined;
    return openHead({ output, target, options, space, labels: i === 0 ? 'labels' : `labels/${output}` });
  });
  return heads.includes(undefined) ? undefined : heads.flatMap((head) => head ?? []);
}
