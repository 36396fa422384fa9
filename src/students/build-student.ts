import type { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import type { RandomStream } from '../random.ts';
import type { FeatureKind, Features } from '../targets/features.ts';
import type { AttachedHead } from '../targets/head.ts';
import { linearHead } from '../targets/linear-head.ts';
import type { Backbone, ModalityName, ModelInputs } from './backbone.ts';
import { ParameterMaker } from './parameters.ts';
import type { Student } from './student.ts';

export interface StudentParts<Options extends z.ZodObject, M extends ModalityName> {
  readonly backbone: Backbone<Options, M>;
  readonly options: z.output<Options>;
  /** What the inputs are like. */
  readonly inputs: ModelInputs[M];
  /** At least one; the first is the main output. */
  readonly heads: readonly AttachedHead[];
  /** Draws the initial parameters. */
  readonly random: RandomStream;
}

/**
 * A student: a backbone with a head for each output. Heads that need the same features share them.
 *
 * @throws LimbeckError `recipe.invalid` for a head whose features the backbone does not have
 */
export function buildStudent<Options extends z.ZodObject, M extends ModalityName>({
  backbone,
  options,
  inputs,
  heads,
  random,
}: StudentParts<Options, M>): Student {
  const g = new GraphBuilder();
  const make = new ParameterMaker(g, random);
  recordStudent(g, make, { backbone, options, inputs, heads });
  return make.finish(g.build(backbone.kind));
}

/** Records a student's graph, whose parameters have shapes and no contents yet. @throws LimbeckError `recipe.invalid`, as buildStudent */
export function recordStudent<Options extends z.ZodObject, M extends ModalityName>(
  g: GraphBuilder,
  make: ParameterMaker,
  { backbone, options, inputs, heads }: Omit<StudentParts<Options, M>, 'random'>,
): void {
  const kinds = backbone.build(g, make, options, inputs);
  const made = new Map<FeatureKind, Features | undefined>();
  const featuresOf = (kind: FeatureKind): Features | undefined => {
    if (!made.has(kind)) made.set(kind, kinds[kind]?.());
    return made.get(kind);
  };
  for (const head of heads) {
    const features = featuresOf(head.features);
    if (!features) throw withoutFeatures(backbone.kind, head, Object.keys(kinds));
    const map = head.features === 'pooled' && kinds.map && (() => featuresOf('map') as Features);
    g.output(head.attach(g, make, map ? { ...features, map } : features), head.output);
  }
}

/** A student with one head: linear, over each sample as a whole, output `logits` float32 [batch, classes]. */
export function buildClassifier<Options extends z.ZodObject, M extends ModalityName>(
  backbone: Backbone<Options, M>,
  options: z.output<Options>,
  {
    classes,
    random,
    ...inputs
  }: ModelInputs[M] & { readonly classes: number; readonly random: RandomStream },
): Student {
  return buildStudent({
    backbone,
    options,
    inputs: inputs as unknown as ModelInputs[M],
    heads: [linearHead(classes)],
    random,
  });
}

/** What an output's features are of, for people. */
export const FEATURE_TITLES = {
  pooled: 'a sample as a whole',
  tokens: 'each token',
  map: 'each place of an image',
  causal: 'each token by those before it alone',
};

function withoutFeatures(
  kind: string,
  { output, features }: AttachedHead,
  has: readonly string[],
): LimbeckError {
  return new LimbeckError(
    'recipe.invalid',
    `the output '${output}' answers for ${FEATURE_TITLES[features]}, which the student ${kind} has no features of`,
    {
      where: 'student.kind',
      remedy: `Take a student with features '${features}'; ${kind} has ${has.map((name) => `'${name}'`).join(', ')}.`,
    },
  );
}
