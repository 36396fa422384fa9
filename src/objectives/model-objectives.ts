import { z } from 'zod';
import { LimbeckError } from '../errors.ts';
import { formatShape } from '../onnx/shape-inference/rule.ts';
import { crossEntropy } from './cross-entropy.ts';
import { kdLogits } from './kd-logits.ts';
import { meanSquaredError } from './mean-squared-error.ts';
import {
  defineModelObjective,
  flattenRows,
  type ModelObjective,
  namedFor,
  outputOption,
  rowsOf,
  weightOption,
} from './model-objective.ts';

const ROW_WEIGHTS = 'how much each row counts: 1, or 0 for one that only fills the batch';

const labels = defineModelObjective({
  kind: 'labels',
  options: z
    .strictObject({
      output: outputOption,
      weight: weightOption,
      smoothing: z
        .number()
        .min(0)
        .lt(1)
        .default(0)
        .describe('Mass that is spread over all classes (Szegedy et al., 2016).'),
    })
    .describe(
      'Cross-entropy of logits [batch, ..., classes] with int32 labels [batch, ...]; -1 is no label.',
    ),
  term({ output: named, weight, smoothing }, context) {
    const output = named ?? context.mainOutput;
    const [name, labelsName, weightsName] = ['labels', 'labels', 'row_weights'].map((stem) =>
      namedFor(stem, output, context),
    ) as [string, string, string];
    return {
      inputs: [
        { name: labelsName, meaning: 'the class of each row, from 0; -1 where there is none' },
        { name: weightsName, meaning: ROW_WEIGHTS },
      ],
      term: {
        name,
        weight,
        build(g, inputs) {
          const logits = inputs.student(output);
          const rows = rowsOf(logits, output, name);
          return crossEntropy(g, {
            logits: flattenRows(g, logits, rows, rows.width),
            labels: flattenRows(g, inputs.input(labelsName, 'int32', rows.dims), rows),
            rowWeights: flattenRows(g, inputs.input(weightsName, 'float32', rows.dims), rows),
            smoothing,
          });
        },
      },
    };
  },
});

const kd = defineModelObjective({
  kind: 'kd',
  options: z
    .strictObject({
      output: outputOption,
      weight: weightOption,
      temperature: z.number().min(0.1).max(100).default(2).describe('Softens both distributions.'),
    })
    .describe("KL divergence to a teacher's logits, of the output's shape (Hinton et al., 2015)."),
  term({ output: named, weight, temperature }, context) {
    const output = named ?? context.mainOutput;
    const [name, weightsName] = ['kd', 'row_weights'].map((stem) => namedFor(stem, output, context)) as [
      string,
      string,
    ];
    const teacherName = `knowledge/${output}`;
    return {
      inputs: [
        { name: teacherName, meaning: `the teacher's logits for '${output}'` },
        { name: weightsName, meaning: ROW_WEIGHTS },
      ],
      term: {
        name,
        weight,
        build(g, inputs) {
          const logits = inputs.student(output);
          const rows = rowsOf(logits, output, name);
          const teacher = inputs.input(teacherName, 'float32', [...rows.dims, rows.width]);
          return kdLogits(g, {
            student: flattenRows(g, logits, rows, rows.width),
            teacher: flattenRows(g, teacher, rows, rows.width),
            rowWeights: flattenRows(g, inputs.input(weightsName, 'float32', rows.dims), rows),
            temperature,
          });
        },
      },
    };
  },
});

const mse = defineModelObjective({
  kind: 'mse',
  options: z
    .strictObject({ output: outputOption, weight: weightOption })
    .describe("The mean squared error to a target of the output's shape."),
  term({ output: named, weight }, context) {
    const output = named ?? context.mainOutput;
    const [name, targetName, weightsName] = ['mse', 'target', 'row_weights'].map((stem) =>
      namedFor(stem, output, context),
    ) as [string, string, string];
    return {
      inputs: [
        { name: targetName, meaning: `what '${output}' should be` },
        { name: weightsName, meaning: ROW_WEIGHTS },
      ],
      term: {
        name,
        weight,
        build(g, inputs) {
          const prediction = inputs.student(output);
          const rows = rowsOf(prediction, output, name);
          const target = inputs.input(targetName, 'float32', [...rows.dims, rows.width]);
          return meanSquaredError(g, {
            prediction: flattenRows(g, prediction, rows, rows.width),
            target: flattenRows(g, target, rows, rows.width),
            rowWeights: flattenRows(g, inputs.input(weightsName, 'float32', rows.dims), rows),
          });
        },
      },
    };
  },
});

const output = defineModelObjective({
  kind: 'output',
  options: z
    .strictObject({
      output: z.string().min(1).describe('The value of the model that is minimised: one float32 number.'),
      weight: weightOption,
    })
    .describe('A loss that the model computes itself: `output:loss`.'),
  term: ({ output: name, weight }) => ({
    inputs: [],
    term: {
      name,
      weight,
      build(g, inputs) {
        const value = inputs.student(name);
        if (value.type !== 'float32' || !value.shape.every((dim) => dim === 1)) {
          throw new LimbeckError('train.loss-not-scalar', `'${name}' is no scalar that could be a loss`, {
            where: `objective output:${name}: it is ${value.type}${formatShape(value.shape)}`,
            remedy: "Name a value with one float32 number, or use labels, kd or mse on the model's outputs.",
          });
        }
        return value.shape.length === 0 ? value : g.reshape(value, []);
      },
    },
  }),
});

/** The losses that a model from a file can be trained by. To add one: an entry here. */
export const MODEL_OBJECTIVES = [labels, kd, mse, output] as const;

type Entry = (typeof MODEL_OBJECTIVES)[number];

/** One of them with its options, as a person gives them: `{ kind: 'kd', temperature: 4 }`. */
export type ModelObjectiveOptions = {
  [E in Entry as E['kind']]: { kind: E['kind'] } & z.input<E['options']>;
}[Entry['kind']];

/** The registry's entries without their own types, for code that handles them all alike. */
export const ANY_MODEL_OBJECTIVE: readonly ModelObjective[] =
  MODEL_OBJECTIVES as readonly unknown[] as readonly ModelObjective[];
