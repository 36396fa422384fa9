import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { GraphBuilder } from '../onnx/graph-builder.ts';
import { answerMatrix } from './answer-rows.ts';
import { knownNumbers } from './known-numbers.ts';
import { defineObjective, type ObjectiveInputs, type RowLosses, termWeight } from './objective.ts';
import { namesFor, outputOption } from './output-names.ts';
import { unitRows } from './unit-rows.ts';

export interface EmbeddingInputs {
  /** float32 [B, D] */
  embedding: TypedValue;
  /** float32 [B, D]; NaN in rows where there is none. No gradient flows to it. */
  target: TypedValue;
  /** float32 [B] */
  rowWeights: TypedValue;
}

/**
 * 1 - cos of the angle between two vectors, for each row: how long they are does not matter.
 *
 * Sanh, Debut, Chaumond and Wolf, "DistilBERT" (2019), section 3 (the cosine embedding loss); of sentence embeddings,
 * Reimers and Gurevych, "Making Monolingual Sentence Embeddings Multilingual using Knowledge Distillation" (2020).
 */
export function cosineError(g: GraphBuilder, { embedding, target, rowWeights }: EmbeddingInputs): RowLosses {
  const { numbers, known } = knownNumbers(g, target);
  const products = g.mul(unitRows(g, embedding), unitRows(g, numbers));
  const values = g.sub(1, g.reduceSum(products, { axes: [1], keepDims: false }));
  return { values, weights: g.mul(rowWeights, g.reduceMin(known, { axes: [1], keepDims: false })) };
}

export const cosine = defineObjective({
  kind: 'cosine',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe('1 - cosine of the angle to a vector that is the label (NaN: none).'),
  term({ weight, output }, context) {
    const names = namesFor('cosine', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, numbers, rowWeights } = answerMatrix(g, inputs, names);
        return cosineError(g, { embedding: answers, target: numbers(), rowWeights: rowWeights() });
      },
    };
  },
});

export const cosineKd = defineObjective({
  kind: 'cosineKd',
  level: 'task',
  options: z
    .strictObject({ weight: termWeight(1), output: outputOption })
    .describe(
      "1 - cosine of the angle to the teacher's vector, through a learned projection where widths differ (Sanh et al., 2019; Reimers and Gurevych, 2020).",
    ),
  answers: ({ output }, context) => [namesFor('cosineKd', output, context).tap],
  term({ weight, output }, context) {
    const names = namesFor('cosineKd', output, context);
    return {
      name: names.term,
      weight,
      build(g, inputs) {
        const { answers, width, teacher, rowWeights } = answerMatrix(g, inputs, names);
        const other = context.teacherWidths?.get(names.tap) ?? width;
        return cosineError(g, {
          embedding: other === width ? answers : projected(g, inputs, answers, [width, other], names.term),
          target: teacher(other),
          rowWeights: rowWeights(),
        });
      },
    };
  },
});

/** To the teacher's width, by a matrix that keeps the size of vectors at first. */
function projected(
  g: GraphBuilder,
  inputs: ObjectiveInputs,
  embedding: TypedValue,
  [from, to]: readonly [number, number],
  term: string,
): TypedValue {
  const scale = 1 / Math.sqrt(from);
  const matrix = inputs.parameter(`${term}/projection`, [from, to], (random) =>
    Float32Array.from({ length: from * to }, () => scale * random.normal()),
  );
  return g.matMul(embedding, matrix);
}
