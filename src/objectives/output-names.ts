import { z } from 'zod';
import type { TypedValue } from '../onnx/graph.ts';
import type { ObjectiveContext, ObjectiveInputs } from './objective.ts';

/** The main output of a model that says nothing else: what classifiers call theirs. */
export const MAIN_OUTPUT = 'logits';

/** The option of a loss that is about one output of the student. */
export const outputOption = z
  .string()
  .min(1)
  .max(200)
  .optional()
  .describe("The student's output that it is about; the main one when absent.");

/** What a term about one output is called, and what the inputs of a step are called that it is computed from. */
export interface OutputNames {
  /** The student's value. */
  readonly output: string;
  /** The term: `kd`, or `kd/OUTPUT` for another output than the main one. */
  readonly term: string;
  /** What is true of it: `labels`, or `labels/OUTPUT`. */
  readonly labels: string;
  /** How much each row counts: `row_weights`, or `row_weights/OUTPUT`. */
  readonly rowWeights: string;
  /** What the teacher said of it, without `knowledge/` before it. */
  readonly tap: string;
  /** Any other name that belongs to the output: `temperature`, or `temperature/OUTPUT`. */
  of(stem: string): string;
}

/** The names for a loss of some kind about an output; the main one when absent. */
export function namesFor(
  kind: string,
  given: string | undefined,
  context: Pick<ObjectiveContext, 'mainOutput' | 'weighted' | 'sides'>,
): OutputNames {
  const { mainOutput = MAIN_OUTPUT } = context;
  const output = given ?? mainOutput;
  const of = (stem: string) => (output === mainOutput ? stem : `${stem}/${output}`);
  return {
    output,
    term: of(kind),
    labels: of('labels'),
    rowWeights: rowWeightsOf(output, context),
    tap: output,
    of,
  };
}

/**
 * The input of a step that says how much each row counts for an output: its own where rows may lack it. Nothing being known
 * of that, outputs besides the main one have one of their own.
 */
export function rowWeightsOf(
  output: string,
  { mainOutput = MAIN_OUTPUT, weighted, sides }: Pick<ObjectiveContext, 'mainOutput' | 'weighted' | 'sides'>,
): string {
  const side = sides?.get(output);
  if (side !== undefined) return `row_weights/${side}`;
  const isOwn = weighted ? weighted.has(output) : output !== mainOutput;
  return isOwn ? `row_weights/${output}` : 'row_weights';
}

/** The weights of rows for a loss about an output, float32 [batch]. */
export function rowWeightsIn(
  inputs: Pick<ObjectiveInputs, 'rowWeights' | 'input'>,
  { rowWeights }: Pick<OutputNames, 'rowWeights'>,
): TypedValue {
  const usual = inputs.rowWeights();
  return rowWeights === 'row_weights' ? usual : inputs.input(rowWeights, 'float32', usual.shape as number[]);
}
