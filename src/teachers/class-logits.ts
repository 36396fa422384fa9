import { LimbeckError } from '../errors.ts';
import { type ScoreForm, scoreForm, withScores } from '../onnx/anatomy/score-form.ts';
import { type DataType, isFloat } from '../onnx/data-type.ts';
import type { Dim, Graph, TypedValue, Value } from '../onnx/graph.ts';
import { GraphBuilder } from '../onnx/graph-builder.ts';
import { renameValue } from '../onnx/passes/rename-value.ts';
import type { AnsweringModel } from './answering-form.ts';
import { LOGITS } from './teacher-source.ts';
import { describeValue } from './text-inputs.ts';

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

/** Names that exporters give to the output of a classifier. */
const CLASS_OUTPUT =
  /^(logits?|outputs?|scores?|probabilit(y|ies)|probs?|predictions?|softmax|sigmoid|class_?(logits|scores))([._:]?\d+)?$/i;

/** Names of outputs that say of themselves that they are a text's or an image's vector. */
const EMBEDDING_OUTPUT = /embed|pool|hidden|features?$/i;

/**
 * A classifier with its scores for the classes, float32 [batch, classes], as the output `logits`: the output that a person
 * names; else `logits`; else, of those [batch, width], the only one with a usual name; else the only one that is not called
 * an embedding (which counts where the model has nothing else and `anyName` is given).
 *
 * @throws LimbeckError `teacher.outputs` (with the outputs that it has) where the named one is missing, or it cannot be told
 */
export function classifierLogits(
  graph: Graph,
  where: string,
  { named, anyName = false }: { readonly named?: string | undefined; readonly anyName?: boolean } = {},
): AnsweringModel {
  const has = `${where}: its outputs are ${graph.outputs.map(describeValue).join('; ')}`;
  if (named !== undefined) {
    const output = outputNamed(graph, named);
    if (output && fits(output)) {
      // One that is called logits and is not meant gives way.
      const other = named === LOGITS ? undefined : outputNamed(graph, LOGITS);
      if (!other) return { graph: asLogits(graph, output), notes: [] };
      const free = renameValue(graph, other, `${LOGITS}/other`);
      return { graph: asLogits(free, outputNamed(free, named)), notes: [] };
    }
    throw new LimbeckError(
      'teacher.outputs',
      output ? `the output '${named}' is not [batch, classes]` : `the model has no output '${named}'`,
      { where: has, remedy: 'Correct teacher.output.' },
    );
  }
  if (outputNamed(graph, LOGITS)) return { graph: asLogits(graph, outputNamed(graph, LOGITS)), notes: [] };
  const wide = graph.outputs.filter(fits);
  const scores = wide.filter(({ name }) => !EMBEDDING_OUTPUT.test(name));
  const possible = scores.length === 0 && anyName ? wide : scores;
  const usual = possible.filter(({ name }) => CLASS_OUTPUT.test(name));
  const output = usual.length === 1 ? usual[0] : possible.length === 1 ? possible[0] : undefined;
  if (output) {
    const which = graph.outputs.length === 1 ? 'only output' : 'output';
    return {
      graph: asLogits(graph, output),
      notes: [`the teacher's ${which} '${output.name}' is taken for its scores`],
    };
  }
  if (possible.length === 0) return { graph, notes: [] };
  throw new LimbeckError(
    'teacher.outputs',
    `which output the scores of the classes are cannot be told: ${possible.map(({ name }) => `'${name}'`).join(' or ')}`,
    { where: has, remedy: 'Name it: teacher.output.' },
  );
}

function fits({ type, shape }: Value): boolean {
  return type !== undefined && isFloat(type) && shape?.length === 2;
}

function outputNamed({ outputs }: Graph, name: string): Value | undefined {
  return outputs.find((output) => output.name === name);
}

function asLogits(graph: Graph, output: Value | undefined): Graph {
  if (!output || !fits(output) || (output.name === LOGITS && output.type === 'float32')) return graph;
  return withOutput(graph, output.name, (g, value) => g.cast(value, 'float32'));
}

/** @throws LimbeckError `teacher.outputs` for a classifier whose logits are no float32 [batch, classes] */
export function requireClassScores(model: Graph, path: string): void {
  const logits = model.outputs.find((output) => output.name === LOGITS);
  if (logits?.type === 'float32' && logits.shape?.length === 2) return;
  throw new LimbeckError(
    'teacher.outputs',
    logits
      ? `the output '${LOGITS}' is ${describeValue(logits)}, not float32 [batch, classes]`
      : `the model has no output '${LOGITS}'`,
    {
      where: `${path}: its outputs are ${model.outputs.map(describeValue).join('; ')}`,
      remedy:
        'Export it as a classifier, name the output that has its classes (teacher.output), or train a head on its embedding (train: head).',
    },
  );
}
