import { LimbeckError } from '../errors.ts';
import { type ScoreForm, scoreForm, withScores } from '../onnx/anatomy/score-form.ts';
import { type DataType, isFloat } from '../onnx/data-type.ts';
import type { Dim, Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { renameValue } from '../onnx/passes/rename-value.ts';
import type { AnsweringModel } from './answering-form.ts';
import { LOGITS } from './teacher-source.ts';

const TOLD: Readonly<Record<Exclude<ScoreForm, 'log-softmax'>, string>> = {
  softmax: 'probabilities (a Softmax)',
  sigmoid: 'sigmoids',
};

/**
 * A classifier whose output `logits` is scores: what ends in a Softmax or in sigmoids gives what goes into them.
 * Logarithms of probabilities differ from scores by a number for each sample, which no loss sees.
 */
export function withLogits(graph: Graph): AnsweringModel {
  const output = graph.outputs.find(({ name }) => name === LOGITS);
  const found = output && scoreForm(graph, output);
  if (!found || found.form === 'log-softmax') return { graph, notes: [] };
  const scored = withScores(graph, found);
  if (found.form === 'sigmoid' && output.shape?.[1] === 1) {
    return {
      graph: withOutput(scored, LOGITS, (g, score) => g.concat([g.mul(score, 0), score], 1)),
      notes: [
        "the teacher's output is one sigmoid: it is taken for the second of two classes, against the first",
      ],
    };
  }
  return {
    graph: scored,
    notes: [`the teacher's output is ${TOLD[found.form]}; the scores before are taken as its logits`],
  };
}

/** Below this a probability says no more; its logarithm stays finite. */
const LEAST = 1e-8;

/** What outputs between 0 and 1 can be taken for: rows that sum to 1, or numbers of their own. */
export type ProbabilityForm = 'softmax' | 'sigmoid';

/**
 * What a classifier's answers look like, row by row of `classes` numbers; undefined for scores. Told from values alone,
 * for models whose operators do not say it.
 */
export function probabilityForm(answers: Float32Array, classes: number): ProbabilityForm | undefined {
  if (answers.length === 0 || classes < 2) return undefined;
  let sumsToOne = true;
  let largest = 0;
  for (let start = 0; start < answers.length; start += classes) {
    let sum = 0;
    for (let c = 0; c < classes; c++) {
      const value = answers[start + c] as number;
      if (!(value >= 0 && value <= 1)) return undefined;
      sum += value;
      largest = Math.max(largest, value);
    }
    if (Math.abs(sum - 1) > 1e-3) sumsToOne = false;
  }
  if (sumsToOne) return 'softmax';
  // Zeros alone, or numbers near them, say nothing.
  return largest > 0.5 ? 'sigmoid' : undefined;
}

/** The model with logits where its output is probabilities: their logarithm, or that of the odds. */
export function logitsOfProbabilities(graph: Graph, form: ProbabilityForm): Graph {
  return withOutput(graph, LOGITS, (g, output) => {
    const p = g.clip(output, LEAST, form === 'softmax' ? 1 : 1 - 1e-7);
    return form === 'softmax' ? g.log(p) : g.sub(g.log(p), g.log(g.sub(1, p)));
  });
}

/** The graph with `logits` computed from one of its outputs, in that one's place; all other values keep their names. */
function withOutput(
  graph: Graph,
  from: string,
  body: (g: GraphBuilder, output: TypedValue) => TypedValue,
): Graph {
  const own = graph.outputs.find(({ name }) => name === from) as Value;
  const free = from === LOGITS ? renameValue(graph, own, `${LOGITS}/given`) : graph;
  const name = from === LOGITS ? `${LOGITS}/given` : from;
  const g = new GraphBuilder(graph.opsets.get(''));
  const bound = new Map(
    free.inputs.map((input) => [
      input.name,
      g.input(input.name, input.type as DataType, input.shape as readonly Dim[]),
    ]),
  );
  const values = g.inline(free, bound);
  for (const output of free.outputs) {
    const value = values.get(output.name) as TypedValue;
    if (output.name === name) g.output(body(g, value), LOGITS);
    else g.output(value);
  }
  for (const [key, value] of graph.metadata) g.setMetadata(key, value);
  return g.build(graph.name);
}

/** Names that exporters give to the only output of a classifier. */
const CLASS_OUTPUT =
  /^(logits?|outputs?|probabilit(y|ies)|probs?|predictions?|softmax|sigmoid|class_?logits)([._:]?\d+)?$/i;

/**
 * The model with its scores for the classes, float32 [batch, classes], as the output `logits`: the output of that name, or
 * the only one, where it is called as exporters call it or `anyName` counts.
 */
export function namedLogits(graph: Graph, anyName = false): Graph {
  const named = graph.outputs.find(({ name }) => name === LOGITS);
  const [only] = graph.outputs;
  const fits = ({ type, shape }: Value) => type !== undefined && isFloat(type) && shape?.length === 2;
  const isClasses =
    graph.outputs.length === 1 && only && fits(only) && (anyName || CLASS_OUTPUT.test(only.name));
  const output = named ?? (isClasses ? only : undefined);
  if (!output || !fits(output) || (output.name === LOGITS && output.type === 'float32')) return graph;
  return withOutput(graph, output.name, (g, value) => g.cast(value, 'float32'));
}

/** What a person has to know where `namedLogits` took an output of another name. */
export function outputNotes({ outputs }: Graph): string[] {
  const [only] = outputs;
  if (!only || outputs.some(({ name }) => name === LOGITS)) return [];
  return [`the teacher's only output '${only.name}' is taken for its scores`];
}

/** @throws LimbeckError `teacher.outputs` for a classifier whose logits are no float32 [batch, classes] */
export function requireClassScores(model: Graph, path: string, describe: (value: Value) => string): void {
  const logits = model.outputs.find((output) => output.name === LOGITS);
  if (logits?.type === 'float32' && logits.shape?.length === 2) return;
  throw new LimbeckError(
    'teacher.outputs',
    logits
      ? `the output '${LOGITS}' is ${describe(logits)}, not float32 [batch, classes]`
      : `the model has no output '${LOGITS}'`,
    {
      where: `${path}: its outputs are ${model.outputs.map(describe).join('; ')}`,
      remedy: 'Export it as a classifier, or train a head on its embedding (train: head).',
    },
  );
}
